"""Operations on the DefaultDERControl of a program. IEEE 2030.5-2018, 10.10; CSIP G5 to G7."""

from collections.abc import Mapping
from typing import Any, Final

from schemas import DefaultDERControl, DERControlBase, DERProgram, json_of
from sep2_server.operator.curves import curve_finder, with_hrefs
from sep2_server.operator.desk import Desk
from sep2_server.operator.errors import BadRequest
from sep2_server.operator.model import natural_of, resource_of
from sep2_server.operator.router import Answer, Call
from sep2_server.operator.rules import check_modes
from sep2_server.operator.tree import Plan, parts_of, put_item, put_single
from sep2_server.rows import Row
from sep2_server.versions import next_version

KIND: Final = "DefaultDERControl"
MODES: Final = "DERControlBase"
MADE_HERE: Final = frozenset({"mRID", "href", "version", "subscribable"})
"""Fields of a DefaultDERControl that the server fills in."""


def show(desk: Desk, call: Call) -> Answer:
    """The default of a program; `natural` is empty where none is set."""
    program = desk.program(desk.group(call.names["group"]), call.query.get("program"))
    row = desk.beside(program, KIND)
    return _told(None if row is None else desk.resource(row, DefaultDERControl))


def change(desk: Desk, call: Call) -> Answer:
    """Set the fields and modes that are given; null takes one away, what is absent stays."""
    _check(call.body)
    program = desk.program(desk.group(call.names["group"]), call.query.get("program"))
    return _told(put(desk, program, call.body))


def clear(desk: Desk, call: Call) -> Answer:
    """Take the default of a program away; a repetition changes nothing."""
    take_away(desk, desk.program(desk.group(call.names["group"]), call.query.get("program")))
    return _told(None)


def put(desk: Desk, program: Row, given: object) -> DefaultDERControl:
    """Set what is given of the default of a program; null takes a field or mode away."""
    body = _check(given)
    row = desk.beside(program, KIND)
    held = None if row is None else desk.resource(row, DefaultDERControl)
    default = _merged(desk, program, held, body)
    check_modes(default.DERControlBase_, curve_finder(desk), at_least_one=False)
    if row is None:
        put_single(desk, KIND, parts_of(desk, program), program.id, Plan(value=default))
    else:
        put_item(desk, row, default)
    return default


def take_away(desk: Desk, program: Row) -> None:
    """Let a program have no default any more."""
    row = desk.beside(program, KIND)
    if row is not None:
        desk.transaction.delete(row)
        value = desk.resource(program, DERProgram)
        value.DefaultDERControlLink_ = None
        value.version = next_version(value.version)
        replaced = program._replace(body=desk.environment.codec.fragment(value))
        desk.transaction.replace(program, replaced)


def _check(given: object) -> Mapping[str, Any]:
    if not isinstance(given, dict) or not given:
        raise BadRequest("body: nothing to set", "give DERControlBase, setGradW or another setting")
    for name in MADE_HERE & given.keys():
        raise BadRequest(f"{name}: the server makes it", "leave it out")
    return given


def _merged(
    desk: Desk, program: Row, held: DefaultDERControl | None, given: Mapping[str, Any]
) -> DefaultDERControl:
    """What was held with what is given put over it, the version one higher."""
    wire: dict[str, Any] = {"mRID": desk.new_mrid()} if held is None else json_of(held)
    modes = given.get(MODES, {})
    if not isinstance(modes, dict):
        raise BadRequest(f"{MODES}: {modes!r:.60} is not an object", "give an object of modes")
    version = {"version": 0 if held is None else next_version(held.version)}
    base = {**wire.get(MODES, {}), **with_hrefs(desk, program, modes)}
    grad_w = desk.environment.rules.default_set_grad_w
    usual = {"setGradW": grad_w} if held is None and grad_w >= 0 else {}
    merged = {**usual, **wire, **given, **version, MODES: _without_none(base)}
    value = resource_of(DefaultDERControl, _without_none(merged | {MODES: {}}), KIND)
    cls = desk.environment.codec.profile.resolve(DERControlBase)
    value.DERControlBase_ = resource_of(cls, merged[MODES], MODES)
    return value


def _without_none(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not None}


def _told(default: DefaultDERControl | None) -> Answer:
    if default is None:
        return {"mRID": None, "natural": {}, KIND: None}
    settings = natural_of(default)
    modes = settings.pop(MODES, {})
    for name in MADE_HERE & settings.keys():
        settings.pop(name)
    return {
        "mRID": default.mRID,
        "natural": {**settings, **(modes if isinstance(modes, dict) else {})},
        KIND: json_of(default),
    }
