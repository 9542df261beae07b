"""Options for the modes of DERControlBase, shared by publish, change and default."""

import argparse
import json
import re
from typing import Final

from sep2_server.operator.commands import UsageError

OPTIONS: Final[tuple[tuple[str, str, str, str], ...]] = (
    ("--max-w", "opModMaxLimW", "PERCENT", "upper limit of generation, as in 50%%"),
    ("--target-w", "opModTargetW", "POWER", "set point, as in 5kW; negative takes power in"),
    ("--fixed-w", "opModFixedW", "PERCENT", "set point of the maximum, as in -20%%"),
    ("--target-var", "opModTargetVar", "POWER", "set point, as in -2kvar"),
    ("--fixed-var", "opModFixedVar", "PERCENT", "as in '30%% setMaxVar'"),
    ("--pf", "opModFixedPFInjectW", "PF", "power factor while injecting, as in '0.95 under-excited'"),
    ("--pf-absorb", "opModFixedPFAbsorbW", "PF", "power factor while absorbing"),
    ("--volt-var", "opModVoltVar", "CURVE", "description, mRID or href of a curve"),
    ("--volt-watt", "opModVoltWatt", "CURVE", "curve"),
    ("--freq-watt", "opModFreqWatt", "CURVE", "curve"),
    ("--watt-pf", "opModWattPF", "CURVE", "curve"),
    ("--watt-var", "opModWattVar", "CURVE", "curve"),
    ("--exp-lim-w", "opModExpLimW", "POWER", "CSIP-AUS: most export at the connection point, as in 5kW"),
    ("--imp-lim-w", "opModImpLimW", "POWER", "CSIP-AUS: most import at the connection point"),
    ("--gen-lim-w", "opModGenLimW", "POWER", "CSIP-AUS: most generation of the device"),
    ("--load-lim-w", "opModLoadLimW", "POWER", "CSIP-AUS: most load of the device"),
    ("--storage-w", "opModStorageTargetW", "POWER", "CSIP-AUS v1.3: signed target of the storage"),
    ("--ramp", "rampTms", "TIME", "ramp to the new setting, as in '5 s'"),
)
SWITCHES: Final[tuple[tuple[str, str, str], ...]] = (
    ("--energize", "opModEnergize", "no: cease to energize"),
    ("--connect", "opModConnect", "no: disconnect"),
)
MODES: Final = {field: option for option, field, *_ in (*OPTIONS, *SWITCHES)} | {"mode": "--mode"}
"""The options of modes, by the names of their arguments."""
_YES: Final = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}
_WHOLE: Final = re.compile(r"-?[0-9]{1,20}")


def add_modes(parser: argparse.ArgumentParser) -> None:
    """Add one option per mode, and `--mode` for all others."""
    modes = parser.add_argument_group("modes of DERControlBase; a number without unit is in wire form")
    for option, field, shape, says in OPTIONS:
        modes.add_argument(option, dest=field, metavar=shape, help=f"{field}: {says}")
    for option, field, says in SWITCHES:
        modes.add_argument(option, dest=field, type=_switch, metavar="yes|no", help=f"{field}: {says}")
    modes.add_argument(
        "--mode",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="any field of DERControlBase, its value a text with unit or JSON; repeatable",
    )


def modes_of(args: argparse.Namespace) -> dict[str, object]:
    """The DERControlBase that the options describe."""
    given = {name: getattr(args, name) for name in MODES if name != "mode"}
    modes = {name: _number_or_text(value) for name, value in given.items() if value is not None}
    return modes | settings_of(args.mode, "--mode")


def settings_of(given: list[str], option: str) -> dict[str, object]:
    """The values of a repeated NAME=VALUE option."""
    return dict(_setting(text, option) for text in given)


def _setting(text: str, option: str) -> tuple[str, object]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise UsageError(f"{option} {text}: there is no '='", f"write {option} NAME=VALUE")
    try:
        return name, json.loads(value)
    except (ValueError, RecursionError):
        return name, value


def _number_or_text(value: object) -> object:
    text = str(value)
    return int(text) if _WHOLE.fullmatch(text) else value


def _switch(text: str) -> bool:
    if text not in _YES:
        raise argparse.ArgumentTypeError(f"{text!r} is not yes or no")
    return _YES[text]
