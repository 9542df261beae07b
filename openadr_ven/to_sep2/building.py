"""Resources of IEEE 2030.5 from what was resolved: values in wire form, without mRIDs and hrefs."""

from collections.abc import Callable
from typing import Any, Final

from openadr_ven.to_sep2.amounts import FULL, active_power, share_of
from openadr_ven.to_sep2.curves import MULTIPLIER, PF_MULTIPLIER
from openadr_ven.to_sep2.fleet import Device, Envelope
from openadr_ven.to_sep2.prices import POWER_OF_TEN
from openadr_ven.to_sep2.programme import TargetMode
from openadr_ven.to_sep2.publication import Home, HomeKind
from openadr_ven.to_sep2.wishes import (
    Action,
    Duty,
    Flow,
    Follow,
    Limit,
    LimitKind,
    Message,
    Price,
    Reduction,
    Shift,
    Target,
    Thermostat,
)
from schemas import (
    ConsumptionTariffInterval,
    CurveData,
    DateTimeInterval,
    DemandResponseProgram,
    DERControl,
    DERControlBase,
    DERCurve,
    DERProgram,
    DutyCycle,
    EndDeviceControl,
    EndDeviceControlListLink,
    EventStatus,
    MessagingProgram,
    Offset,
    RateComponent,
    ReadingType,
    ReadingTypeLink,
    Resource,
    SetPoint,
    TargetReduction,
    TariffProfile,
    TextMessage,
    TimeTariffInterval,
    TimeTariffIntervalListLink,
    UnitValueType,
    csip_aus,
)
from schemas.codes import EventState
from schemas.codes_metering import (
    CommodityType,
    ConsumptionBlockType,
    FlowDirectionType,
    KindType,
    ServiceKind,
    TOUType,
    UnitType,
    UomType,
)

RAMP_UNIT: Final = 100
"""rampTms counts hundredths of a second."""
MOST_RAMP: Final = 65_535
UINT16: Final = 65_535
DESCRIPTION: Final = 32
ORIGINATOR: Final = 20
KILO: Final = 3
NO_HREF: Final = "/"
"""In the place of links that the server makes."""


def base_of(device: Device) -> DERControlBase:
    """The DERControlBase that a device understands, without any mode."""
    return csip_aus.DERControlBaseV12() if device.envelope is Envelope.CSIP_AUS else DERControlBase()


def put_mode(base: DERControlBase, device: Device, action: Action, mode: TargetMode) -> None:
    """Put the mode that carries a set point or a limit."""
    match action:
        case Target(output_w=output) if mode is TargetMode.FIXED_W:
            base.opModFixedW = fixed_w(device, output)
        case Target(output_w=output):
            base.opModTargetW = active_power(output)
        case Limit(kind=LimitKind.OUTPUT, most=most):
            base.opModMaxLimW = most
        case Limit(kind=LimitKind.CHARGE, most=most):
            put_mode(base, device, Target(output_w=-most), mode)
        case Limit(kind=kind, most=most):
            setattr(base, kind.value, active_power(most))
        case _:
            raise TypeError(f"{type(action).__name__} has no mode of a DERControl")


def fixed_w(device: Device, output_w: int) -> int:
    """A set point as hundredths of a percent of what it refers to, cut towards zero."""
    rating = device.most_out_w if output_w > 0 else device.most_in_w
    if not output_w:
        return 0
    if not rating:
        raise ValueError(f"device {device.name}: no rating for {output_w} W")
    return max(-FULL, min(FULL, share_of(output_w, rating)))


def event_fields(
    *, start: int, end: int, now: int, description: str, responseRequired: str = "00"
) -> dict[str, Any]:
    """What every event has; its mRID is put in when it is published."""
    return {
        "mRID": "",
        "description": description[:DESCRIPTION],
        "creationTime": now,
        "EventStatus_": EventStatus(
            currentStatus=int(EventState.SCHEDULED), dateTime=now, potentiallySuperseded=False
        ),
        "interval": DateTimeInterval(duration=end - start, start=start),
        "responseRequired": responseRequired,
    }


def load_control(action: Action, category: int, given: dict[str, Any]) -> EndDeviceControl:
    """The EndDeviceControl of an action of loads."""
    value = EndDeviceControl(
        **given,
        deviceCategory=f"{category:08X}",
        drProgramMandatory=False,
        loadShiftForward=isinstance(action, Shift | Reduction) and action.is_forward,
    )
    match action:
        case Duty(normalValue=most):
            value.DutyCycle_ = DutyCycle(normalValue=most)
        case Shift(cooling=cooling, heating=heating, load=load):
            value.Offset_ = Offset(
                coolingOffset=cooling, heatingOffset=heating, loadAdjustmentPercentageOffset=load
            )
        case Thermostat(cooling=cooling, heating=heating):
            value.SetPoint_ = SetPoint(coolingSetpoint=cooling, heatingSetpoint=heating)
        case Reduction(power_w=power_w):
            value.TargetReduction_ = target_reduction(power_w)
        case _:
            raise TypeError(f"{type(action).__name__} is nothing for loads")
    return value


