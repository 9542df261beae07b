"""Every statement of the store, declared once with SQLAlchemy Core and named parameters.

A `Connection` compiles each to text when it is first used, so that the hot path runs prepared SQL.
"""

from functools import cache
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    BindParameter,
    Column,
    LargeBinary,
    Select,
    Update,
    and_,
    any_,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.expression import ClauseElement

from sep2_server import tables as t
from sep2_server.rows import ACCESS, EVERYBODY
from sep2_server.terms import IS_ACTIVE, NO_SKIP, param

_R = t.resource.c
_C = t.client.c


_IN_SPAN = and_(_R.list_id == param("list_id"), _R.scope == param("scope"))
_BOUNDED = and_(_R.sort_key >= param("low"), _R.sort_key < param("high"))
_AFTER = or_(
    _R.sort_key > param("after_key"), and_(_R.sort_key == param("after_key"), _R.id > param("after_id"))
)


def _page(condition: ColumnElement[bool]) -> Select[Any]:
    ordered = select(t.resource).where(condition).order_by(_R.sort_key, _R.id)
    return ordered.limit(param("limit")).offset(param("skip"))


def _places(condition: ColumnElement[bool]) -> Select[Any]:
    ordered = select(_R.sort_key, _R.id).where(condition).order_by(_R.sort_key, _R.id)
    return ordered.limit(param("limit")).offset(param("skip"))


BY_HREF: Final = select(t.resource).where(_R.href == param("href"))
BY_ID: Final = select(t.resource).where(_R.id == param("id"))
BY_MRID: Final = select(t.resource).where(_R.mrid == param("mrid"), _R.kind == param("kind"))
BY_MRID_ANY: Final = select(t.resource).where(_R.mrid == param("mrid"))
BY_MRID_IN_LIST: Final = BY_MRID_ANY.where(_R.list_id == param("list_id"))
AT_ONCE: Final = 64
"""How many things one statement asks for, or counts."""


@cache
def rows_at(number: int) -> Select[Any]:
    """The resources at so many URIs, h0 and on."""
    return select(t.resource).where(_R.href.in_([param(f"h{n}") for n in range(number)]))


@cache
def rows_with(number: int) -> Select[Any]:
    """The resources that have one of so many mRIDs, m0 and on."""
    return select(t.resource).where(_R.mrid.in_([param(f"m{n}") for n in range(number)]))


@cache
def rows_named(number: int) -> Select[Any]:
    """The resources with so many pairs of mRID and owner, m0 and o0 and on."""
    pairs = (and_(_R.mrid == param(f"m{n}"), _R.owner_id == param(f"o{n}")) for n in range(number))
    return select(t.resource).where(or_(*pairs))


OF_OWNER: Final = select(t.resource).where(_R.owner_id == param("owner_id")).order_by(_R.id)
POINTS_OF_OWNER: Final = OF_OWNER.where(t.IS_POINT)
SCOPED_OF_OWNER: Final = OF_OWNER.where(_R.scope != literal_column(str(EVERYBODY)))
OF_OWNER_FIRST: Final = OF_OWNER.limit(param("limit")).offset(NO_SKIP)
OF_OWNER_OF_KIND: Final = (
    select(t.resource).where(_R.owner_id == param("owner_id"), _R.kind == param("kind")).order_by(_R.id)
)
OF_KIND: Final = (
    select(t.resource)
    .where(_R.kind == param("kind"), _R.id > param("after_id"))
    .order_by(_R.id)
    .limit(param("limit"))
    .offset(NO_SKIP)
)

PAGE: Final = _page(_IN_SPAN)
PAGE_AFTER: Final = _page(and_(_IN_SPAN, _AFTER))
PAGE_BOUNDED: Final = _page(and_(_IN_SPAN, _BOUNDED))
PAGE_ACTIVE: Final = _page(and_(_IN_SPAN, IS_ACTIVE, _BOUNDED))
PLACES: Final = _places(_IN_SPAN)
PLACES_AFTER: Final = _places(and_(_IN_SPAN, _AFTER))
"""The order of a list: out of its index alone, without a look at the rows."""
ITEMS_OF_LIST: Final = _page(_R.list_id == param("list_id"))


@cache
def items_with(dialect: str, *, is_there: bool) -> Select[Any]:
    """Items of a list whose fragments have some `octets` in them, or have not."""
    position = func.instr if dialect == "sqlite" else func.pg_catalog.position
    found = position(_R.body, bindparam("octets", type_=LargeBinary)) > literal_column("0")
    return _page(and_(_R.list_id == param("list_id"), found if is_there else ~found))


