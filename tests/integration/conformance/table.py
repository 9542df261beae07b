"""Writes docs/conformance.md: every procedure, played against our own server, client and aggregator.

    python -m tests.integration.conformance.table docs/conformance.md

Hours of the procedures pass in minutes: all but multicast DNS and the generated families is on virtual time.
"""

import json
import logging
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path

from certs import Pki
from conformance_tests import AnyCase, Outcome, Role, Verdict, select
from conformance_tests.catalogue import all_cases
from conformance_tests.reports.markdown import Column, markdown_of
from conformance_tests.reports.record import Kept, case_json
from tests.integration.conformance import rigs
from tests.integration.conformance.own_client import client_pki

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "conformance.md"
TITLE = "Conformance of our own server, client and aggregator"
INTRO = f"""\
Written by `make conformance-table`, which plays every case of `lineside conform` against the server, client
and aggregator of Lineside {version("lineside")} over mutual TLS on loopback; do not edit. `make check` plays
them again, all but ALL-25-EXT and S-ALL-50, which last three days, and holds each cell to what came. Such a
page of anybody's server or client: [the manual](howto/conformance.md).

IEEE 2030.5-2018 by the profiles csip and csip_aus; documents of CSIP-AUS are v1.2, or v1.3 for procedures of
v1.3 alone. An empty cell: the procedure names no such role; CORE-006 names none at all. Below each table
stands why a case was skipped, warns or fails: what fails is a defect of ours that is not mended yet."""
PROCEDURES = ("csip", "events", "tls", "csip-aus")
WORKERS = 2
KEPT = ROOT / "build" / "conformance.jsonl"


@dataclass(frozen=True)
class Part:
    """One run of the page: a column."""

    name: str
    role: Role
    profile: str
    is_aus: bool

    @property
    def cases(self) -> list[AnyCase]:
        """What is played: the CSIP-AUS procedures apart from everything else."""
        found = select(all_cases(), self.role, self.profile)
        return [one for one in found if (one.family == "csip-aus") is self.is_aus]

    def chunks(self) -> Iterator[list[str]]:
        """The cases as they are played together: those of a server share one, the others stand alone."""
        if self.role is not Role.SERVER or self.is_aus:
            yield from ([case.id] for case in self.cases)
            return
        alone = next(case.id for case in self.cases if case.clause == rigs.DISCOVERY)
        yield [alone]
        yield [case.id for case in self.cases if case.family in PROCEDURES and case.id != alone]
        yield [case.id for case in self.cases if case.family not in PROCEDURES]


PARTS = (
    Part("server", Role.SERVER, "csip", is_aus=False),
    Part("client", Role.DER_CLIENT, "csip", is_aus=False),
    Part("aggregator", Role.AGGREGATOR, "csip", is_aus=False),
    Part("server, CSIP-AUS", Role.SERVER, "csip_aus", is_aus=True),
    Part("client, CSIP-AUS", Role.DER_CLIENT, "csip_aus", is_aus=True),
    Part("aggregator, CSIP-AUS", Role.AGGREGATOR, "csip_aus", is_aus=True),
)
_PKI: list[Pki] = []
"""Of this worker."""


def _begin(folder: str) -> None:
    """Begin a worker: certificates of its own, and no log."""
    logging.disable(logging.CRITICAL)
    _PKI.append(client_pki(Path(tempfile.mkdtemp(dir=folder))))


def _played(folder: str, ids: Sequence[str]) -> list[Verdict]:
    """The verdicts on some cases, without what proves them."""
    by_id = {case.id: case for case in all_cases()}
    below = Path(tempfile.mkdtemp(dir=folder))
    found = rigs.verdicts(_PKI[0], below, [by_id[name] for name in ids])
    return [Verdict(case=one.case, outcome=one.outcome, reason=one.reason) for one in found]


def played(kept: Path) -> dict[str, Verdict]:
    """The verdicts on all cases of the page, by case; those that an earlier run kept are not played again.

    The longest begin first. Verdicts are kept in a file as they come, which is removed at the end.
    """
    found = _kept(kept)
    chunks = [chunk for part in PARTS for chunk in part.chunks() if not found.keys() >= set(chunk)]
    lasts_s = {case.id: case.lasts_s for case in all_cases()}
    chunks.sort(key=lambda chunk: -sum(lasts_s[name] for name in chunk))
    kept.parent.mkdir(exist_ok=True)
    context = get_context("spawn")
    with (
        tempfile.TemporaryDirectory() as folder,
        ProcessPoolExecutor(WORKERS, context, initializer=_begin, initargs=(folder,)) as pool,
        kept.open("a", encoding="utf-8") as journal,
    ):
        for done in as_completed([pool.submit(_played, folder, chunk) for chunk in chunks]):
            for one in done.result():
                found[one.case] = one
                journal.write(json.dumps([one.case, one.outcome.value, one.reason]) + "\n")
            journal.flush()
            sys.stderr.write(f"\r{len(found)} of {sum(len(part.cases) for part in PARTS)}")
    sys.stderr.write("\n")
    kept.unlink()
    return found


def _kept(path: Path) -> dict[str, Verdict]:
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    rows = [json.loads(line) for line in lines]
    return {case: Verdict(case=case, outcome=Outcome(word), reason=reason) for case, word, reason in rows}


def column_of(part: Part, found: Mapping[str, Verdict]) -> Column:
    """A part as a column, with its verdicts."""
    kept = Kept(
        role=part.role.value,
        profile=part.profile,
        facts={},
        begun_s=0.0,
        ended_s=None,
        complete=True,
        cases={case.id: case_json(case) for case in part.cases},
        verdicts={case.id: found[case.id] for case in part.cases if case.id in found},
    )
    return Column(name=part.name, kept=kept)


def page_of(found: Mapping[str, Verdict]) -> str:
    """The page."""
    return markdown_of(TITLE, [column_of(part, found) for part in PARTS], intro=INTRO, is_dated=False)


def main(words: Sequence[str]) -> int:
    """Play everything and write the page; 1 where a verdict is another one than before.

    One that was broken off goes on where it ended, with the verdicts in KEPT.
    """
    path = Path(words[0]) if words else PAGE
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    page = page_of(played(KEPT))
    path.write_text(page, encoding="utf-8")
    return int(page != before)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
