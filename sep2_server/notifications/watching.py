"""What a subscription waits for: the rows of the change feed that touch what its client sees."""

import hashlib

from function_sets import Route
from schemas import Reading
from sep2_server.access import Viewer, assigned_to
from sep2_server.combined_tariffs import interval_lists
from sep2_server.environment import Environment
from sep2_server.errors import NotFound
from sep2_server.extra_routes import (
    COMBINED_INTERVALS,
    DEVICE_PROGRAMS,
    GROUP_LIST,
    LATEST_READING,
    MEMBER_LISTS,
    group_list_of,
)
from sep2_server.location import READING_SET, Target
from sep2_server.notifications.entries import RESOURCE, RIGHTS, Watch
from sep2_server.notifications.rules import sight
from sep2_server.reader import Reader
from sep2_server.rows import EVERYBODY, Row
from sep2_server.shown_to import BILLING_SETS, group_list_beside, shows_own, shows_programs
from sep2_server.transaction import Transaction


def watches_of(
    tx: Transaction,
    environment: Environment,
    viewer: Viewer,
    target: Target,
    subscription_id: int,
    since: int | None = None,
) -> list[Watch]:
    """What a subscription of a client to a resource or list waits for.

    From the change behind `since` on; None: from the next one.
    """
    place = tx.last_change() if since is None else since
    return [
        Watch(subject_id, scope, subscription_id, owner_id, place)
        for subject_id, scope, owner_id in _waited_for(tx, environment, viewer, target)
    ]


_Wait = tuple[int, int, int | None]
"""A subject, the scope that is meant, and through whom alone its items are reached."""


def _waited_for(tx: Transaction, environment: Environment, viewer: Viewer, target: Target) -> list[_Wait]:
    route = target.route
    if not route.is_list or route.id == "ReadingList":
        row = target.row or target.above
        listed = row.list_id if row is not None and row.kind == READING_SET else None
        subjects = {row.id if row else None, listed} - {None}
        return [(subject, RESOURCE, None) for subject in subjects if subject is not None]
    source = _source(tx, environment, target)
    if hangs_on_programs(route):
        return _programs(tx, route, source, viewer)
    itself: _Wait = (source.id, RESOURCE, None)
    if route.id == BILLING_SETS:
        accounts = sorted(assigned_to(tx, viewer, group_list_of("CustomerAccount")))
        return [itself, *((source.id, account, None) for account in accounts), *_rights(viewer.scope)]
    if route.id == COMBINED_INTERVALS:
        lists = [source, *interval_lists(tx, environment.uris, source)]
        return [(listed.id, scope, None) for listed in lists for scope in (RESOURCE, EVERYBODY)]
    return [itself, _items(route, source, viewer)]


def _programs(tx: Transaction, route: Route, source: Row, viewer: Viewer) -> list[_Wait]:
    """What lists of programs hang on: those that are shown, and the rights to more.

    An aggregator has as many as it has devices: it waits for any in the list, and is told if it sees that.
    """
    if viewer.is_aggregator and route.id != DEVICE_PROGRAMS:
        return [(source.id, RESOURCE, None), (source.id, EVERYBODY, None), *_rights(viewer.scope)]
    programs: list[_Wait] = [(program, RESOURCE, None) for program, _ in _assigned(tx, source, viewer.scope)]
    if route.id == DEVICE_PROGRAMS:
        programs.append((source.id, RESOURCE, None))
    return [*programs, *_rights(_assigned_to(source, viewer))]


def _rights(end_device_id: int) -> list[_Wait]:
    return [(one, RIGHTS, None) for one in {end_device_id, EVERYBODY}]


def _items(route: Route, source: Row, viewer: Viewer) -> _Wait:
    if source.kind in MEMBER_LISTS or not shows_own(route):
        return source.id, EVERYBODY, None
    if viewer.aggregator_id is not None:
        return source.id, viewer.aggregator_id, viewer.scope
    return source.id, viewer.scope, None


def hangs_on_programs(route: Route) -> bool:
    """Whether what a list shows is the programs that a client is assigned."""
    return shows_programs(route) and route.id != BILLING_SETS


def watches_others(route: Route) -> bool:
    """Whether what is watched of a list hangs on what it shows: accounts of a client, rates of a tariff."""
    return route.id in {BILLING_SETS, COMBINED_INTERVALS}


def programs_seen(reader: Reader, source: Row, end_device_id: int) -> str:
    """What tells one state of a list of assigned programs from another."""
    programs = _assigned(reader, source, end_device_id)
    return hashlib.sha256(repr(programs).encode()).hexdigest()


def value_at(reader: Reader, environment: Environment, target: Target) -> int | None:
    """The value that a Condition is held against: of a Reading, or of the latest one of a ReadingList."""
    if target.route.id == LATEST_READING and target.row is not None:
        reading: Reading = environment.codec.decode_fragment(target.row.body, Reading)
        return reading.value
    if target.above is None:
        return None
    return reader.latest_value(target.above.id)


def first_sight(
    reader: Reader, environment: Environment, viewer: Viewer, target: Target, window: tuple[int, int] | None
) -> str | None:
    """What decides whether the first change matters; None where every change does."""
    if window is not None:
        value = value_at(reader, environment, target)
        return None if value is None else sight(value, *window)
    if hangs_on_programs(target.route) and target.row is not None:
        return programs_seen(reader, target.row, viewer.scope)
    return None


def _assigned_to(source: Row, viewer: Viewer) -> int:
    """Whose assignments decide over a list: those of the client, or of the device that a DER belongs to."""
    return (source.owner_id or EVERYBODY) if source.kind == DEVICE_PROGRAMS else viewer.scope


def _assigned(reader: Reader, source: Row, end_device_id: int) -> list[tuple[int, int]]:
    """Row ids and versions of the items of a list.

    Of one at the root those of a client, of one of a DER those of its device.
    """
    if source.kind == DEVICE_PROGRAMS:
        shown = reader.programs_shown(source.owner_id or EVERYBODY, GROUP_LIST)
        return [(row.id, row.version) for row in shown]
    return reader.program_versions(end_device_id, group_list_beside(source.kind))


def _source(tx: Transaction, environment: Environment, target: Target) -> Row:
    """The stored list that a list is or is a view of, made where nothing was put into it yet."""
    view_of = target.route.view_of
    if view_of is None and target.row is not None:
        return target.row
    kind = view_of or target.route.id
    href = environment.uris.beside(target.place, kind)
    found = tx.by_href(href)
    if found is not None:
        return found
    if not target.exists:
        raise NotFound(target.href)
    return tx.insert(Row(tx.next_id(), href, kind, owner_id=target.owner_id))