ITEMS_OF_OWNER: Final = select(t.resource).where(_IN_SPAN, _R.owner_id == param("owner_id")).order_by(_R.id)
TALLY: Final = select(t.tally.c.amount).where(
    t.tally.c.list_id == param("list_id"), t.tally.c.scope == param("scope")
)
_OF_EVERYBODY: Final = and_(t.tally.c.list_id == _R.id, t.tally.c.scope == literal_column("0"))


def _among(column: Column[Any], name: str, dialect: str) -> ColumnElement[bool]:
    """Whether a column is one of the values of a parameter, which is an array: as JSON for SQLite."""
    if dialect == "sqlite":
        return column.in_(select(func.json_each(param(name)).table_valued("value").c.value))
    return column == any_(bindparam(name, type_=ARRAY(column.type)))


@cache
def bodies(dialect: str) -> Select[Any]:
    """Row id and fragment of the resources with row ids out of `numbers`, an array."""
    return select(_R.id, _R.body).where(_among(_R.id, "numbers", dialect))


@cache
def lists_at(dialect: str) -> Select[Any]:
    """URI, row id, kind and number of items in the scope of everybody of the lists at `hrefs`, an array."""
    found = t.resource.outerjoin(t.tally, _OF_EVERYBODY)
    shown = select(_R.href, _R.id, _R.kind, t.tally.c.amount).select_from(found)
    return shown.where(_among(_R.href, "hrefs", dialect))


@cache
def few_lists_at(number: int) -> Select[Any]:
    """As `lists_at`, of so many URIs: h0 and on."""
    found = t.resource.outerjoin(t.tally, _OF_EVERYBODY)
    shown = select(_R.href, _R.id, _R.kind, t.tally.c.amount).select_from(found)
    return shown.where(_R.href.in_([param(f"h{n}") for n in range(number)]))


COUNT_BOUNDED: Final = select(func.count()).where(_IN_SPAN, _BOUNDED)
COUNT_ACTIVE: Final = select(func.count()).where(_IN_SPAN, IS_ACTIVE, _BOUNDED)
_JOINED = t.member.join(t.resource, _R.id == t.member.c.resource_id)
_AMONG_MEMBERS = (
    t.member.c.list_id == param("list_id"),
    t.member.c.sort_key >= param("low"),
    t.member.c.sort_key < param("high"),
)
COUNT_IN_PART: Final = select(func.count()).select_from(t.member).where(*_AMONG_MEMBERS)
MEMBERS: Final = (
    select(t.resource)
    .select_from(_JOINED)
    .where(*_AMONG_MEMBERS)
    .order_by(t.member.c.sort_key, t.member.c.resource_id)
    .limit(param("limit"))
    .offset(param("skip"))
)
IS_MEMBER: Final = select(t.member.c.resource_id).where(
    t.member.c.list_id == param("list_id"),
    t.member.c.sort_key == param("sort_key"),
    t.member.c.resource_id == param("resource_id"),
)
LISTS_OF_MEMBER: Final = select(t.member.c.list_id).where(t.member.c.resource_id == param("resource_id"))

CLIENT: Final = select(t.client).where(_C.lfdi == param("lfdi"))
CLIENT_NAMED: Final = select(t.client).where(_C.name == param("name"))
CLIENT_OF_DEVICE: Final = select(t.client).where(_C.end_device_id == param("end_device_id"))
CLIENTS_OF_SFDI: Final = select(t.client).where(_C.sfdi == param("sfdi"))
CLIENTS: Final = (
    select(t.client).where(_C.name > param("after")).order_by(_C.name).limit(param("limit")).offset(NO_SKIP)
)
MANAGED: Final = select(_C.end_device_id).where(_C.aggregator_id == param("aggregator_id"))

