"""One row of the table of planted faults: a switch, what it breaks, and who must catch it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import pytest

from conformance_tests import Outcome, Role

Plant = Callable[[Any], AbstractContextManager[None]]
"""Breaks a peer as long as the block lasts: of a server it gets the target, of a client its rig."""


class Kind(StrEnum):
    """What goes wrong; the first ten are those that every judge of this protocol must see."""

    ORDER = "wrong order"
    PAGING = "off by one paging"
    LEAK = "leaked device"
    CODE = "wrong code"
    EARLY = "early start"
    RESPONSE = "lost response"
    RANDOM = "wrong randomisation"
    DIGIT = "bad check digit"
    LOCATION = "missing Location"
    STALE = "stale status"
    METHOD = "wrong method"
    FORM = "wrong form"
    VALUE = "wrong value"
    MISSING = "something missing"
    NOTICE = "lost subscription"
    PACE = "wrong pace"
    DEAF = "not followed"
    SECURITY = "wrong peer trusted"


NAMED: Final = tuple(Kind)[:10]
"""The kinds that must be there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """One fault of a real peer.

    `cases` are the ids of those that must catch it, each with a finding (or a reason) that has `told` in it.
    `warns` where all of them are a SHOULD, which is broken with a warning; a strict run fails by it.
    `is_long` where the case waits so long for what does not come that whole runs alone play it.
    """

    name: str
    kind: Kind
    broken: str
    cases: tuple[str, ...]
    plant: Plant
    told: str = ""
    warns: bool = False
    is_long: bool = False

    @property
    def role(self) -> Role:
        """Who is broken: the role that its cases judge."""
        return Role(self.cases[0].rpartition("/")[2])

    @property
    def families(self) -> frozenset[str]:
        """Families of its cases."""
        return frozenset(case.partition("/")[0] for case in self.cases)

    @property
    def due(self) -> Outcome:
        """How its cases must end."""
        return Outcome.WARNED if self.warns else Outcome.FAILED


@contextmanager
def instead(owner: Any, name: str, made: Callable[[Any], Any]) -> Iterator[None]:  # noqa: ANN401  any attribute
    """Something else in the place of an attribute, made of what was there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, name, made(getattr(owner, name)))
        yield


def nothing(_: object) -> AbstractContextManager[None]:
    """No fault: all switches off."""
    return nullcontext()
