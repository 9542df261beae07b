"""The cases as a list for people, and as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from conformance_tests.reports.plain import one_line
from conformance_tests.reports.record import case_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from conformance_tests.case import AnyCase


def listed(cases: Sequence[AnyCase], width: int) -> Iterator[str]:
    """A line for each case, cut to the terminal, and their number."""
    widest = max((len(case.id) for case in cases), default=0)
    for case in cases:
        rest = one_line(f"{case.level.value}, {case.clause}: {case.title}", max(20, width - widest - 2))
        yield f"{case.id:<{widest}}  {rest}"
    yield f"{len(cases)} cases"


def listed_json(cases: Sequence[AnyCase]) -> Iterator[str]:
    """One JSON object per case and line."""
    for case in cases:
        yield json.dumps(case_json(case), ensure_ascii=False)
