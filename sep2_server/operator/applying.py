"""What applies to a device now: its programs in their precedence, and the source of each mode."""

from function_sets import Draw, ModeSource, Program, Rules, advance
from schemas import DefaultDERControl, DERControlBase, DERProgram, EndDevice, Json, spec_of
from sep2_server.operator.desk import Desk
from sep2_server.operator.groups import program_told
from sep2_server.operator.model import natural_value
from sep2_server.operator.router import Answer, Call
from sep2_server.rows import Client, Row


def programs_of(desk: Desk, call: Call) -> Answer:
    """The programs of a device, the best first, and what applies to it now, mode by mode.

    Without the random part that each device draws for itself. IEEE 2030.5-2018, 10.2.3 and 10.10.
    """
    client = desk.client(call.names["device"])
    rows = _rows(desk, client)
    told = [_program(desk, row) for _, row in rows]
    category = desk.resource(desk.end_device(client), EndDevice).deviceCategory
    outcome = advance(
        told,
        {},
        desk.now,
        rules=Rules(),
        draw=lambda _: Draw(),
        device_category=int(category or "0", 16),
    )
    names = {program.href: group for (group, _), program in zip(rows, told, strict=True)}
    return {
        "device": client.name,
        "programs": [{"group": group, **program_told(desk, row)} for group, row in rows],
        "now": [_source(desk, source, names) for _, source in sorted(outcome.modes.items())],
    }


def _rows(desk: Desk, client: Client) -> list[tuple[str, Row]]:
    """The programs of a device with the names of their groups, the best primacy first."""
    found: list[tuple[str, Row]] = []
    for assignment in desk.reader.assignments_of_device(client.end_device_id):
        group = desk.reader.group(assignment.group_id)
        if group is not None:
            found += [(group.name, row) for row in desk.programs(group) if row.kind == "DERProgram"]
    return sorted(found, key=lambda pair: (pair[1].sort_key, pair[1].id))


def _program(desk: Desk, row: Row) -> Program:
    program = desk.resource(row, DERProgram)
    default = desk.beside(row, "DefaultDERControl")
    return Program(
        href=row.href,
        mRID=program.mRID,
        primacy=program.primacy,
        default=None if default is None else desk.resource(default, DefaultDERControl),
        controls=tuple(desk.control_of(control) for control in desk.open_controls(row)),
    )


def _source(desk: Desk, source: ModeSource, names: dict[str, str]) -> dict[str, Json]:
    fields = {f.name: f for f in spec_of(desk.environment.codec.profile.resolve(DERControlBase))}
    field = fields.get(source.mode)
    return {
        "mode": source.mode,
        "value": str(source.value) if field is None else natural_value(field, source.value),
        "by": "default" if source.mRID is None else "control",
        "mRID": source.mRID,
        "group": names.get(source.program_href),
        "primacy": source.primacy,
    }
