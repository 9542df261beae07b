"""`lineside op drlc`: load controls for the devices of a group. IEEE 2030.5-2018, 10.3."""

import argparse
from typing import Final

from sep2_server.operator.client import OperatorClient
from sep2_server.operator.commands import Row, Shown, UsageError, command, given, number_or_text, rows_of
from sep2_server.operator.commands_events import (
    add_actions,
    add_list,
    add_program,
    add_times,
    published,
    table_of,
    times_of,
)

ASKED: Final = ("DutyCycle", "Offset", "SetPoint", "TargetReduction", "ApplianceLoadReduction")
UNITS: Final = {
    "kWh": "KWH",
    "kW": "KW",
    "W": "WATTS",
    "m3": "CUBIC_METERS",
    "ft3": "CUBIC_FEET",
    "L": "LITERS",
}
"""Units of --target by their names in TargetReduction.type."""
APPLIANCE: Final = {"delay": 0, "reduce": 1}
_DEGREES: Final = (
    ("--cooling", "SetPoint", "coolingSetpoint", "set point of cooling, as in 26.5"),
    ("--heating", "SetPoint", "heatingSetpoint", "set point of heating, as in 18"),
    ("--cooling-offset", "Offset", "coolingOffset", "cool so much less, as in 1.5"),
    ("--heating-offset", "Offset", "heatingOffset", "heat so much less, as in 2"),
)


def add_parsers(below: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands."""
    actions = below.add_parser(
        "drlc", help="load control: EndDeviceControls of a group, their Responses"
    ).add_subparsers(metavar="ACTION", required=True)
    example = "drlc publish feeder-7 --category water-heater --duty 50% --in 5m --for 1h"
    parser = command(actions, "publish", publish, example=example)
    parser.add_argument("group", help="name of the group")
    parser.add_argument(
        "--category", required=True, metavar="LIST", help="deviceCategory: names, or hex; pool-pump,sauna"
    )
    parser.add_argument("--duty", metavar="PERCENT", help="DutyCycle: share of time that a load may run")
    for option, field, name, says in _DEGREES:
        parser.add_argument(option, metavar="DEGC", dest=name, help=f"{field}: {says} (degrees Celsius)")
    parser.add_argument("--load-offset", metavar="PERCENT", help="Offset: so much less load, as in 20%%")
    parser.add_argument("--target", metavar="AMOUNT", help=f"TargetReduction in {', '.join(UNITS)}: '3 kW'")
    parser.add_argument("--appliance", choices=tuple(APPLIANCE), help="ApplianceLoadReduction")
    parser.add_argument("--override", metavar="TIME", help="how long a user may override, as in 10m")
    parser.add_argument("--mandatory", action="store_true", help="a user may not opt out")
    parser.add_argument("--shift-forward", action="store_true", help="load may be taken in advance")
    add_program(parser)
    add_times(parser, is_random=True)
    add_list(command(actions, "list", list_controls, example="drlc list feeder-7 --state active"))
    add_actions(actions, "drlc", "EndDeviceControl")


def publish(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Publish a load control to a group."""
    asked = _asked(args)
    if not asked:
        raise UsageError("what is asked for?", "give --duty, --cooling, --target or another of drlc --help")
    body = {
        **times_of(args),
        **asked,
        **given(overrideDuration=args.override, primacy=args.primacy),
        "deviceCategory": args.category,
        "drProgramMandatory": args.mandatory,
        "loadShiftForward": args.shift_forward,
    }
    return published(api, args, "loadcontrols", body)


def list_controls(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """List the load controls of a group with their status now."""
    answer = api.get("groups", args.group, "loadcontrols", state=args.state)
    fields = ("deviceCategory", *ASKED)
    shown = [one for one in fields if one == "deviceCategory" or _is_asked(answer, one)]
    return Shown(data=answer, text=table_of(answer, tuple(shown), empty="the group has no load control"))


def _asked(args: argparse.Namespace) -> dict[str, object]:
    """The structures of an EndDeviceControl that the options describe, units in the texts."""
    found: dict[str, dict[str, object]] = {}
    if args.duty is not None:
        found["DutyCycle"] = {"normalValue": number_or_text(args.duty)}
    for _, field, name, _ in _DEGREES:
        value = getattr(args, name)
        if value is not None:
            found.setdefault(field, {})[name] = f"{value} degC"
    if args.load_offset is not None:
        found.setdefault("Offset", {})["loadAdjustmentPercentageOffset"] = args.load_offset
    if args.target is not None:
        found["TargetReduction"] = _target(args.target)
    if args.appliance is not None:
        found["ApplianceLoadReduction"] = {"type": APPLIANCE[args.appliance]}
    return {**found}


def _target(text: str) -> dict[str, object]:
    number, _, unit = text.strip().partition(" ")
    value = number_or_text(number)
    if not isinstance(value, int) or unit.strip() not in UNITS:
        raise UsageError(
            f"--target {text}: it cannot be read", f"a whole number and one of {', '.join(UNITS)}"
        )
    return {"type": UNITS[unit.strip()], "value": value}


def _is_asked(answer: Row, field: str) -> bool:
    held = [one.get("resource") for one in rows_of(answer, "events")]
    return any(isinstance(one, dict) and field in one for one in held)
