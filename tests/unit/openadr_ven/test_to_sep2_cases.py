"""The acceptance cases of the mapping, from the reference data: a payload in, a 2030.5 resource out."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from openadr_ven.events import (
    Event,
    Interval,
    OptType,
    Point,
    Profile,
    Signal,
    Value,
    descriptor_unit,
    item_unit,
)
from openadr_ven.iso8601 import duration_s
from openadr_ven.to_sep2 import Device, Envelope, Kind, Motion, Programme, Publications, TargetMode, Thermal
from openadr_ven.to_sep2.building import program_of
from schemas import (
    ActivePower,
    ConsumptionTariffInterval,
    DERControlBase,
    DERCurve,
    EndDeviceControl,
    TariffProfile,
    TextMessage,
    spec_of,
)
from schemas.codes import DERCurveType
from tests.unit.openadr_ven.house import (
    CONTEXT,
    HOUR,
    PROGRAMME,
    T0,
    House,
    bases,
    load_controls,
    ordered,
    signal,
    texts,
)

CASES = (
    "ld-setpoint-charge",
    "ld-setpoint-discharge",
    "ld-setpoint-percent",
    "ld-setpoint-percent-discharge",
    "ld-setpoint-over-rating",
    "ld-setpoint-no-unit",
    "ld-delta-reduce",
    "simple-1-pv",
    "simple-2-evse",
    "simple-3-evse",
    "simple-2-battery",
    "simple-0",
    "lc-capacity-evse",
    "lc-level-offset-thermostat",
    "lc-percent-offset",
    "lc-setpoint-thermostat",
    "cs-multiplier",
    "price-usd",
    "price-eur-negative",
    "v3-dispatch",
    "v3-export-limit-csipaus",
    "v3-export-limit-csip",
    "v3-export-limit-above-rating",
    "v3-import-limit-csipaus",
    "v3-curve-voltvar",
    "v3-simple-3",
    "v3-alert",
    "v3-multi-value",
    "v3-p9999y",
    "simple-2-battery-discharging",
)
KINDS = {
    "storage": Kind.STORAGE,
    "generation": Kind.GENERATION,
    "evse": Kind.EVSE,
    "thermostat": Kind.THERMOSTAT,
    "load": Kind.LOAD,
    "site": Kind.SITE,
    "any": Kind.SITE,
}
Json = Mapping[str, Any]


def test_each_case_of_the_data_is_played(vectors: Path) -> None:
    data = json.loads((vectors / "openadr" / "mapping_cases.json").read_text())
    assert tuple(case["id"] for case in data["cases"]) == CASES


@pytest.mark.parametrize("name", CASES)
def test_mapping(vectors: Path, name: str) -> None:
    data = json.loads((vectors / "openadr" / "mapping_cases.json").read_text())
    case = next(one for one in data["cases"] if one["id"] == name)
    house = House(devices=(device_of(case["context"]),), programme=programme_of(case["context"]))
    answers = house.hears(event_of(case["openadr"]))
    found = house.translated()
    expected = dict(case["expect"])
    if "responseCode" in expected:
        assert [(one.code, one.optType) for one in answers] == [(expected["responseCode"], OptType.OUT)]
        assert expected["opt"] == "optOut"
        assert found.items == {}
        return
    assert told(found, expected) == expected


def device_of(context: Json) -> Device:
    """The device of a case; what the case needs and does not say is the charge that a goal starts from."""
    numbers = {key: value for key, value in context.items() if key.startswith("setMax")}
    return Device(
        resource="r",
        name="d",
        group="g",
        lFDI="AA",
        kind=KINDS[context["class"]],
        envelope=Envelope.CSIP_AUS if context.get("profile") == "csip-aus" else Envelope.CSIP,
        motion=Motion(context.get("state", "unknown")),
        soc=Decimal("0.5") if "setMaxWh" in context else None,
        power_w=None,
        **numbers,
    )


def programme_of(context: Json) -> Programme:
    mode = TargetMode.FIXED_W if context.get("target_mode") == "fixedW" else TargetMode.TARGET_W
    return replace(
        PROGRAMME,
        target_mode=mode,
        tenths_per_level=int(context.get("degC_per_level", 1) * 10),
        thermal=Thermal(context.get("setpoint_kind", "both")),
        curve_type=DERCurveType.opModVoltVar if context.get("curve_kind") == "volt-var" else None,
    )


def event_of(given: Json) -> Event:
    return event_20b(given) if given["profile"] == "2.0b" else event_31(given)


def event_20b(given: Json) -> Event:
    scaled = None
    if "itemBase" in given:
        scaled = item_unit(given["itemBase"], given["unit"], given.get("scale", "none"))
    value = Decimal(str(given["value"]))
    one = signal(given["signalName"], given["signalType"], value if scaled is None else scaled.plain(value))
    currency = given["unit"] if given.get("itemBase", "").startswith("currency") else None
    held = replace(one, unit=None if scaled is None else scaled.unit, currency=currency)
    return made(Profile.V20B, held, T0, HOUR)


def event_31(given: Json) -> Event:
    scaled = descriptor_unit(given.get("units"), given.get("currency"))
    length = duration_s(given.get("duration", "PT1H"))
    values = tuple(
        value_of(one, scaled.plain if scaled is not None else lambda v: v) for one in given["values"]
    )
    one = Signal(
        signalID=given["type"],
        signalName=given["type"],
        signalType="",
        unit=None if scaled is None else scaled.unit,
        currency=given.get("currency"),
        intervals=(Interval(uid=0, duration_s=length, values=values),),
    )
    return made(Profile.V310, one, None if "start" in given else T0, length)


def value_of(given: object, plain: Callable[[Decimal], Decimal]) -> Value:
    if isinstance(given, dict):
        return Point(x=Decimal(str(given["x"])), y=Decimal(str(given["y"])))
    return given if isinstance(given, str) else plain(Decimal(str(given)))


def made(profile: Profile, one: Signal, start: int | None, length: int | None) -> Event:
    return Event(
        profile=profile,
        eventID="e1",
        modification=0,
        start=start,
        duration_s=length,
        signals=(one,),
        marketContext=CONTEXT,
        is_response_required=True,
        notification_s=0,
    )


def told(found: Publications, expected: Json) -> dict[str, Any]:
    """What was made, in the words of the case."""
    return {key: TOLD[key](found, expected[key]) for key in expected}


def of_base(base: DERControlBase) -> dict[str, Any]:
    held = {f.name: getattr(base, f.attr) for f in spec_of(type(base))}
    return {
        (f"csipaus:{name}" if name in {"opModExpLimW", "opModImpLimW"} else name): number_of(value)
        for name, value in held.items()
        if value is not None
    }


def number_of(value: object) -> object:
    return {"value": value.value, "multiplier": value.multiplier} if isinstance(value, ActivePower) else value


def of_control(found: Publications, expected: Json) -> object:
    (base,) = bases(found)
    return of_base(base)


def of_load(found: Publications, expected: Json) -> object:
    (value,) = load_controls(found)
    return {name: fields_of(value, name) for name in expected}


def fields_of(value: EndDeviceControl, name: str) -> object:
    if name == "loadShiftForward":
        return value.loadShiftForward
    part = getattr(value, f"{name}_")
    held = {f.name: getattr(part, f.attr) for f in spec_of(type(part))}
    return {key: one for key, one in held.items() if one is not None}


def of_default(found: Publications, _: Json) -> object:
    assert found.items == {}
    (default,) = found.defaults.values()
    return of_base(default.base)


def of_curve(found: Publications, expected: Json) -> object:
    curves = [one.value for one in ordered(found) if isinstance(one.value, DERCurve)]
    (curve,) = curves
    (control,) = [one for one in ordered(found) if one.curves]
    assert [mode for mode, _ in control.curves] == ["opModVoltVar"]
    points = [[point.xvalue, point.yvalue] for point in curve.CurveData_]
    return {name: points if name == "CurveData" else getattr(curve, name) for name in expected}


def tariff_of(found: Publications) -> TariffProfile:
    (home,) = {one.home.parent for one in ordered(found)}
    assert home is not None
    value = program_of(home)
    assert isinstance(value, TariffProfile)
    return value


def prices_of(found: Publications) -> list[int | None]:
    below = [one.below[0] for one in ordered(found)]
    return [one.price for one in below if isinstance(one, ConsumptionTariffInterval)]


def of_intervals(found: Publications, _: Json) -> object:
    return [
        {"offset_s": one.start - T0, "duration_s": (one.end or 0) - one.start, "price": price}
        for one, price in zip(ordered(found), prices_of(found), strict=True)
    ]


def of_message(found: Publications, expected: Json) -> object:
    (one,) = ordered(found)
    assert isinstance(one.value, TextMessage)
    return {name: getattr(one.value, name) for name in expected}


def of_goal(found: Publications, _: Json) -> object:
    (goal,) = found.goals
    return {"soc_at_end": float(goal.soc_at_end)}


TOLD: Mapping[str, Callable[[Publications, Any], object]] = {
    "DERControl": of_control,
    "EndDeviceControl": of_load,
    "DefaultDERControl": of_default,
    "DERCurve": of_curve,
    "TariffProfile": lambda found, want: {name: getattr(tariff_of(found), name) for name in want},
    "ConsumptionTariffInterval": lambda found, _: {"price": prices_of(found)[0]},
    "TimeTariffIntervals": of_intervals,
    "pricePowerOfTenMultiplier": lambda found, _: tariff_of(found).pricePowerOfTenMultiplier,
    "TextMessage": of_message,
    "scheduler_goal": of_goal,
    "no_control": lambda found, _: found.items == {} and found.defaults == {},
    "clamped": lambda found, _: "clamped" in texts(found),
}
