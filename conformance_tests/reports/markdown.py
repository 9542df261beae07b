"""Runs beside each other as a page in Markdown: a row for each procedure, a column for each run.

Families of more than MOST_ROWS rows, which follow from declarations, are told by their counts. Whatever did
not pass is told with its reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from conformance_tests.case import Outcome
from conformance_tests.reports.plain import one_line
from conformance_tests.reports.summary import OUTCOMES, counts_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from conformance_tests.reports.record import Json, Kept
    from conformance_tests.trial import Verdict

MOST_ROWS: Final = 160
LONGEST: Final = 400
"""Most characters of a reason."""
NOT_PLAYED: Final = "not played"
WORDS: Final[Mapping[Outcome, str]] = {
    Outcome.PASSED: "pass",
    Outcome.FAILED: "**fail**",
    Outcome.WARNED: "warn",
    Outcome.SKIPPED: "skipped",
    Outcome.INCONCLUSIVE: "**unsure**",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One run and its name on the page."""

    name: str
    kept: Kept

    def cases_of(self, family: str) -> Mapping[str, Json]:
        """Its cases of a family by the name of their row."""
        found = {name: one for name, one in self.kept.cases.items() if name.split("/")[0] == family}
        return {row_of(name): one for name, one in found.items()}


def row_of(case_id: str) -> str:
    """The name of a row: what the cases of all roles that play one procedure have in common."""
    return case_id.split("/")[1]


def markdown_of(title: str, columns: Sequence[Column], *, intro: str = "", is_dated: bool = True) -> str:
    """The page. `intro` stands below the title; without `is_dated` two runs alike have the same page."""
    families = list(dict.fromkeys(name.split("/")[0] for one in columns for name in one.kept.cases))
    families.sort(key=lambda family: _is_summed(family, columns))
    lines = [f"# {title}", "", *([intro, ""] if intro else []), *_runs(columns, is_dated=is_dated)]
    for family in families:
        lines += ["", f"## {family}", "", *family_of(family, columns)]
    return "\n".join(lines) + "\n"


def _runs(columns: Sequence[Column], *, is_dated: bool) -> Iterator[str]:
    heads = [
        "run",
        "under test",
        "profile",
        *(["begun"] if is_dated else []),
        *map(str, OUTCOMES),
        NOT_PLAYED,
    ]
    yield from _head(heads)
    for one in columns:
        kept = one.kept
        begun = datetime.fromtimestamp(kept.begun_s, UTC).strftime("%Y-%m-%d %H:%M UTC")
        words = [one.name, kept.role, kept.profile, *([begun] if is_dated else [])]
        yield _line([*words, *_numbers(kept.verdicts.values(), len(kept.cases))])
    for one in columns:
        if one.kept.facts:
            told = "; ".join(f"{name} {value}" for name, value in one.kept.facts.items() if value)
            yield f"\n{text_of(one.name)}: {text_of(told)}."


def _numbers(verdicts: Iterable[Verdict], cases: int) -> list[str]:
    counts = counts_of(verdicts)
    return [*(str(counts[one] or "") for one in OUTCOMES), str(cases - counts.total or "")]


def family_of(family: str, columns: Sequence[Column]) -> Iterator[str]:
    """The lines of a family: its sources, its table, and what did not pass."""
    held = [(one, cases) for one in columns if (cases := one.cases_of(family))]
    sources = dict.fromkeys(str(case["source"]) for _, cases in held for case in cases.values())
    yield f"{'; '.join(map(text_of, sources))}."
    yield ""
    names = dict.fromkeys(name for _, cases in held for name in cases)
    if _is_summed(family, columns):
        yield from _summed(held)
    else:
        yield from _head(["procedure", "what it is about", *(one.name for one, _ in held)])
        for name in names:
            title = next(str(cases[name]["title"]) for _, cases in held if name in cases)
            yield _line([name, title, *(_cell(one, cases.get(name)) for one, cases in held)])
    yield from _reasons(held)


def _is_summed(family: str, columns: Sequence[Column]) -> bool:
    return len({name for one in columns for name in one.cases_of(family)}) > MOST_ROWS


def _summed(held: Sequence[tuple[Column, Mapping[str, Json]]]) -> Iterator[str]:
    yield from _head(["run", "cases", *map(str, OUTCOMES), NOT_PLAYED])
    for one, cases in held:
        found = [verdict for case in cases.values() if (verdict := _verdict(one, case)) is not None]
        yield _line([one.name, str(len(cases)), *_numbers(found, len(cases))])


def _verdict(column: Column, case: Json) -> Verdict | None:
    return column.kept.verdicts.get(str(case["id"]))


def _cell(column: Column, case: Json | None) -> str:
    if case is None:
        return ""
    verdict = _verdict(column, case)
    return NOT_PLAYED if verdict is None else WORDS[verdict.outcome]


def _reasons(held: Sequence[tuple[Column, Mapping[str, Json]]]) -> Iterator[str]:
    """What did not pass and why: a line for each run, outcome and reason, with all cases that it is of."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for one, cases in held:
        for name, case in cases.items():
            verdict = _verdict(one, case)
            if verdict is not None and verdict.outcome is not Outcome.PASSED:
                key = one.name, WORDS[verdict.outcome], verdict.reason
                found.setdefault(key, []).append(name)
    if found:
        yield ""
    for (run, word, reason), names in found.items():
        yield f"- {text_of(run)}, {word}: {text_of(', '.join(names))}: {text_of(reason)}"


def _head(words: Sequence[str]) -> Iterator[str]:
    yield _line(words)
    yield f"|{'|'.join(' --- ' for _ in words)}|"


def _line(words: Sequence[str]) -> str:
    return f"| {' | '.join(word if word in WORDS.values() else text_of(word) for word in words)} |"


def text_of(text: str) -> str:
    """Text on one line in which nothing is markup."""
    flat = one_line(text, LONGEST)
    return "".join(f"\\{char}" if char in "\\|`*_<>[]" else char for char in flat)
