"""Bodies that a server sent, judged by the schema of the run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from conformance_tests.case import Level
from conformance_tests.judge import Judge

if TYPE_CHECKING:
    from conformance_tests.judge import Judgement
    from conformance_tests.server.bench import ServerBench
    from conformance_tests.trial import Trial

JUDGE: Final = "judge"
"""Where cases of one run find their judge among what they share."""


def judge_of(bench: ServerBench) -> Judge:
    """The judge of this run: by the schema that it was given, else the packaged one."""
    held = bench.shared.get(JUDGE)
    if not isinstance(held, Judge):
        held = bench.shared[JUDGE] = Judge()
    return held


def check_valid(trial: Trial, judgement: Judgement, name: str, *, only_flaws: bool = False) -> None:
    """Check that a body keeps the schema, and should keep the tables of numbers; `name` says which body.

    With `only_flaws` nothing is kept of a body that does.
    """
    if not (only_flaws and judgement.ok):
        trial.check(judgement.ok, f"the body of {name} is valid by the schema", seen=judgement.words())
    if judgement.reserved:
        what = "numbers are those of the tables of the standard"
        trial.check(held=False, what=what, seen=judgement.words(), level=Level.SHOULD)
