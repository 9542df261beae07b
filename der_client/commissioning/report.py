"""The report of a commissioning test: findings with measured figures, as text and as JSON. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import StrEnum


class Verdict(StrEnum):
    """What a test came to, the best first."""

    PASSED = "passed"
    NOT_DONE = "not done"
    WARNING = "warning"
    FAILED = "failed"
    ABORTED = "aborted"


GRAVITY = tuple(Verdict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured or declared figure with its unit."""

    name: str
    value: float
    unit: str

    def __str__(self) -> str:
        return f"{self.name} {self.value:g} {self.unit}".rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one test found: its verdict, why in words, and what was measured."""

    test: str
    verdict: Verdict
    words: str
    figures: tuple[Figure, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A commissioning report. `started_s` is s since 1970 UTC."""

    device: str
    started_s: float
    identity: Mapping[str, str] = field(default_factory=dict)
    ratings: tuple[Figure, ...] = ()
    modes: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The gravest of the findings; a report without any is not done."""
        found = (GRAVITY.index(finding.verdict) for finding in self.findings)
        return GRAVITY[max(found, default=GRAVITY.index(Verdict.NOT_DONE))]

    def as_json(self) -> dict[str, object]:
        """The report as plain values, for a file or another program."""
        return {**asdict(self), "started": _when(self.started_s), "verdict": self.verdict}

    def as_text(self) -> str:
        """The report as a page of text."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"Commissioning report of {self.device}, {_when(self.started_s)}"
        yield ""
        for name, text in self.identity.items():
            yield f"  {name:<14} {text}"
        for figure in self.ratings:
            yield f"  {figure.name:<14} {figure.value:g} {figure.unit}"
        if self.modes:
            yield f"  {'modes':<14} {' '.join(self.modes)}"
        yield ""
        for finding in self.findings:
            yield f"{finding.verdict.upper():<9} {finding.test}: {finding.words}"
            if finding.figures:
                yield f"          {'; '.join(str(figure) for figure in finding.figures)}"
        yield ""
        yield f"verdict: {self.verdict}"


def _when(time_s: float) -> str:
    return datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
