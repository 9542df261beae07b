"""A run as JSON: the form that is kept, compared and taken up again. Version 1.

A journal (`run.jsonl`) has a head, then one line for each verdict as it comes, then an end: it is whole
whenever the run is broken off. The report (`report.json`) is the same as one document.
"""

from __future__ import annotations

import base64
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from conformance_tests.case import Level, Outcome
from conformance_tests.errors import UsageError
from conformance_tests.evidence import Evidence, Exchange, Note, TlsFacts
from conformance_tests.trial import Finding, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from conformance_tests.case import AnyCase
    from conformance_tests.runner import Run

FORMAT: Final = "lineside-conformance-1"
Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A run as it was read from a file: what the cases were, and their verdicts in the order of the run."""

    role: str
    profile: str
    facts: Mapping[str, str]
    begun_s: float
    ended_s: float | None
    complete: bool
    cases: Mapping[str, Json]
    verdicts: Mapping[str, Verdict]


def head_of(run: Run) -> Json:
    """What is known of a run before its first case."""
    return {
        "format": FORMAT,
        "role": run.role,
        "profile": run.profile,
        "facts": dict(run.facts),
        "begun_s": run.begun_s,
        "cases": [case_json(case) for case in run.cases],
    }


def case_json(case: AnyCase) -> Json:
    """What a report says of a case, apart from its verdict."""
    return {
        "id": case.id,
        "title": case.title,
        "source": case.source,
        "clause": case.clause,
        "requirement": case.requirement,
        "level": case.level.value,
        "role": case.role.value,
        "profiles": sorted(case.profiles),
        "needs": sorted(need.name for need in case.needs),
        "preconditions": list(case.preconditions),
        "lasts_s": case.lasts_s,
    }


def report_lines(run: Run) -> Iterator[str]:
    """The whole run as one JSON document, a verdict a line: no more than one of them is in memory as text."""
    head = {**head_of(run), "ended_s": run.ended_s, "complete": run.complete}
    yield json.dumps(head, ensure_ascii=False).removesuffix("}") + ', "verdicts": ['
    for number, one in enumerate(run.verdicts.values()):
        yield (",\n" if number else "\n") + json.dumps(verdict_json(one), ensure_ascii=False)
    yield "\n]}\n"


def verdict_json(verdict: Verdict) -> Json:
    """One verdict with its evidence; bodies as text where they are UTF-8, else as base64."""
    return {
        "case": verdict.case,
        "outcome": verdict.outcome.value,
        "reason": verdict.reason,
        "at_s": verdict.at_s,
        "took_s": round(verdict.took_s, 3),
        "findings": [{**asdict(one), "level": one.level.value} for one in verdict.findings],
        "exchanges": [_exchange_json(one) for one in verdict.evidence.exchanges],
        "notes": [asdict(one) for one in verdict.evidence.notes],
        "dropped": verdict.evidence.dropped,
    }


def verdict_of(held: Json) -> Verdict:
    """The verdict that was written so."""
    return Verdict(
        case=held["case"],
        outcome=Outcome(held["outcome"]),
        reason=held["reason"],
        at_s=held["at_s"],
        took_s=held["took_s"],
        findings=tuple(Finding(**{**one, "level": Level(one["level"])}) for one in held["findings"]),
        evidence=Evidence(
            exchanges=[_exchange_of(one) for one in held["exchanges"]],
            notes=[Note(**one) for one in held["notes"]],
            dropped=held["dropped"],
        ),
    )


def read_journal(path: Path) -> Kept:
    """The run of a journal, whole or broken off (a last line that is cut is no line). Raises UsageError."""
    head: Json | None = None
    end: Json = {}
    verdicts: dict[str, Verdict] = {}
    try:
        for line in path.read_bytes().split(b"\n")[:-1]:
            held = json.loads(line)
            if head is None:
                head = held
            elif "case" in held:
                verdicts[held["case"]] = verdict_of(held)
            else:
                end = held
        return _kept(head, end, verdicts)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path} is no journal of a run: {error}") from error


def read_report(path: Path) -> Kept:
    """The run of a report (`report.json`), or of the folder that holds it. Raises UsageError."""
    file = path / "report.json" if path.is_dir() else path
    try:
        held = json.loads(file.read_text(encoding="utf-8"))
        return _kept(held, held, {one["case"]: verdict_of(one) for one in held["verdicts"]})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{file} is no report of a run: {error}") from error


def _kept(head: Json | None, end: Json, verdicts: dict[str, Verdict]) -> Kept:
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        raise ValueError(f"its format is not {FORMAT}")
    return Kept(
        role=head["role"],
        profile=head["profile"],
        facts=head["facts"],
        begun_s=head["begun_s"],
        ended_s=end.get("ended_s"),
        complete=end.get("complete", False),
        cases={one["id"]: one for one in head["cases"]},
        verdicts=verdicts,
    )


def _exchange_json(exchange: Exchange) -> Json:
    return {
        "at_s": round(exchange.at_s, 3),
        "by": exchange.by,
        "method": exchange.method,
        "uri": exchange.uri,
        "request_headers": [list(one) for one in exchange.request_headers],
        "request_body": text_of(exchange.request_body),
        "status": exchange.status,
        "headers": [list(one) for one in exchange.headers],
        "body": text_of(exchange.body),
        "octets": exchange.octets,
        "took_s": round(exchange.took_s, 4),
        "error": exchange.error,
        "tls": None if exchange.tls is None else {**asdict(exchange.tls), "chain": list(exchange.tls.chain)},
    }


def _exchange_of(held: Json) -> Exchange:
    tls = held["tls"]
    return Exchange(
        **{
            **held,
            "request_headers": _pairs(held["request_headers"]),
            "request_body": octets_of(held["request_body"]),
            "headers": _pairs(held["headers"]),
            "body": octets_of(held["body"]),
            "tls": None if tls is None else TlsFacts(**{**tls, "chain": tuple(tls["chain"])}),
        }
    )


def _pairs(held: Sequence[Sequence[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in held)


def text_of(body: bytes) -> str | Json:
    """Octets for JSON."""
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode("ascii")}


def octets_of(held: str | Json) -> bytes:
    """The octets that `text_of` wrote."""
    return held.encode("utf-8") if isinstance(held, str) else base64.b64decode(held["base64"])
