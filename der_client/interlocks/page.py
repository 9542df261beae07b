"""The interlocks and their settings as tables for the documentation, out of the declarations. Pure."""

from collections.abc import Iterator
from typing import Final

from der_client.interlocks.bounds import settings_of
from der_client.interlocks.row import Direction, Gradual, Interlock
from der_client.interlocks.rules import SafetyRules
from der_client.interlocks.table import interlocks
from schemas import codes

TABLES: Final = ("interlocks", "gradual", "settings")
"""Names of the tables; in a page each stands between `<!-- NAME -->` and `<!-- /NAME -->`."""


TINY: Final = 1e-3
"""A level below this stands for anything above 0."""


def with_tables(page: str) -> str:
    """The page with its tables as the declarations have them now."""
    makers = {"interlocks": interlock_lines, "gradual": gradual_lines, "settings": setting_lines}
    for name in TABLES:
        head, _, rest = page.partition(f"<!-- {name} -->\n")
        _, _, tail = rest.partition(f"<!-- /{name} -->")
        lines = "\n".join(makers[name](SafetyRules()))
        page = f"{head}<!-- {name} -->\n{lines}\n<!-- /{name} -->{tail}"
    return page


def interlock_lines(rules: SafetyRules) -> Iterator[str]:
    """A line for each level of each interlock."""
    yield "| # | interlock | trips | after | clears | after | does | alarm bit |"
    yield "|---|---|---|---|---|---|---|---|"
    for row in interlocks(rules).by_name.values():
        cells = (
            str(row.number),
            row.name,
            _level(row, row.trip_at, is_trip=True),
            f"{row.trip_after_s:g} s",
            "operator" if row.is_latched else _level(row, row.clear_at, is_trip=False),
            "" if row.is_latched else f"{row.clear_after_s:g} s",
            _does(row),
            "" if row.alarm_bit is None else codes.AlarmStatus(row.alarm_bit).name.lower().replace("_", " "),
        )
        yield f"| {' | '.join(cells)} |"


def gradual_lines(rules: SafetyRules) -> Iterator[str]:
    """A line for each derating in a straight line."""
    yield "| # | derating | all power at | none at | direction |"
    yield "|---|---|---|---|---|"
    for group in interlocks(rules).groups:
        for row in group.graduals:
            cells = (str(row.number), row.name, _edge(row, row.start), _edge(row, row.end), row.direction)
            yield f"| {' | '.join(cells)} |"


def setting_lines(rules: SafetyRules) -> Iterator[str]:
    """A line for each setting with its default and its hard bounds."""
    yield "| setting | default | bounds | what it is |"
    yield "|---|---|---|---|"
    for name, value, within in settings_of(rules, "safety"):
        bounds = "" if within is None else f"{within.low:g} to {within.high:g} {within.unit}".rstrip()
        text = "registers are backed by flash" if within is None else within.text
        default = (
            "absent" if value is None else f"{value:g}" if isinstance(value, float) else str(value).lower()
        )
        yield f"| `{name}` | {default} | {bounds} | {text} |"


def _level(row: Interlock, at: float, *, is_trip: bool) -> str:
    words = {
        (True, False): "from",
        (True, True): "at or below",
        (False, False): "below",
        (False, True): "above",
    }
    if 0.0 < at < TINY:
        return f"{'above' if is_trip else 'at or below'} 0 {row.unit}".rstrip()
    return f"{words[is_trip, row.is_falling]} {at:.6g} {row.unit}".rstrip()


def _does(row: Interlock) -> str:
    letters = row.action.value + (" L" if row.is_latched else "")
    way = "" if row.direction is Direction.BOTH else f" {row.direction}"
    return f"{letters}{way}; {row.does}" if row.does else f"{letters}{way}"


def _edge(row: Gradual, at: float) -> str:
    return f"{at:g} {row.unit}"
