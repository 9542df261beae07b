"""What a resource must be before it is published, by function set. IEEE 2030.5-2018, 10.3 to 10.10."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from schemas import (
    AccountBalance,
    AccountingUnit,
    ConsumptionTariffInterval,
    DateTimeInterval,
    DefaultDERControl,
    DERControl,
    DERCurve,
    EndDeviceControl,
    Event,
    FlowReservationRequest,
    FlowReservationResponse,
    Offset,
    PrepayOperationStatus,
    ReadingType,
    Resource,
    SetPoint,
    TextMessage,
    TimeTariffInterval,
    spec_of,
    wire_name,
)
from sep2_server.flow_reservations import REQUESTED
from sep2_server.operator.curves import curve_finder
from sep2_server.operator.desk import Desk, is_mrid
from sep2_server.operator.errors import BadRequest, Conflict
from sep2_server.operator.rules import check_curve, check_event, check_modes
from sep2_server.operator.tree import Plan
from sep2_server.rows import LATEST

NO_CURRENCY: Final = 999
"""ISO 4217 for no currency at all."""
LOAD_CONTROLS: Final = (
    "ApplianceLoadReduction_",
    "DutyCycle_",
    "Offset_",
    "SetPoint_",
    "TargetReduction_",
)
MOST_PERCENT: Final = 100
HIGHEST_PRIORITY: Final = 3
REQUEST: Final = "FlowReservationRequest"
Plans = Mapping[str, Sequence[Plan]]


def check(desk: Desk, value: Resource, plans: Plans) -> None:
    """Raise BadRequest or Conflict where the standard is against a resource as an operator gives it."""
    _check_mrid(value)
    if isinstance(value, Event):
        check_event(value, desk.now)
    else:
        _check_ends(value)
    rule = RULES.get(wire_name(type(value)))
    if rule is not None:
        rule(desk, value, plans)


def require_free(desk: Desk, plan: Plan) -> None:
    """Raise Conflict for an mRID that another resource has. IEEE 2030.5-2018, 10.2.2."""
    mrid = getattr(plan.value, "mRID", None)
    known = [] if mrid is None else desk.all_by_mrid(mrid)
    if known:
        raise Conflict(f"mRID: {mrid} is that of {known[0].href}", "leave it out: the server makes one")
    for plans in plan.below.values():
        for one in plans:
            require_free(desk, one)


def default_below(kind: str, given: Mapping[str, Any]) -> Resource:
    """What must be there below a resource where nobody says it."""
    if kind == "AccountBalance":
        levels = [given.get(name) for name in ("creditExpiryLevel", "lowCreditWarningLevel")]
        units = [level.get("monetaryUnit") for level in levels if isinstance(level, dict)]
        unit = next((unit for unit in units if isinstance(unit, int)), NO_CURRENCY)
        return AccountBalance(availableCredit=AccountingUnit(monetaryUnit=unit, multiplier=0, value=0))
    if kind == "PrepayOperationStatus":
        return PrepayOperationStatus(serviceStatus=0)
    if kind == "RateComponentReadingType":
        return ReadingType(commodity=1, flowDirection=1, kind=12, powerOfTenMultiplier=3, uom=72)
    raise BadRequest(f"{kind}: missing", "give it with the resource that needs it")


def _check_mrid(value: Resource) -> None:
    mrid = getattr(value, "mRID", None)
    if mrid is not None and not is_mrid(mrid):
        raise BadRequest(f"mRID: {mrid!r:.60} is none", "give 1 to 32 hex digits, or leave it out")


def _check_ends(value: Resource) -> None:
    for f in spec_of(type(value)):
        held = getattr(value, f.attr)
        if isinstance(held, DateTimeInterval) and held.start + held.duration > LATEST:
            raise BadRequest(f"{f.name}: the end is beyond 64 bits", "give an earlier start")


def _control(desk: Desk, value: DERControl, _: Plans) -> None:
    check_modes(value.DERControlBase_, curve_finder(desk), at_least_one=True)


def _default(desk: Desk, value: DefaultDERControl, _: Plans) -> None:
    check_modes(value.DERControlBase_, curve_finder(desk), at_least_one=False)


def _curve(_: Desk, value: DERCurve, __: Plans) -> None:
    check_curve(value)


def _load_control(_: Desk, value: EndDeviceControl, __: Plans) -> None:
    if not any(_asks(getattr(value, name)) for name in LOAD_CONTROLS):
        names = ", ".join(name.rstrip("_") for name in LOAD_CONTROLS)
        raise BadRequest("EndDeviceControl: nothing is asked for", f"give at least one of {names}")
    if value.DutyCycle_ is not None and value.DutyCycle_.normalValue > MOST_PERCENT:
        raise BadRequest(f"DutyCycle.normalValue: {value.DutyCycle_.normalValue}", "allowed: 0 to 100 %")


def _asks(control: object | None) -> bool:
    """Whether a control of loads is given and says anything: what an Offset or SetPoint has is optional."""
    if isinstance(control, Offset | SetPoint):
        return any(getattr(control, f.attr) is not None for f in spec_of(type(control)))
    return control is not None


def _text(_: Desk, value: TextMessage, __: Plans) -> None:
    if value.priority > HIGHEST_PRIORITY:
        raise BadRequest(f"priority: {value.priority}", "allowed: 0 low, 1 normal, 2 high, 3 critical")
    if not value.textMessage.strip():
        raise BadRequest("textMessage: empty", "give the text to show")


def _price_interval(_: Desk, __: TimeTariffInterval, plans: Plans) -> None:
    blocks = [one.value for one in plans.get("ConsumptionTariffIntervalList", ())]
    starts = [block.startValue for block in blocks if isinstance(block, ConsumptionTariffInterval)]
    check_blocks(starts)


def check_blocks(starts: Sequence[int]) -> None:
    """Raise BadRequest for blocks of consumption that do not begin with 0, or begin at the same value."""
    if starts and min(starts) != 0:
        raise BadRequest(f"startValue: the first block begins at {min(starts)}", "the first begins at 0")
    if len(set(starts)) != len(starts):
        raise BadRequest("startValue: two blocks begin at the same value", "give each its own")


def require_subject(desk: Desk, value: Resource, owner_id: int | None) -> None:
    """Raise BadRequest for a grant of a request that its device has not made, Conflict for a cancelled one.

    Several devices may use one mRID for their requests. IEEE 2030.5-2018, 10.9.
    """
    if not isinstance(value, FlowReservationResponse):
        return
    subject = value.subject
    rows = desk.all_by_mrid(subject) if is_mrid(subject) else []
    row = next((one for one in rows if one.kind == REQUEST and one.owner_id == owner_id), None)
    if row is None:
        raise BadRequest(
            f"subject: {subject[:40]!r} is no request of the device", "give the mRID of one of its requests"
        )
    request = desk.resource(row, FlowReservationRequest)
    if request.RequestStatus_.requestStatus != REQUESTED:
        raise Conflict(f"{request.mRID}: the device has taken it back", "list them: lineside op flow list")


RULES: Final[Mapping[str, Callable[[Desk, Any, Plans], None]]] = {
    "DERControl": _control,
    "DefaultDERControl": _default,
    "DERCurve": _curve,
    "EndDeviceControl": _load_control,
    "TextMessage": _text,
    "TimeTariffInterval": _price_interval,
}
"""By the name of a class."""
