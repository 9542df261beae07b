"""DERControls in the store: status at the second of the write, and the siblings that it touches."""

from function_sets import ROUTES, sort_key
from schemas import DERControl
from sep2_server.bootstrap import response_list_href
from sep2_server.event_times import refresh_overlapping, siblings_of, timed
from sep2_server.operator.desk import Desk
from sep2_server.rows import Row

KIND = "DERControl"
LIST_KIND = "DERControlList"


def insert_control(desk: Desk, program: Row, control: DERControl) -> Row:
    """Store a new control of a program; where it asks for Responses, `replyTo` says where to."""
    tx, environment = desk.transaction, desk.environment
    listed = desk.listed(program, LIST_KIND)
    number = tx.next_id()
    control.href = environment.uris.of(KIND, (program.id, number))
    asks = int(control.responseRequired or "00", 16) != 0
    control.replyTo = response_list_href(tx, environment) if asks else None
    bare = Row(
        number,
        control.href,
        KIND,
        list_id=listed.id,
        sort_key=sort_key(ROUTES[LIST_KIND], control),
        owner_id=program.id,
        mrid=control.mRID,
    )
    row = tx.insert(timed(environment, bare, control, siblings_of(tx, environment, bare, control), desk.now))
    refresh_overlapping(tx, environment, row, desk.now)
    return row


def put_control(desk: Desk, row: Row, control: DERControl) -> Row:
    """Store a control whose EventStatus has changed in the place of what was there."""
    tx, environment = desk.transaction, desk.environment
    siblings = siblings_of(tx, environment, row, control)
    stored = tx.replace(row, timed(environment, row, control, siblings, desk.now))
    refresh_overlapping(tx, environment, stored, desk.now)
    return stored
