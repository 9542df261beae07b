"""Timelines of the event series and the Responses that they want. Values only.

SunSpec CSIP Conformance Test Procedures 1.3, BASIC-016 to 026 and AGG-002 to 012, errata 5, 6 and 26 applied.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

WHOLE: Final = (1, 2, 3)
NEVER_RUN: Final = (1, 7)
"""Superseded by an event of a better program before it began."""
ABORTED: Final = (1, 14)
"""The same, as an aggregator says it."""
BROKEN_OFF: Final = (1, 2, 7)
PF: Final = "opModFixedPFInjectW"
FIXED_W: Final = "opModFixedW"
ALL: Final = ("EDA1", "EDA2", "EDB1", "EDB2")
A_SIDE: Final = ("EDA1", "EDA2")
B_SIDE: Final = ("EDB1", "EDB2")

Codes = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One control: start after the beginning (or after it was created, if `is_late`: once c1 runs), s."""

    name: str
    program: str
    start_s: int
    duration_s: int
    mode: str = PF
    is_late: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One row: its controls, whether the programs have defaults, and the Responses by devices and control.

    A device of no group in `expected` says nothing. For a DER client there is one group, of all devices.
    """

    name: str
    title: str
    controls: tuple[Planned, ...] = ()
    has_defaults: bool = True
    expected: Mapping[tuple[str, ...], Mapping[str, Codes]]

    @property
    def lasts_s(self) -> float:
        """Length of the schedule, s."""
        return sum(one.start_s + one.duration_s for one in self.controls if one.is_late) + max(
            (one.start_s + one.duration_s for one in self.controls if not one.is_late), default=120
        )


def _c1(start_s: int, duration_s: int, program: str = "SY") -> Planned:
    return Planned(name="c1", program=program, start_s=start_s, duration_s=duration_s)


def _c2(program: str, start_s: int, duration_s: int, *, mode: str = PF, is_late: bool = False) -> Planned:
    return Planned(
        name="c2", program=program, start_s=start_s, duration_s=duration_s, mode=mode, is_late=is_late
    )


def _basic(
    number: int,
    title: str,
    controls: tuple[Planned, ...],
    codes: Mapping[str, Codes],
    *,
    defaults: bool = True,
) -> Scenario:
    return Scenario(
        name=f"BASIC-{number:03}", title=title, controls=controls, has_defaults=defaults, expected={(): codes}
    )


def _agg(
    number: int,
    title: str,
    controls: tuple[Planned, ...],
    a_side: Mapping[str, Codes],
    b_side: Mapping[str, Codes],
    *,
    defaults: bool = True,
) -> Scenario:
    return Scenario(
        name=f"AGG-{number:03}",
        title=title,
        controls=controls,
        has_defaults=defaults,
        expected={A_SIDE: a_side, B_SIDE: b_side},
    )


BOTH: Final[Mapping[str, Codes]] = {"c1": WHOLE, "c2": WHOLE}

BASIC: Final = (
    _basic(16, "Defaults only, two programs", (), {}),
    _basic(17, "System control, no defaults", (_c1(120, 60),), {"c1": WHOLE}, defaults=False),
    _basic(18, "System control with defaults", (_c1(120, 60),), {"c1": WHOLE}),
    _basic(19, "Two consecutive system controls", (_c1(120, 60), _c2("SY", 240, 60)), BOTH),
    _basic(20, "Consecutive system and service point controls", (_c1(120, 60), _c2("SP", 240, 60)), BOTH),
    _basic(
        21,
        "Overlap, system starts first, both known",
        (_c1(120, 120), _c2("SP", 180, 60)),
        {"c1": NEVER_RUN, "c2": WHOLE},
    ),
    _basic(
        22,
        "Overlap, service point starts first, both known",
        (_c1(180, 120), _c2("SP", 120, 120)),
        {"c1": NEVER_RUN, "c2": WHOLE},
    ),
    _basic(
        23,
        "Overlap, service point created while system active",
        (_c1(60, 240), _c2("SP", 120, 120, is_late=True)),
        {"c1": BROKEN_OFF, "c2": WHOLE},
    ),
    _basic(
        24,
        "Independent modes, system starts first",
        (_c1(120, 120), _c2("SP", 180, 60, mode=FIXED_W)),
        BOTH,
    ),
    _basic(
        25,
        "Independent modes, service point starts first",
        (_c1(180, 120), _c2("SP", 120, 120, mode=FIXED_W)),
        BOTH,
    ),
    _basic(
        26,
        "Independent modes, service point created while system active",
        (_c1(60, 240), _c2("SP", 120, 120, mode=FIXED_W, is_late=True)),
        BOTH,
    ),
)
"""The series of a DER client, with programs SY (worse) and SP (better)."""

ONE: Final[Mapping[str, Codes]] = {"c1": WHOLE}

AGGREGATED: Final = (
    _agg(2, "Defaults only", (), {}, {}),
    _agg(3, "Transformer control, no defaults", (_c1(120, 60, "TFA"),), ONE, {}, defaults=False),
    _agg(4, "Transformer control with defaults", (_c1(120, 60, "TFA"),), ONE, {}),
    _agg(5, "Two consecutive transformer controls", (_c1(120, 60, "TFA"), _c2("TFA", 240, 60)), BOTH, {}),
    _agg(6, "Consecutive transformer and system controls", (_c1(240, 60), _c2("TFA", 120, 60)), BOTH, ONE),
    _agg(
        7,
        "Overlap, system starts first",
        (_c1(120, 120), _c2("TFA", 180, 60)),
        {"c1": ABORTED, "c2": WHOLE},
        ONE,
    ),
    _agg(
        8,
        "Overlap, transformer starts first",
        (_c1(180, 120), _c2("TFA", 120, 120)),
        {"c1": ABORTED, "c2": WHOLE},
        ONE,
    ),
    _agg(
        9,
        "Overlap, transformer created while system active",
        (_c1(60, 240), _c2("TFA", 120, 120, is_late=True)),
        {"c1": BROKEN_OFF, "c2": WHOLE},
        ONE,
    ),
    _agg(
        10,
        "Independent modes, system first",
        (_c1(120, 120), _c2("TFA", 180, 60, mode=FIXED_W)),
        BOTH,
        ONE,
    ),
    _agg(
        11,
        "Independent modes, transformer first",
        (_c1(180, 120), _c2("TFA", 120, 120, mode=FIXED_W)),
        BOTH,
        ONE,
    ),
    _agg(
        12,
        "Independent modes, transformer created while system active",
        (_c1(60, 240), _c2("TFA", 120, 120, mode=FIXED_W, is_late=True)),
        BOTH,
        ONE,
    ),
)
"""The series of an aggregator, with programs SY (worse) and TFA (better)."""
