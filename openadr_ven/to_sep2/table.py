"""The table of the translation: one row for each signal and type, with what it becomes. Data.

There is no published mapping: the rows are a design of this project.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from openadr_ven.events import Signal
from openadr_ven.events.signals import ALERTS
from openadr_ven.to_sep2 import charging, curves, levels, limits, loads, messages, power, prices
from openadr_ven.to_sep2.wishes import Ask, Reply

NOTHING = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One signal: what it is for DERs and for loads, prices or people, and the function that says so.

    Without a rule the signal is not supported, for the `reason`; `is_ignored` then takes the event and does
    nothing for that signal, else it is refused with 460.
    """

    signal: str
    type_: str = ""
    der: str = NOTHING
    load: str = NOTHING
    rule: Callable[[Ask], Reply] | None = None
    reason: str = ""
    is_ignored: bool = False


def _off(signal: str, type_: str, reason: str, *, is_ignored: bool = False) -> Row:
    return Row(signal=signal, type_=type_, reason=reason, is_ignored=is_ignored)


_TARGET = "opModTargetW, or opModFixedW where the programme says so"
_TARIFF = "TariffProfile, RateComponent, TimeTariffInterval, ConsumptionTariffInterval"
_NO_BID = "bids go the other way: there is no market behind this VEN"
_PHASE_2 = "rights and fees of capacity: nothing of IEEE 2030.5 says them"
_CAPACITIES = ("RESERVATION", "RESERVATION_FEE", "AVAILABLE", "AVAILABLE_PRICE")
_CTA = "commands to a CTA-2045 module: none of IEEE 2030.5 means them"

_SIMPLE = "opModTargetW 0 for storage that charges; CSIP-AUS: opModImpLimW; generation: nothing"


def _price_rows(signal: str) -> tuple[Row, ...]:
    return (
        Row(signal=signal, type_="price", load=_TARIFF, rule=prices.price),
        Row(signal=signal, type_="priceRelative", load=f"{_TARIFF}, absolute", rule=prices.relative),
        Row(signal=signal, type_="priceMultiplier", load=f"{_TARIFF}, absolute", rule=prices.multiplier),
    )


