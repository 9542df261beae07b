"""The folder of a run: its journal while it goes on, and its reports at the end, whole or broken off."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from conformance_tests.errors import UsageError
from conformance_tests.reports.junit import junit_of
from conformance_tests.reports.page import page_of
from conformance_tests.reports.record import head_of, read_journal, report_lines, verdict_json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from conformance_tests.case import AnyCase, Target
    from conformance_tests.reports.record import Json, Kept
    from conformance_tests.runner import Run
    from conformance_tests.trial import Verdict

JOURNAL: Final = "run.jsonl"
IDENTITY: Final = frozenset({"address", "client", "devices", "namespaces", "classes of CSIP-AUS"})
"""Facts of a target that make it another one."""
IDENTITIES: Final = "LFDI of "
"""How the facts begin that tell the identities of the runner."""


class Folder:
    """Watches a run and keeps it in `path`: a new or empty folder, or that of the run to take up again."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def earlier(self) -> Kept:
        """The run that this folder holds. Raises UsageError where it holds none."""
        return read_journal(self.path / JOURNAL)

    def earlier_of(self, target: Target[Any]) -> Kept:
        """The run that this folder holds, which must be of this target. Raises UsageError."""
        earlier = self.earlier()
        if (earlier.role, earlier.profile) != (target.role.value, target.profile):
            raise UsageError(
                f"{self.path} holds a run of a {earlier.role}, profile {earlier.profile}; "
                f"this is a {target.role.value}, profile {target.profile}"
            )
        for name in _names(earlier.facts) | _names(target.facts):
            was, now = earlier.facts.get(name, "none"), target.facts.get(name, "none")
            if was != now:
                raise UsageError(
                    f"{self.path} holds a run with {name}: {was}; this is one with {name}: {now}. "
                    "Give what was given then, or name a new folder with --out"
                )
        return earlier

    def open(self, run: Run, *, again: bool) -> None:
        """Begin the journal; `again` begins it anew with the verdicts that are known. Raises UsageError."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            if not again and any(self.path.iterdir()):
                raise UsageError(f"{self.path} is not empty: name another folder, or --resume {self.path}")
            fresh = self.path / f"{JOURNAL}.new"
            held = [head_of(run), *(verdict_json(verdict) for verdict in run.verdicts.values())]
            fresh.write_text("".join(map(_line, held)), encoding="utf-8")
            fresh.replace(self.path / JOURNAL)
        except OSError as error:
            raise UsageError(f"{self.path} cannot be written: {error.strerror}") from error

    def begins(self, case: AnyCase, number: int, of: int) -> None:
        """Nothing is kept of a case before its verdict."""

    def ended(self, case: AnyCase, verdict: Verdict) -> None:
        """Keep a verdict; it is in the file when this returns."""
        self._add(verdict_json(verdict))

    def close(self, run: Run) -> list[Path]:
        """End the journal and write the reports; what was written."""
        self._add({"ended_s": run.ended_s, "complete": run.complete})
        with (self.path / "report.json").open("w", encoding="utf-8") as report:
            report.writelines(report_lines(run))
        (self.path / "junit.xml").write_text(junit_of(run), encoding="utf-8")
        (self.path / "report.html").write_text(page_of(run), encoding="utf-8")
        return [self.path / name for name in ("report.json", "junit.xml", "report.html")]

    def _add(self, held: Json) -> None:
        with (self.path / JOURNAL).open("a", encoding="utf-8") as journal:
            journal.write(_line(held))


def _names(facts: Mapping[str, str]) -> dict[str, None]:
    """Facts of which verdicts are only true together, in their order."""
    return {name: None for name in facts if name in IDENTITY or name.startswith(IDENTITIES)}


def _line(held: Json) -> str:
    return json.dumps(held, ensure_ascii=False) + "\n"
