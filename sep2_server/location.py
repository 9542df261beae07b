"""From a URI to what is there: the declaration, the stored resource and through whom it is reached."""

from dataclasses import dataclass

from function_sets import Route
from sep2_server.reader import Reader
from sep2_server.rows import Row
from sep2_server.uris import Place, Uris, route_named

READING_SET = "ReadingSet"
READING_KINDS = frozenset({"ReadingList", "Reading"})
"""Resources that stand in the table of readings and have no row of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a request is about.

    `row` is None where nothing is stored yet: an empty list, a status that the device has not put.
    `above` is the stored resource that it belongs to, `owner_id` as in `Row`.
    """

    href: str
    place: Place
    row: Row | None
    above: Row | None
    owner_id: int | None
    route: Route
    """The declaration; several kinds of Response share a path, the stored one counts."""

    @property
    def exists(self) -> bool:
        """Whether there is something to ask: a stored resource, or what may stand below one."""
        return self.row is not None or self.above is not None

    @property
    def is_stored(self) -> bool:
        """Whether a GET of it may show something: a stored resource, or a list, which may be empty."""
        return self.row is not None or (self.route.is_list and self.exists)


def locate(reader: Reader, uris: Uris, href: str) -> Target | None:
    """What is at a URI, None where it fits no route."""
    place = uris.find(href)
    if place is None:
        return None
    row = reader.by_href(href)
    if row is not None and _is_left(reader, uris, place, row):
        row = None
    if row is not None:
        return Target(
            href=href, place=place, row=row, above=None, owner_id=row.owner_id, route=route_named(row.kind)
        )
    above = _above(reader, uris, place)
    return Target(
        href=href,
        place=place,
        row=None,
        above=above,
        owner_id=None if above is None else above.owner_id,
        route=place.route,
    )


def _above(reader: Reader, uris: Uris, place: Place) -> Row | None:
    """The stored resource that one without a row hangs on; an item of a list without a row is not there."""
    if place.route.id in READING_KINDS:
        row = _row_at(reader, uris.beside(place, READING_SET))
        return None if row is None or _is_left(reader, uris, place, row) else row
    if place.route.path.endswith("}"):
        return None
    return _row_at(reader, uris.parent(place))


def _is_left(reader: Reader, uris: Uris, place: Place, row: Row) -> bool:
    """Whether a ReadingSet is one that has yet to be removed: its list is gone."""
    return row.kind == READING_SET and reader.by_href(uris.beside(place, "ReadingSetList")) is None


def _row_at(reader: Reader, href: str | None) -> Row | None:
    return None if href is None else reader.by_href(href)