ROWS_20B: Final = (
    Row(signal="SIMPLE", type_="level", der=_SIMPLE, load="DutyCycle 75, 50, 0 %", rule=levels.simple),
    Row(
        signal="LOAD_DISPATCH",
        type_="setpoint",
        der=_TARGET,
        load="TargetReduction from the baseline",
        rule=power.setpoint,
    ),
    Row(
        signal="LOAD_DISPATCH",
        type_="delta",
        der=f"{_TARGET}, beside the baseline",
        load="TargetReduction; loadShiftForward for more load",
        rule=power.delta,
    ),
    Row(
        signal="LOAD_DISPATCH",
        type_="multiplier",
        der=f"{_TARGET}, times the baseline",
        load="Offset.loadAdjustmentPercentageOffset",
        rule=power.multiplier,
    ),
    Row(
        signal="LOAD_DISPATCH",
        type_="level",
        der="by the programme's table",
        load="by the programme's table",
        rule=power.level,
    ),
    Row(
        signal="LOAD_CONTROL",
        type_="x-loadControlCapacity",
        der="storage: opModFixedW while it charges; CSIP-AUS: opModImpLimW; generation: 460",
        load="DutyCycle",
        rule=loads.capacity,
    ),
    Row(
        signal="LOAD_CONTROL",
        type_="x-loadControlLevelOffset",
        load="Offset.coolingOffset, heatingOffset; others by the programme's table",
        rule=loads.level_offset,
    ),
    Row(
        signal="LOAD_CONTROL",
        type_="x-loadControlPercentOffset",
        load="Offset.loadAdjustmentPercentageOffset",
        rule=loads.percent_offset,
    ),
    Row(
        signal="LOAD_CONTROL",
        type_="x-loadControlSetpoint",
        load="SetPoint.coolingSetpoint, heatingSetpoint",
        rule=loads.thermal_setpoint,
    ),
    *(
        Row(
            signal="CHARGE_STATE",
            type_=type_,
            der="opModTargetW that leads there",
            load="vehicles: their FlowReservationRequest is answered",
            rule=rule,
        )
        for type_, rule in (
            ("setpoint", charging.setpoint),
            ("delta", charging.delta),
            ("multiplier", charging.multiplier),
        )
    ),
    *_price_rows("ELECTRICITY_PRICE"),
    *_price_rows("ENERGY_PRICE"),
    Row(signal="DEMAND_CHARGE", type_="price", load="RateComponent per kW", rule=prices.demand_charge),
    Row(
        signal="DEMAND_CHARGE",
        type_="priceRelative",
        load="RateComponent per kW, absolute",
        rule=prices.relative_demand_charge,
    ),
    Row(
        signal="DEMAND_CHARGE",
        type_="priceMultiplier",
        load="RateComponent per kW, absolute",
        rule=prices.demand_multiplier,
    ),
    _off("BID_PRICE", "price", _NO_BID),
    _off("BID_LOAD", "setpoint", _NO_BID),
    _off("BID_ENERGY", "setpoint", _NO_BID),
)
ROWS_3: Final = (
    Row(signal="SIMPLE", der=_SIMPLE, load="DutyCycle 75, 50, 0 %", rule=levels.simple),
    Row(signal="PRICE", load=_TARIFF, rule=prices.price),
    _off("PRICE_ALTERNATE", "", "a second price of the same energy: no tariff has one", is_ignored=True),
    Row(
        signal="EXPORT_PRICE",
        load="a second RateComponent, flowDirection 19",
        rule=prices.export_price,
    ),
    _off("GHG", "", "not in IEEE 2030.5", is_ignored=True),
    Row(
        signal="CHARGE_STATE_SETPOINT",
        der="opModTargetW that leads there",
        load="vehicles: their FlowReservationRequest is answered",
        rule=charging.setpoint,
    ),
    Row(
        signal="DISPATCH_SETPOINT",
        der=_TARGET,
        load="TargetReduction from the baseline",
        rule=power.setpoint,
    ),
    Row(
        signal="DISPATCH_SETPOINT_RELATIVE",
        der=f"{_TARGET}, beside the baseline",
        load="TargetReduction; loadShiftForward for more load",
        rule=power.delta,
    ),
    *(
        Row(
            signal=signal,
            der="by the programme's table, else left out",
            load="by the programme's table, else left out",
            rule=power.by_table_or_left_out,
        )
        for signal in ("DISPATCH_INSTRUCTION", "CONTROL_SETPOINT")
    ),
    Row(
        signal="CONTROL_LEVEL_OFFSET",
        load="Offset.coolingOffset, heatingOffset; others by the programme's table",
        rule=loads.level_offset,
    ),
    Row(
        signal="CONTROL_LEVEL_OFFSET_PERCENT",
        load="Offset.loadAdjustmentPercentageOffset",
        rule=loads.percent_offset,
    ),
    Row(
        signal="CURVE",
        der="DERCurve and its mode, of the kind that the programme says",
        rule=curves.curve,
    ),
    Row(
        signal="OLS",
        der=f"{_TARGET}, times the baseline",
        load="Offset.loadAdjustmentPercentageOffset",
        rule=power.multiplier,
    ),
    Row(
        signal="EXPORT_CAPACITY_LIMIT",
        der="CSIP-AUS: opModExpLimW; else opModMaxLimW, rounded down",
        rule=limits.export_limit,
    ),
    Row(
        signal="IMPORT_CAPACITY_LIMIT",
        der="CSIP-AUS: opModImpLimW; else opModFixedW of storage that charges",
        load="DutyCycle of vehicles",
        rule=limits.import_limit,
    ),
    Row(
        signal="EXPORT_CAPACITY_SUBSCRIPTION",
        der="DefaultDERControl: opModExpLimW; else opModMaxLimW",
        rule=limits.export_subscription,
    ),
    Row(
        signal="IMPORT_CAPACITY_SUBSCRIPTION",
        der="DefaultDERControl: opModImpLimW with CSIP-AUS only",
        rule=limits.import_subscription,
    ),
    *(
        _off(f"{way}_CAPACITY_{what}", "", _PHASE_2, is_ignored=True)
        for way in ("IMPORT", "EXPORT")
        for what in _CAPACITIES
    ),
    *(
        Row(
            signal=f"ALERT_{what}",
            der="a level of SIMPLE where the programme says so",
            load="TextMessage",
            rule=messages.alert,
        )
        for what in ALERTS
    ),
    _off("CTA2045_REBOOT", "", _CTA, is_ignored=True),
    _off("CTA2045_SET_OVERRIDE_STATUS", "", _CTA, is_ignored=True),
)
_BY_KEY: Final = {(row.signal, row.type_): row for row in (*ROWS_20B, *ROWS_3)}


def row_of(signal: Signal) -> Row | None:
    """The row of a signal; None for one that nobody knows."""
    name = "SIMPLE" if signal.signalName == "simple" else signal.signalName
    return _BY_KEY.get((name, signal.signalType))
