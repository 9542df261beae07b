"""The acceptance cases as rows of docs/openadr.md, made of the reference data that `test_mapping` plays.

`python -m tests.unit.openadr_ven.acceptance MAPPING_CASES.json` prints them.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

HEAD = ("| case | asked | of | becomes |", "|---|---|---|---|")
RATINGS = ("setMax", "rtgMax")
PERCENT = ("opModFixedW", "opModMaxLimW")
"""What a device can do is said where these are made of it: hundredths of a percent."""


def rows_of(cases: Sequence[Mapping[str, Any]]) -> list[str]:
    """The table, a row for each case."""
    return [*HEAD, *(_row(one) for one in cases)]


def _row(case: Mapping[str, Any]) -> str:
    becomes = ", ".join(_said(case["expect"]))
    is_share = any(mode in becomes for mode in PERCENT)
    context = {
        key: value for key, value in case["context"].items() if is_share or not key.startswith(RATINGS)
    }
    kind = context.pop("class")
    for name in ("policy", "setMaxWh", "rtgMaxW"):
        context.pop(name, None)
    of = ", ".join([kind, *(f"{key} {value}" for key, value in context.items())])
    return f"| {case['id']} | {_asked(case['openadr'])} | {of} | {becomes} |"


def _asked(told: Mapping[str, Any]) -> str:
    """Profile, signal, value and unit: `2.0b LOAD_DISPATCH setpoint 3.0 kW`."""
    left = dict(told)
    words = [left.pop("profile"), left.pop("signalName", None) or left.pop("type")]
    words.append(left.pop("signalType", None))
    values = left.pop("values", None)
    words.append(" ".join(map(_value, values)) if values is not None else _value(left.pop("value")))
    scale, unit = left.pop("scale", "none"), left.pop("unit", None) or left.pop("units", None)
    item = left.pop("itemBase", None)
    if unit is not None:
        words.append(("" if scale == "none" else scale) + unit)
    if item == "currencyPerKWh":
        words.append("per kWh")
    words += [f"{key} {value}" for key, value in left.items()]
    return " ".join(str(one) for one in words if one is not None)


def _value(value: object) -> str:
    return f"({value['x']}, {value['y']})" if isinstance(value, Mapping) else str(value)


def _said(expect: Mapping[str, Any], before: str = "") -> Iterator[str]:
    """What is expected, one text for each value, its names before it."""
    for name, value in expect.items():
        words = f"{before} {name}".strip()
        if isinstance(value, Mapping) and set(value) == {"value", "multiplier"}:
            yield f"{words} {value['value'] * 10 ** value['multiplier']} W"
        elif isinstance(value, Mapping):
            yield from _said(value, words)
        elif value is True:
            yield words.replace("_", " ")
        else:
            yield f"{words} {json.dumps(value) if isinstance(value, list | bool) else value}"


if __name__ == "__main__":
    sys.stdout.write("\n".join(rows_of(json.loads(Path(sys.argv[1]).read_text())["cases"])) + "\n")
