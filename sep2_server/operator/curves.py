"""Operations on DERCurves: add, list, remove; and how controls name them. IEEE 2030.5-2018, 10.10."""

from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Any, Final

from schemas import DERControlBase, DERCurve, Json, json_of, spec_of
from sep2_server.followers import MODAL
from sep2_server.operator.curve_points import curve_data, points_of
from sep2_server.operator.desk import Desk, is_called
from sep2_server.operator.errors import BadRequest, Conflict
from sep2_server.operator.model import resource_of
from sep2_server.operator.router import Answer, Call
from sep2_server.operator.rules import Curves, check_curve
from sep2_server.operator.tree import Plan, insert_item
from sep2_server.rows import Row

KIND: Final = "DERCurve"
LIST_KIND: Final = "DERCurveList"
MOST_CURVES: Final = 255
MADE_HERE: Final = frozenset({"mRID", "creationTime", "href", "version"})
"""Fields of a DERCurve that the server fills in."""
BATCH: Final = 100
"""Followers of a curve that are read at a time."""


def add(desk: Desk, call: Call) -> Answer:
    """Add a curve to a program: its points in natural units (`points`), or as CurveData with multipliers."""
    if not isinstance(call.body, dict):
        raise BadRequest("body: not a JSON object", "give curveType, yRefType, points, and description")
    given = dict(call.body)
    for name in MADE_HERE & given.keys():
        raise BadRequest(f"{name}: the server makes it", "leave it out")
    if "points" in given:
        given |= curve_data(given.pop("points"))
    program = desk.program(desk.group(call.names["group"]), call.query.get("program"))
    curve = resource_of(
        DERCurve, {**given, "mRID": desk.new_mrid(), "version": 0, "creationTime": desk.now}, "curve"
    )
    check_curve(curve)
    _require_free(desk, program, curve.description)
    insert_item(desk, desk.listed(program, LIST_KIND), Plan(value=curve))
    return told(curve)


def list_curves(desk: Desk, call: Call) -> Answer:
    """The curves of all programs of a group."""
    programs = desk.programs(desk.group(call.names["group"]))
    return {"curves": [told(curve) for program in programs for curve in curves_of(desk, program)]}


def remove(desk: Desk, call: Call) -> Answer:
    """Remove a curve; Conflict while a control or default of any program follows it."""
    row = desk.of_mrid(call.names["curve"], KIND, "lineside op curve list GROUP")
    require_unfollowed(desk, row)
    desk.transaction.delete(row)
    return {"mRID": desk.resource(row, DERCurve).mRID}


def require_unfollowed(desk: Desk, row: Row) -> None:
    """Raise Conflict while a control or a default of any program follows a curve."""
    _require_unfollowed(desk, [row.href])


def require_dispensable(desk: Desk, programs: Sequence[Row]) -> None:
    """Raise Conflict while another program follows a curve of these, which are going to be removed."""
    hrefs = [row.href for program in programs for row in desk.items(program, LIST_KIND)]
    if hrefs:
        _require_unfollowed(desk, hrefs, {program.id for program in programs})


def curves_of(desk: Desk, program: Row) -> list[DERCurve]:
    """The curves of a program, the newest first."""
    return [desk.resource(row, DERCurve) for row in desk.items(program, LIST_KIND, MOST_CURVES)]


def curve_finder(desk: Desk) -> Curves:
    """Function that gives the curve at an href."""

    def find(href: str) -> DERCurve | None:
        row = desk.reader.by_href(href)
        return desk.resource(row, DERCurve) if row is not None and row.kind == KIND else None

    return find


def with_hrefs(desk: Desk, program: Row, modes: Mapping[str, Any]) -> dict[str, Any]:
    """Modes whose curves are named by mRID or description, with the hrefs of those curves."""
    cls: type = desk.environment.codec.profile.resolve(DERControlBase)
    names = {f.name for f in spec_of(cls) if f.type_name == "DERCurveLink"}
    return {
        mode: _href_of(desk, program, value) if mode in names and isinstance(value, str) else value
        for mode, value in modes.items()
    }


def told(curve: DERCurve) -> dict[str, Json]:
    """A curve as the API tells it: its points in natural units, and its wire form."""
    return {
        "mRID": curve.mRID,
        "description": curve.description,
        "curveType": curve.curveType,
        "yRefType": curve.yRefType,
        "points": points_of(curve),
        "href": curve.href,
        "DERCurve": json_of(curve),
    }


def _href_of(desk: Desk, program: Row, name: str) -> str:
    if name.startswith("/"):
        return name
    found = next((curve for curve in curves_of(desk, program) if is_called(curve, name)), None)
    return name if found is None or found.href is None else found.href


def _require_free(desk: Desk, program: Row, description: str | None) -> None:
    held = [curve.description for curve in curves_of(desk, program)]
    if description is not None and description in held:
        raise Conflict(
            f"description: the program has a curve {description!r}", "choose another, or remove it"
        )


def _require_unfollowed(desk: Desk, hrefs: Sequence[str], but: Container[int | None] = ()) -> None:
    """Raise Conflict while a control or default of a program, `but` for some, follows a curve of these."""
    for row, href in _followers(desk, hrefs):
        if row.owner_id not in but:
            raise Conflict(f"{_user(desk, row)} follows the curve {href}", "cancel or change that first")


def _followers(desk: Desk, hrefs: Sequence[str]) -> Iterator[tuple[Row, str]]:
    """Scheduled and active controls and defaults that follow one of some curves, each with the curve.

    Those of every program: a control may link to a curve of another one.
    """
    for href in hrefs:
        after = 0
        while page := desk.reader.followers(href, after_id=after, limit=BATCH):
            yield from ((row, href) for row in page if row.kind in MODAL)
            after = page[-1].id


def _user(desk: Desk, row: Row) -> str:
    is_control = row.kind == "DERControl"
    return f"control {desk.control_of(row).mRID}" if is_control else f"the default at {row.href}"
