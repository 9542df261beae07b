"""Plays cases one after the other against a target: each ends in bounded time, and the run goes on."""

from __future__ import annotations

import fnmatch
import logging
import traceback
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from conformance_tests.errors import Ended, Skipped, TargetError, UsageError
from conformance_tests.trial import Trial, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from conformance_tests.case import AnyCase, Role, Target

log = logging.getLogger(__name__)


class Watcher(Protocol):
    """Who wants to know how far a run is: the terminal, a file that is kept up to date."""

    def begins(self, case: AnyCase, number: int, of: int) -> None:
        """Case `number` (from 1) of `of` begins."""
        ...

    def ended(self, case: AnyCase, verdict: Verdict) -> None:
        """A case has its verdict."""
        ...


@dataclass(slots=True, kw_only=True)
class Run:
    """One run: facts of target and environment, and the verdicts in the order of the cases.

    `complete` is False while it runs and after it was broken off. Of `only`, those are played that it has.
    """

    role: str
    profile: str
    facts: Mapping[str, str]
    begun_s: float
    cases: Sequence[AnyCase]
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    ended_s: float | None = None
    complete: bool = False
    only: frozenset[str] | None = None

    @property
    def left(self) -> list[AnyCase]:
        """The cases that are to be played and have no verdict."""
        left = [case for case in self.cases if case.id not in self.verdicts]
        return left if self.only is None else [case for case in left if case.id in self.only]


def select(
    cases: Iterable[AnyCase], role: Role | None, profile: str | None, only: Sequence[str] = ()
) -> list[AnyCase]:
    """The cases of a role and profile whose id, family or clause matches one of `only` (* and ? allowed).

    Raises UsageError where a pattern of `only` matches nothing.
    """
    of_role = [
        case
        for case in cases
        if (role is None or case.role is role) and (profile is None or profile in case.profiles)
    ]
    for pattern in only:
        if not any(_matches(case, pattern) for case in of_role):
            raise UsageError(f"--only {pattern}: no such case here; `lineside conform list` shows all")
    return [case for case in of_role if not only or any(_matches(case, one) for one in only)]


def _matches(case: AnyCase, pattern: str) -> bool:
    names = (case.id, case.family, case.clause, case.id.split("/")[1])
    return any(fnmatch.fnmatchcase(name.lower(), pattern.lower()) for name in names)


async def play(case: AnyCase, target: Target[Any], now: Callable[[], float]) -> Verdict:
    """The verdict on one case; whatever the target does, it comes within the bound of the case."""
    trial = Trial(case, now)
    at_s = now()
    missing = sorted(case.needs - target.has)
    if missing:
        return trial.verdict(at_s=at_s, skipped=f"needs {'; '.join(missing)}")
    ended: dict[str, str] = {}
    try:
        async with trial.deadline.running(), target.bench(case, trial) as bench:
            await case.procedure(bench)
    except Ended:
        log.debug("%s is decided", case.id)
    except Skipped as why:
        ended["skipped"] = str(why)
    except TargetError as why:
        ended["broken"] = str(why)
    except TimeoutError:
        ended["broken"] = f"no end of the case within {case.bound:.0f} s"
    except Exception as error:
        log.exception("%s could not be judged", case.id)
        ended["unsure"] = "".join(traceback.format_exception_only(error)).strip()
    return trial.verdict(at_s=at_s, **ended)


def new_run(
    cases: Sequence[AnyCase],
    target: Target[Any],
    *,
    now: Callable[[], float],
    known: Mapping[str, Verdict] | None = None,
) -> Run:
    """A run that has not begun; cases of `known` (of a run that was broken off) keep their verdicts."""
    run = Run(role=target.role, profile=target.profile, facts=target.facts, begun_s=now(), cases=tuple(cases))
    ids = frozenset(case.id for case in cases)
    run.verdicts.update({name: verdict for name, verdict in (known or {}).items() if name in ids})
    return run


async def run_all(
    run: Run, target: Target[Any], watchers: Sequence[Watcher] = (), *, now: Callable[[], float]
) -> None:
    """Play what is left of a run, one case after the other.

    Run and watchers have each verdict as it comes, so that all is whole whenever the run is broken off.
    """
    for number, case in enumerate(run.left, len(run.verdicts) + 1):
        for watcher in watchers:
            watcher.begins(case, number, len(run.cases))
        run.verdicts[case.id] = verdict = await play(case, target, now)
        for watcher in watchers:
            watcher.ended(case, verdict)
    run.ended_s, run.complete = now(), len(run.verdicts) == len(run.cases)
