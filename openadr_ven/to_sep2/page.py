"""The reference page of the translation, from the table itself."""

from collections.abc import Iterable, Iterator

from openadr_ven.to_sep2.programme import SIMPLE_LEVELS
from openadr_ven.to_sep2.table import ROWS_3, ROWS_20B, Row

HEAD = """# From OpenADR to IEEE 2030.5

Written by `openadr_ven.to_sep2.page` from the table of the translation itself; do not edit it.

No mapping was ever published that goes field by field: every row is a design of this project. A power that
OpenADR counts load positive has the other sign in IEEE 2030.5; it flips in one function, `output_w`. Limits
are rounded down, set points towards zero, and what is clamped is a note for the log. A level sheds load and
never generation. Where one device is asked by several events, the tightest limit and the best set point
hold. An unsupported signal of 2.0b is refused with 460 before the VEN opts in; one of 3.x is left out with
a note.
"""
RULES = """
## Rules

| what | how |
|---|---|
| set point for several DERs | split by `share`, else by rating; what one cannot do goes to the others |
| limit for several sites | split by rating, rounded down; the DERs of one `site` have its limit together |
| several events | at any second the tightest limit, and the set point of the best rank |
| limit and set point | set points keep limits of output and charge; CSIP-AUS limits are the device's |
| SIMPLE beside another signal of its event | not heeded |
| random start, one device or more than an hour | the gateway draws; randomizeStart is absent |
| random start, several devices | randomizeStart; a window of 3.x begins before the start, and so do they |
| CHARGE_STATE of a vehicle | its FlowReservationRequests of that time are granted so much, and no more |
| x-eiRecovery | nothing is published: devices go back to their default at their own rate |
| x-eiRampUp | rampTms, from before the start or with a minus from the start; beyond 655 s in steps |
| no end | pieces of a horizon (a day), the next when half of the last is left |
| subscription of capacity | DefaultDERControl while it holds, else the programme's own fallback |
| test event | nothing |
| state of charge, measured mean | what the device told within 15 min, else the signal is refused: 460, 469 |
| when they count | as the event is taken, and again 5 min before its start; from then on they stay |
| a battery that begins to charge while a level runs | is held to it from then on |
| CHARGE_STATE of several intervals | each starts from where those before it lead, by the device's rates |
| CHARGE_STATE without an end | the full rate for as long as that takes, then a set point of 0 |

## What becomes of a publication

An mRID follows from VTN, event, signal, interval, group and what is said; its last 32 bits are the PEN. So a
repetition makes the same one, and an interval that a modification leaves alone keeps it. What was cancelled
comes back with another.

| event | on the server |
|---|---|
| new | program, curves and controls are made; one program for each group, with the primacy |
| the same again | nothing |
| modified | new controls first, then those that are not wanted any more are cancelled |
| modified while it runs | the new control begins now, and ends at random where it was to begin so |
| one that beat it ends | what runs stays as it is, up to its end |
| received late | begins now, with what is left of its random window |
| cancelled, deleted, missing from a full list | cancelled; with randomization where devices draw |
| server out of reach | the same again later: what is still in time is published, what is over is not |
| begun, not published | the VTN is told: optOut (outageRunStatus) or OPERATING_STATE, and when it is |

`openadr_ven.publishing` does this through a `function_sets.Publisher`; `openadr_ven.operator_api` is one for
the operator API of `lineside server`: many programs, controls or cancellations with one call. The groups have
to be there. At its start `lineside ven run` makes the DERPrograms and DemandResponsePrograms of its devices:
they know them before an event comes.
"""
TITLES = ("signal", "type", "for DERs", "for loads, prices and people")


def translation_page() -> str:
    """The page as text in Markdown."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield HEAD
    yield "## Signals of 2.0b\n"
    yield from _table(ROWS_20B)
    yield "\n## Payload types of 3.0.1 and 3.1\n"
    yield from _table(ROWS_3)
    yield "\n## Levels of SIMPLE\n"
    yield "A programme may set others: for all devices, for a kind of them, or for a resource.\n"
    yield "| level | loads: DutyCycle, % | storage: most of its charge rate, % |"
    yield "|---|---|---|"
    for number, action in SIMPLE_LEVELS.items():
        yield f"| {number} | {action.duty_pct} | {int((action.charge_share or 0) * 100)} |"
    yield RULES
    yield "## Not supported\n"
    yield "| signal | type | what happens | why |"
    yield "|---|---|---|---|"
    for row in (*ROWS_20B, *ROWS_3):
        if row.rule is None:
            yield f"| {row.signal} | {row.type_} | {'left out' if row.is_ignored else '460'} | {row.reason} |"
    yield ""


def _table(rows: Iterable[Row]) -> Iterator[str]:
    yield f"| {' | '.join(TITLES)} |"
    yield "|---" * len(TITLES) + "|"
    for row in rows:
        if row.rule is not None:
            yield f"| {row.signal} | {row.type_} | {row.der} | {row.load} |"
