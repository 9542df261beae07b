"""What proves a verdict, as a part of the page: requirement, findings, time line with each exchange."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from conformance_tests.evidence import Exchange
from conformance_tests.reports.plain import printable
from conformance_tests.reports.pretty import pretty

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance_tests.case import AnyCase
    from conformance_tests.evidence import Note, TlsFacts
    from conformance_tests.trial import Finding, Verdict


def proof_of(case: AnyCase, verdict: Verdict) -> str:
    """The part, as markup in which all text is escaped."""
    parts = [
        f"<p>{_text(case.requirement)} <span class='at'>({_text(case.source)}, {_text(case.clause)}; "
        f"{case.level.value})</span></p>",
    ]
    if case.preconditions:
        parts.append(f"<p class='at'>Assumes: {_text('; '.join(case.preconditions))}</p>")
    parts += ["<ul>", *(_finding(one) for one in verdict.findings), "</ul>", *_time_line(verdict)]
    if verdict.evidence.dropped:
        parts.append(f"<p class='at'>{verdict.evidence.dropped} further exchanges were not kept.</p>")
    return "".join(parts)


def _finding(finding: Finding) -> str:
    sign, css = ("is so", "passed") if finding.held else (f"not so ({finding.level.value})", "failed")
    told = [f"seen: {_text(finding.seen)}"] if finding.seen else []
    told += [_text(finding.clause)] if finding.clause else []
    told += [] if finding.exchange is None else [f"[{finding.exchange + 1}]"]
    rest = f" <span class='at'>{' &middot; '.join(told)}</span>" if told else ""
    return f"<li><span class='tag {css}'>{sign}</span> {_text(finding.what)}{rest}</li>"


def _time_line(verdict: Verdict) -> Iterator[str]:
    held: list[tuple[float, int, Exchange | Note]] = [
        (one.at_s, number, one) for number, one in enumerate(verdict.evidence.exchanges, 1)
    ]
    held += [(note.at_s, 0, note) for note in verdict.evidence.notes]
    for at_s, number, one in sorted(held, key=lambda entry: entry[:2]):
        when = f"<span class='at'>{at_s - verdict.at_s:+.3f} s</span>"
        if isinstance(one, Exchange):
            yield _exchange(number, when, one)
        else:
            yield f"<p>{when} {_text(one.text)}</p>"


def _exchange(number: int, when: str, one: Exchange) -> str:
    answer = one.error if one.status is None else f"{one.status} in {one.took_s * 1000:.1f} ms"
    line = f"[{number}] {_text(one.by)}: {_text(one.method)} {_text(one.uri)} &rarr; {_text(answer)}"
    request = "\n".join([*_headers(one.request_headers), "", pretty(one.request_body)]).strip()
    reply = "\n".join([*_headers(one.headers), "", pretty(one.body)]).strip()
    parts = [_pre(text) for text in (request, reply, _tls(one.tls)) if text]
    if one.octets > len(one.body):
        parts.append(f"<p class='at'>{len(one.body)} of {one.octets} octets are kept.</p>")
    return f"<details><summary>{when} {line}</summary>{''.join(parts)}</details>"


def _headers(headers: tuple[tuple[str, str], ...]) -> list[str]:
    return [f"{name}: {value}" for name, value in headers]


def _tls(facts: TlsFacts | None) -> str:
    if facts is None:
        return ""
    lines = [f"TLS {facts.version} {facts.suite}".strip(), *(f"  {subject}" for subject in facts.chain)]
    return "\n".join([*lines, f"alert: {facts.alert}"] if facts.alert else lines)


def _pre(text: str) -> str:
    return f"<pre>{_text(text)}</pre>"


def _text(text: str) -> str:
    return escape(printable(text), quote=True)