GROUP_NAMED: Final = select(t.device_group).where(t.device_group.c.name == param("name"))
GROUP: Final = select(t.device_group).where(t.device_group.c.id == param("id"))
GROUPS: Final = (
    select(t.device_group)
    .where(t.device_group.c.name > param("after"))
    .order_by(t.device_group.c.name)
    .limit(param("limit"))
    .offset(NO_SKIP)
)
COUNT_GROUPS: Final = select(func.count()).select_from(t.device_group)
GROUP_OF_LIST: Final = (
    select(t.device_group)
    .select_from(t.device_group.join(t.group_list, t.group_list.c.group_id == t.device_group.c.id))
    .where(t.group_list.c.list_id == param("list_id"))
)
GROUP_LISTS: Final = (
    select(t.group_list.c.kind, t.group_list.c.list_id)
    .where(t.group_list.c.group_id == param("group_id"))
    .order_by(t.group_list.c.kind)
)
ASSIGNMENTS_OF_DEVICE: Final = select(t.assignment).where(
    t.assignment.c.end_device_id == param("end_device_id")
)
ASSIGNMENTS_OF_GROUP: Final = (
    select(t.assignment)
    .where(t.assignment.c.group_id == param("group_id"), t.assignment.c.end_device_id > param("after_id"))
    .order_by(t.assignment.c.end_device_id)
    .limit(param("limit"))
    .offset(NO_SKIP)
)
_VIEWED = t.viewer_group.join(t.group_list, t.group_list.c.group_id == t.viewer_group.c.group_id)
_IS_VIEWER = t.viewer_group.c.viewer_id == param("end_device_id")
LISTS_OF_VIEWER: Final = select(t.group_list.c.list_id).select_from(_VIEWED).where(_IS_VIEWER)
PROGRAMS_OF_VIEWER: Final = (
    select(t.group_list.c.kind, t.member.c.resource_id)
    .select_from(_VIEWED.join(t.member, t.member.c.list_id == t.group_list.c.list_id))
    .where(_IS_VIEWER)
    .distinct()
)
_OF_DEVICE: Final = (
    select(t.member.c.resource_id)
    .select_from(
        t.assignment.join(t.group_list, t.group_list.c.group_id == t.assignment.c.group_id).join(
            t.member, t.member.c.list_id == t.group_list.c.list_id
        )
    )
    .where(t.assignment.c.end_device_id == param("end_device_id"))
)
PROGRAMS_OF_DEVICE: Final = _OF_DEVICE.distinct()
PROGRAMS_SHOWN: Final = (
    select(t.resource)
    .where(_R.id.in_(_OF_DEVICE.where(t.group_list.c.kind == param("kind"))))
    .order_by(_R.sort_key, _R.id)
)

_READING = t.reading.c
_AFTER_TIME: BindParameter[Any] = bindparam("after", type_=BigInteger)
_IN_SET = and_(
    _READING.reading_set_id == param("reading_set_id"),
    or_(_AFTER_TIME.is_(None), _READING.time > _AFTER_TIME),
)
READINGS: Final = (
    select(t.reading)
    .where(_IN_SET)
    .order_by(_READING.sort_key, _READING.position)
    .limit(param("limit"))
    .offset(param("skip"))
)
READINGS_COUNT: Final = select(func.count()).select_from(t.reading).where(_IN_SET)
LATEST_VALUE: Final = (
    select(_READING.value)
    .where(_READING.reading_set_id == param("reading_set_id"), _READING.value.is_not(None))
    .order_by(
        func.coalesce(_READING.time, literal_column("0")).desc(),
        _READING.sort_key.desc(),
        _READING.position.desc(),
    )
    .limit(literal_column("1"))
    .offset(NO_SKIP)
)
READING: Final = select(t.reading).where(
    _READING.reading_set_id == param("reading_set_id"), _READING.position == param("position")
)

HAS_REPORTED: Final = select(func.max(t.report.c.response_id)).where(
    t.report.c.end_device_id == param("end_device_id"), t.report.c.subject == param("subject")
)
REPORTS: Final = (
    select(t.report)
    .where(t.report.c.subject == param("subject"), t.report.c.response_id > param("after_id"))
    .order_by(t.report.c.response_id)
    .limit(param("limit"))
    .offset(NO_SKIP)
)
CHANGES: Final = (
    select(t.change)
    .where(t.change.c.seq > param("after"))
    .order_by(t.change.c.seq)
    .limit(param("limit"))
    .offset(NO_SKIP)
)
RIGHTS_BEHIND: Final = str(
    select(literal_column("1"))
    .where(t.change.c.seq > literal_column("%d"), t.change.c.kind == literal_column(f"'{ACCESS}'"))
    .limit(literal_column("1"))
)
"""Finds a row where rights have changed behind a place in the change feed."""
LAST_CHANGE: Final = select(func.max(t.change.c.seq))
FIRST_CHANGE: Final = select(func.min(t.change.c.seq))
OPTION: Final = select(t.option.c.value).where(t.option.c.name == param("name"))
OPTIONS: Final = select(t.option.c.name, t.option.c.value).order_by(t.option.c.name)

MUTABLE: Final = tuple(c.name for c in t.resource.c if c.name not in {"id", "href", "kind"})
"""Columns of a resource that a write may change; their parameters are called `new_...`."""


@cache
def update_resource(names: frozenset[str]) -> Update:
    """Write some columns of a resource: an index costs what is written, be it changed or not."""
    values = {name: param(f"new_{name}") for name in MUTABLE if name in names}
    return update(t.resource).where(_R.id == param("row_id")).values(values)


DELETE_RESOURCE: Final = delete(t.resource).where(_R.id == param("id"))
FORGET_CHANGES: Final = delete(t.change).where(t.change.c.seq <= param("seq"))


