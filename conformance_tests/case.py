"""A case is a value: what is required of whom by which clause, and the procedure that finds out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from contextlib import AbstractAsyncContextManager

    from conformance_tests.trial import Trial

B_contra = TypeVar("B_contra", contravariant=True)
B_co = TypeVar("B_co", covariant=True)

ALL_PROFILES: Final = frozenset({"base", "csip", "csip_aus"})


class Role(StrEnum):
    """What is under test."""

    SERVER = "server"
    DER_CLIENT = "client"
    AGGREGATOR = "aggregator"


class Level(StrEnum):
    """How strong the requirement is: a broken `must` fails, a broken `should` warns (fails if strict)."""

    MUST = "must"
    SHOULD = "should"
    MAY = "may"


class Outcome(StrEnum):
    """How a case ended. INCONCLUSIVE: the runner could not tell, which is a defect of run or case."""

    PASSED = "passed"
    FAILED = "failed"
    WARNED = "warned"
    SKIPPED = "skipped"
    INCONCLUSIVE = "inconclusive"


class Need(StrEnum):
    """What a case needs beside the target's address and one certificate; the values are for people."""

    OPERATOR = "an operator of the server: --operator api|hook|prompt"
    SECOND_DEVICE = "a second device certificate: --other-cert, --other-key"
    AGGREGATOR = "an aggregator certificate: --aggregator-cert, --aggregator-key"
    LISTENER = "an address at which the server may notify the runner: --listen HOST:PORT"
    TEST_CA = "a root that the target trusts, with its key, to issue test chains: --ca-cert, --ca-key"
    OBSERVER = "who watches the device: --observe modbus|hook|prompt"
    RESTART = "a command that restarts the target: --restart COMMAND"
    PLAIN_HTTP = "the port of the target without TLS: --http-port"
    LOCAL_NETWORK = "multicast on the target's network: --multicast"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case(Generic[B_contra]):
    """One requirement and its procedure.

    `id` is `family/name/role`; `source` the document (IEEE 2030.5-2018, CSIP test procedures 1.3, ...),
    `clause` its place there; `requirement` is in our own words. `profiles` are those in which it holds,
    `needs` what must be there to play it, `uses` what it makes use of where it is there, `preconditions` what
    it assumes of the target in words. `lasts_s` is what it takes of the target's time (for the time left),
    `bound_s` the real time after which it ends whatever happens, beside what operator and observer take for
    their acts. The procedure gets the bench of its role and tells its findings to the bench's trial.
    """

    id: str
    title: str
    source: str
    clause: str
    requirement: str
    role: Role
    procedure: Callable[[B_contra], Awaitable[None]]
    level: Level = Level.MUST
    profiles: frozenset[str] = ALL_PROFILES
    needs: frozenset[Need] = frozenset()
    uses: frozenset[Need] = frozenset()
    preconditions: tuple[str, ...] = ()
    lasts_s: float = 1.0
    bound_s: float | None = None

    @property
    def family(self) -> str:
        """The first part of the id."""
        return self.id.split("/", 1)[0]

    @property
    def bound(self) -> float:
        """Real time after which the case ends, s: thrice what it takes and a minute, unless it says."""
        return 3 * self.lasts_s + 60 if self.bound_s is None else self.bound_s


AnyCase = Case[Any]


class Target(Protocol[B_co]):
    """What is under test, with all that the runner was given to reach and steer it."""

    @property
    def role(self) -> Role:
        """What it is."""
        ...

    @property
    def profile(self) -> str:
        """The profile by which it is judged: base, csip or csip_aus."""
        ...

    @property
    def facts(self) -> Mapping[str, str]:
        """Facts of the environment for the report: address, certificates, versions. No secrets."""
        ...

    @property
    def has(self) -> frozenset[Need]:
        """The needs that are met."""
        ...

    def bench(self, case: AnyCase, trial: Trial) -> AbstractAsyncContextManager[B_co]:
        """Everything that one case works with; what it left behind is cleared away at the end."""
        ...
