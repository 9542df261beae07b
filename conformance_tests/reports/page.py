"""A run as one page that needs nothing else: summary, facts, and each verdict with what proves it.

The proof of a case is packed (zlib, base64) beside it and unpacked when the case is opened, so that a page of
thousands of verdicts opens at once. All that comes from a target is escaped; nothing of it is ever markup.
"""

from __future__ import annotations

import base64
import zlib
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from conformance_tests.case import Outcome
from conformance_tests.reports.plain import duration, printable
from conformance_tests.reports.proof import proof_of
from conformance_tests.reports.summary import OUTCOMES, Counts, counts_of, grouped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from conformance_tests.case import AnyCase
    from conformance_tests.runner import Run
    from conformance_tests.trial import Verdict


def page_of(run: Run) -> str:
    """The page."""
    counts = counts_of(run.verdicts.values())
    title = f"Conformance of a {run.role}, profile {run.profile}"
    parts = [
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>",
        "<meta name='viewport' content='width=device-width,initial-scale=1'>",
        f"<title>{_text(title)}</title><style>{_part('page.css')}</style></head><body>",
        f"<h1>{_text(title)}</h1><p class='sub'>{_text(_when(run))}</p>",
        _bar(counts),
        *_facts(run.facts),
        *_table("By family", grouped(run, lambda case: case.family)),
        *_table("By clause", grouped(run, lambda case: f"{case.source}, {case.clause}"), folded=True),
        *_skipped(run),
        "<h2>Verdicts</h2>",
        _form(counts),
        *_families(run),
        f"<script>{_part('page.js')}</script></body></html>\n",
    ]
    return "\n".join(parts)


def _part(name: str) -> str:
    """Style and script stand beside this module, and go into the page."""
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def _when(run: Run) -> str:
    begun = datetime.fromtimestamp(run.begun_s, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    took = "" if run.ended_s is None else f", {duration(run.ended_s - run.begun_s)}"
    left = len(run.cases) - len(run.verdicts)
    whole = "" if run.complete else f". Broken off: {left} cases were not played"
    return f"{counts_of(run.verdicts.values())} of {len(run.cases)}. Begun {begun}{took}{whole}."


def _bar(counts: Counts) -> str:
    shares = "".join(
        f"<i class='{one.value}' style='flex:{counts[one]}' title='{counts[one]} {one.value}'></i>"
        for one in OUTCOMES
        if counts[one]
    )
    return f"<div class='bar'>{shares}</div>"


def _facts(facts: Mapping[str, str]) -> Iterator[str]:
    if facts:
        yield "<h2>Environment</h2><table>"
        for name, value in facts.items():
            if not value:
                continue
            yield f"<tr><th>{_text(name)}</th><td>{_text(value)}</td></tr>"
        yield "</table>"


def _table(title: str, groups: Mapping[str, Counts], *, folded: bool = False) -> Iterator[str]:
    there = [one for one in OUTCOMES if any(counts[one] for counts in groups.values())]
    yield f"<details><summary>{title}</summary>" if folded else f"<h2>{title}</h2>"
    heads = "".join(f"<th class='n'>{one.value}</th>" for one in there)
    yield f"<table><tr><th></th>{heads}<th class='n'>all</th></tr>"
    for name, counts in groups.items():
        cells = "".join(f"<td class='n {one.value}'>{counts[one] or ''}</td>" for one in there)
        yield f"<tr><td>{_text(name)}</td>{cells}<td class='n'>{counts.total}</td></tr>"
    yield "</table></details>" if folded else "</table>"


def _skipped(run: Run) -> Iterator[str]:
    reasons: dict[str, list[str]] = {}
    for verdict in run.verdicts.values():
        if verdict.outcome is Outcome.SKIPPED:
            reasons.setdefault(verdict.reason, []).append(verdict.case)
    if reasons:
        yield "<h2>Not played, and why</h2><table class='why'>"
        for reason, cases in sorted(reasons.items(), key=lambda held: -len(held[1])):
            names = ", ".join(cases[:12]) + (f" and {len(cases) - 12} more" if len(cases) > 12 else "")
            yield f"<tr><td class='n'>{len(cases)}</td><td>{_text(reason)}</td><td>{_text(names)}</td></tr>"
        yield "</table>"


def _form(counts: Counts) -> str:
    boxes = " ".join(
        f"<label class='{one.value}'><input type='checkbox' value='{one.value}' checked> {one.value}</label>"
        for one in OUTCOMES
        if counts[one]
    )
    search = "<input type='search' name='word' placeholder='id, clause or words'>"
    return f"<form class='pick'>{search}{boxes}<span id='count'></span></form>"


def _families(run: Run) -> Iterator[str]:
    families: dict[str, list[AnyCase]] = {}
    for case in run.cases:
        if case.id in run.verdicts:
            families.setdefault(case.family, []).append(case)
    for family, cases in families.items():
        yield f"<section class='family'><h2>{_text(family)}</h2>"
        for case in cases:
            yield _case(case, run.verdicts[case.id])
        yield "</section>"


def _case(case: AnyCase, verdict: Verdict) -> str:
    outcome = verdict.outcome.value
    words = f"{case.id} {case.title} {case.clause} {verdict.reason}".lower()
    told = verdict.reason or case.title
    packed = base64.b64encode(zlib.compress(proof_of(case, verdict).encode("utf-8"), 9)).decode("ascii")
    return (
        f"<details class='case' id='{_text(case.id)}' data-outcome='{outcome}' data-text='{_text(words)}'>"
        f"<summary><span class='tag {outcome}'>{outcome}</span> <span class='id'>{_text(case.id)}</span> "
        f"<span class='why'>{_text(told)}</span></summary><div class='proof'>...</div>"
        f"<script type='text/plain'>{packed}</script></details>"
    )


def _text(text: str) -> str:
    return escape(printable(text), quote=True)