@cache
def move_tallies(dialect: str, number: int) -> ClauseElement:
    """Count items in so many lists and scopes, l0, s0 and on, by b0 and on; the amounts that come of it."""
    rows = [
        {"list_id": param(f"l{n}"), "scope": param(f"s{n}"), "amount": param(f"b{n}")} for n in range(number)
    ]
    if dialect == "sqlite":
        here = sqlite.insert(t.tally).values(rows)
        counted = here.on_conflict_do_update(
            index_elements=["list_id", "scope"], set_={"amount": t.tally.c.amount + here.excluded.amount}
        )
        return counted.returning(t.tally.c.list_id, t.tally.c.scope, t.tally.c.amount)
    there = postgresql.insert(t.tally).values(rows)
    added = there.on_conflict_do_update(
        index_elements=["list_id", "scope"], set_={"amount": t.tally.c.amount + there.excluded.amount}
    )
    return added.returning(t.tally.c.list_id, t.tally.c.scope, t.tally.c.amount)


DELETE_TALLIES: Final = delete(t.tally).where(t.tally.c.list_id == param("list_id"))
INSERT_MEMBER: Final = insert(t.member)
MOVE_MEMBER: Final = (
    update(t.member).where(t.member.c.resource_id == param("of_resource")).values(sort_key=param("new_key"))
)
DELETE_MEMBERS: Final = delete(t.member).where(t.member.c.list_id == param("list_id"))
DELETE_MEMBER: Final = delete(t.member).where(
    t.member.c.list_id == param("list_id"), t.member.c.resource_id == param("resource_id")
)
NEXT_IDS: Final = (
    update(t.sequence)
    .where(t.sequence.c.name == literal_column("'resource'"))
    .values(value=t.sequence.c.value + param("by"))
    .returning(t.sequence.c.value)
)


@cache
def rows_at_and_ids(number: int) -> Select[Any]:
    """`NEXT_IDS` and `rows_at` in one (PostgreSQL): the value in front of each row, or of one of nulls."""
    given = NEXT_IDS.cte("given")
    found = given.outerjoin(t.resource, _R.href.in_([param(f"h{n}") for n in range(number)]))
    return select(given.c.value, *t.resource.c).select_from(found)


INSERT_CLIENT: Final = insert(t.client)
DELETE_CLIENT: Final = delete(t.client).where(_C.end_device_id == param("end_device_id"))
INSERT_GROUP: Final = insert(t.device_group)
DELETE_GROUP: Final = delete(t.device_group).where(t.device_group.c.id == param("id"))
INSERT_GROUP_LIST: Final = insert(t.group_list)
DELETE_GROUP_LIST: Final = delete(t.group_list).where(t.group_list.c.list_id == param("list_id"))
_VIEWER_GROUP = and_(
    t.viewer_group.c.viewer_id == param("of_viewer"), t.viewer_group.c.group_id == param("of_group")
)
MOVE_VIEWER: Final = (
    update(t.viewer_group).where(_VIEWER_GROUP).values(devices=t.viewer_group.c.devices + param("by"))
)
INSERT_VIEWER: Final = insert(t.viewer_group)
DELETE_VIEWER: Final = delete(t.viewer_group).where(
    _VIEWER_GROUP, t.viewer_group.c.devices <= literal_column("0")
)
INSERT_ASSIGNMENT: Final = insert(t.assignment)
DELETE_ASSIGNMENT: Final = delete(t.assignment).where(
    t.assignment.c.group_id == param("group_id"), t.assignment.c.end_device_id == param("end_device_id")
)
INSERT_READING: Final = insert(t.reading)
DELETE_READINGS: Final = delete(t.reading).where(_READING.reading_set_id == param("reading_set_id"))
DELETE_REPORTS: Final = delete(t.report).where(t.report.c.subject == param("subject"))
DELETE_REPORT: Final = delete(t.report).where(
    t.report.c.end_device_id == param("end_device_id"),
    t.report.c.subject == param("subject"),
    t.report.c.status == param("status"),
)
INSERT_OPTION: Final = insert(t.option)
DELETE_OPTION: Final = delete(t.option).where(t.option.c.name == param("name"))
INSERT_SEQUENCE: Final = insert(t.sequence)

LEASE: Final = select(t.lease).where(t.lease.c.name == param("name"))
DELETE_LEASE: Final = delete(t.lease).where(t.lease.c.name == param("name"))
INSERT_LEASE: Final = insert(t.lease)
CONSUMERS: Final = select(t.consumer.c.name, t.consumer.c.seq).order_by(t.consumer.c.name)
DELETE_CONSUMER: Final = delete(t.consumer).where(t.consumer.c.name == param("name"))
INSERT_CONSUMER: Final = insert(t.consumer)