def target_reduction(power_w: int) -> TargetReduction:
    """A reduction in W, in kW where 16 bits do not hold it; never more than is asked."""
    if power_w <= UINT16:
        return TargetReduction(type=int(UnitType.WATTS), value=power_w)
    return TargetReduction(type=int(UnitType.KW), value=min(power_w // 1000, UINT16))


def der_control(base: DERControlBase, category: int, given: dict[str, Any]) -> DERControl:
    """The DERControl of a base; without a category for all devices of its program."""
    return DERControl(**given, DERControlBase_=base, deviceCategory=f"{category:08X}" if category else None)


def text_message(action: Message, originator: str, given: dict[str, Any]) -> TextMessage:
    """The TextMessage of an alert."""
    return TextMessage(
        **given, originator=originator[:ORIGINATOR], priority=action.priority, textMessage=action.text
    )


def tariff_interval(given: dict[str, Any]) -> TimeTariffInterval:
    """The interval in which a price holds."""
    return TimeTariffInterval(**given, touTier=int(TOUType.NOT_APPLICABLE))


def consumption(action: Price) -> ConsumptionTariffInterval:
    """The price of all consumption in an interval."""
    return ConsumptionTariffInterval(
        consumptionBlock=int(ConsumptionBlockType.NOT_APPLICABLE), price=action.price, startValue=0
    )


def der_curve(action: Follow, description: str, now: int) -> DERCurve:
    """The DERCurve of points in hundredths of a percent; of a power factor y is itself, in thousandths."""
    is_factor = action.excitation is not None
    return DERCurve(
        mRID="",
        description=description[:DESCRIPTION],
        creationTime=now,
        CurveData_=[CurveData(excitation=action.excitation, xvalue=x, yvalue=y) for x, y in action.points],
        curveType=int(action.curveType),
        xMultiplier=MULTIPLIER,
        yMultiplier=PF_MULTIPLIER if is_factor else MULTIPLIER,
        yRefType=action.yRefType,
    )


def reading_type(flow: Flow) -> ReadingType:
    """What a price is per: kWh forward or reverse, or kW."""
    is_demand = flow is Flow.DEMAND
    return ReadingType(
        commodity=int(CommodityType.ELECTRICITY_SECONDARY_METERED),
        flowDirection=int(FlowDirectionType.REVERSE if flow is Flow.EXPORT else FlowDirectionType.FORWARD),
        kind=int(KindType.DEMAND if is_demand else KindType.ENERGY),
        powerOfTenMultiplier=KILO,
        uom=int(UomType.W if is_demand else UomType.WH),
    )


def program_of(home: Home) -> Resource:
    """The program itself; a rate component goes with `reading_type`."""
    return _PROGRAMS[home.kind](home, {"mRID": home.mRID, "description": home.programme[:DESCRIPTION]})


def _component(home: Home, given: dict[str, Any]) -> Resource:
    flow = home.flow or Flow.CONSUMPTION
    limit = UnitValueType(multiplier=KILO, unit=int(UomType.W), value=0) if flow is Flow.DEMAND else None
    return RateComponent(
        mRID=home.mRID,
        description=f"{flow.value} {given['description']}"[:DESCRIPTION],
        flowRateStartLimit=limit,
        ReadingTypeLink_=ReadingTypeLink(href=NO_HREF),
        roleFlags="0000",
        TimeTariffIntervalListLink_=TimeTariffIntervalListLink(href=NO_HREF),
    )


def _tariff(home: Home, given: dict[str, Any]) -> Resource:
    return TariffProfile(
        **given,
        currency=home.currency,
        pricePowerOfTenMultiplier=POWER_OF_TEN,
        primacy=home.primacy,
        serviceCategoryKind=int(ServiceKind.ELECTRICITY),
    )


_PROGRAMS: Final[dict[HomeKind, Callable[[Home, dict[str, Any]], Resource]]] = {
    HomeKind.DER: lambda home, given: DERProgram(**given, primacy=home.primacy),
    HomeKind.DRLC: lambda home, given: DemandResponseProgram(
        **given, primacy=home.primacy, EndDeviceControlListLink_=EndDeviceControlListLink(href=NO_HREF)
    ),
    HomeKind.TARIFF: _tariff,
    HomeKind.COMPONENT: _component,
    HomeKind.MESSAGING: lambda home, given: MessagingProgram(
        **given, locale=home.locale, primacy=home.primacy
    ),
}
