"""A server under test: its address, the identities at hand, and all that the runner was given to steer it."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit

from certs import Credentials, client_context, lfdi_of, sfdi_of
from certs.files import read_chain
from conformance_tests.case import Need, Role
from conformance_tests.deadline import unhurried
from conformance_tests.errors import TargetError, UsageError
from conformance_tests.server.answer import Bounds
from conformance_tests.server.judged import judge_of
from conformance_tests.server.listener import Listener, listening
from conformance_tests.server.viewer import IdentityViewer
from conformance_tests.server.wire import Wire
from schemas import BASE, Codec, DeviceCapability, Profile, Time, csip_aus

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from conformance_tests.case import AnyCase
    from conformance_tests.chains import IssuingRoot
    from conformance_tests.server.bench import Viewer
    from conformance_tests.server.operator import Operator
    from conformance_tests.trial import Trial

XML_PROFILES: Final[Mapping[str, Profile]] = {
    "base": BASE,
    "csip": BASE,
    "csip_aus": csip_aus.CSIP_AUS_V1_2,
}
_MOST_STALLS: Final = 3
_SHORTEST_STEP_S: Final = 0.05
_TOUR_KEPT_S: Final = 60.0
_LONGEST_STEP_S: Final = 30.0


def credentials_of(name: str, certificate: Path, key: Path, roots: Path) -> Credentials:
    """The credentials in a user's files; CertsError names the file that cannot be used."""
    leaf = read_chain(certificate)[0]
    return Credentials(
        name=name,
        certificate_path=certificate,
        key_path=key,
        root_path=roots,
        lfdi=lfdi_of(leaf),
        sfdi=sfdi_of(lfdi_of(leaf)),
    )


@dataclass(slots=True)
class _Tours:
    """Tours of each identity, good for a minute unless something is written."""

    held: dict[str, tuple[float, Mapping[str, Sequence[str]]]] = field(default_factory=dict)

    def of(self, name: str) -> Mapping[str, Sequence[str]] | None:
        """What the last tour of an identity found, None where it may have changed."""
        at_s, found = self.held.get(name, (0.0, None))
        return found if time.monotonic() - at_s < _TOUR_KEPT_S else None

    def keep(self, name: str, found: Mapping[str, Sequence[str]]) -> None:
        """Keep what a tour found."""
        self.held[name] = time.monotonic(), found

    def changed(self) -> None:
        """Forget all tours."""
        self.held.clear()


@dataclass(kw_only=True)
class ServerTarget:
    """A server at the URI of its DeviceCapability.

    `device`, `other` and `aggregator` are whom the runner can be. `xml` is the profile of its documents,
    by the name of `profile` unless given. `listen` is where the server may notify the runner (host, port),
    `plain_port` the target's port without TLS, `restart` restarts it, `ca` is a root that
    it trusts. `clock_rate` is how many seconds
    pass at the server in one of ours (1 but for servers with a compressed clock). `close` it at the end.
    """

    dcap: str
    device: Credentials
    profile: str = "csip"
    other: Credentials | None = None
    aggregator: Credentials | None = None
    operator: Operator | None = None
    listen: tuple[str, int] | None = None
    plain_port: int | None = None
    restart: Callable[[], Awaitable[None]] | None = None
    ca: IssuingRoot | None = None
    xml: Profile | None = None
    clock_rate: float = 1.0
    bounds: Bounds = field(default_factory=Bounds)
    now: Callable[[], float] = time.time
    further: frozenset[Need] = frozenset()
    tours: _Tours = field(default_factory=_Tours, init=False)
    shared: dict[str, object] = field(default_factory=dict, init=False)
    _wires: dict[str, Wire] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.dcap)
        if parts.scheme != "https" or not parts.hostname:
            raise UsageError(
                f"{self.dcap}: give the https URI of the DeviceCapability: https://HOST:PORT/dcap"
            )
        if self.profile not in XML_PROFILES:
            raise UsageError(f"profile {self.profile}: one of {', '.join(XML_PROFILES)}")

    @property
    def role(self) -> Role:
        """A server."""
        return Role.SERVER

    @cached_property
    def codec(self) -> Codec:
        """Reads and writes the documents of the target."""
        return Codec(self.xml or XML_PROFILES[self.profile])

    @property
    def facts(self) -> Mapping[str, str]:
        """Address, profile and identities for the report."""
        given = {"device": self.device, "other device": self.other, "aggregator": self.aggregator}
        return {
            "address": self.dcap,
            "profile": self.profile,
            "namespaces": self.codec.profile.name,
            **{f"LFDI of {name}": one.lfdi for name, one in given.items() if one is not None},
            "operator": type(self.operator).__name__ if self.operator is not None else "none",
        }

    @property
    def has(self) -> frozenset[Need]:
        """The needs that are met."""
        given = {
            Need.OPERATOR: self.operator,
            Need.SECOND_DEVICE: self.other,
            Need.AGGREGATOR: self.aggregator,
            Need.LISTENER: self.listen,
            Need.RESTART: self.restart,
            Need.PLAIN_HTTP: self.plain_port,
            Need.TEST_CA: self.ca,
        }
        return frozenset(need for need, value in given.items() if value is not None) | self.further

    def wire(self, credentials: Credentials, by: str) -> Wire:
        """The connections of an identity, kept over cases."""
        if by not in self._wires:
            paths = (credentials.certificate_path, credentials.key_path, credentials.root_path)
            context = client_context(*paths)
            self._wires[by] = Wire(by=by, context=context, now=self.now, bounds=self.bounds)
        return self._wires[by]

    @asynccontextmanager
    async def bench(self, case: AnyCase, trial: Trial) -> AsyncIterator[Bench]:
        """Everything that one case works with."""
        if self.operator is None or Need.OPERATOR not in case.needs | case.uses:
            yield Bench(self, trial)
            return
        known = (self.device, self.other, self.aggregator)
        lasting = frozenset(one.lfdi for one in known if one is not None)
        operator = unhurried(self.operator, trial.deadline)
        await operator.begin(case.id, lasting=lasting, note=trial.note)
        try:
            yield Bench(self, trial)
        finally:
            self.tours.changed()
            try:
                await operator.end()
            except TargetError as why:
                trial.note(f"not cleared away: {why}")

    async def close(self) -> None:
        """Close all connections; a wire that is used again opens a new one."""
        for wire in self._wires.values():
            await wire.close()
        if self.operator is not None:
            await self.operator.close()


class Bench:
    """What one case has in hand at a server."""

    def __init__(self, target: ServerTarget, trial: Trial) -> None:
        self.target = target
        self.trial = trial
        self._time_href: str | None = None

    @property
    def profile(self) -> Profile:
        """Namespaces and extensions of the profile under which it is judged."""
        return self.target.codec.profile

    @property
    def dcap(self) -> str:
        """Address of the DeviceCapability."""
        return self.target.dcap

    @property
    def shared(self) -> dict[str, object]:
        """What cases of one run share at this target."""
        return self.target.shared

    @cached_property
    def device(self) -> IdentityViewer:
        """The device whose certificate the run was given."""
        return self._viewer("device", self.target.device)

    @cached_property
    def other(self) -> IdentityViewer:
        """A second device."""
        return self._viewer("other device", self.target.other)

    @cached_property
    def aggregator(self) -> IdentityViewer:
        """An aggregator."""
        return self._viewer("aggregator", self.target.aggregator)

    @property
    def operator(self) -> Operator:
        """Who acts for the utility."""
        if self.target.operator is None:
            self.trial.skip(f"needs {Need.OPERATOR}")
        self.target.tours.changed()
        return unhurried(self.target.operator, self.trial.deadline)

    @property
    def has(self) -> frozenset[Need]:
        """The needs that are met."""
        return self.target.has

    @property
    def listen(self) -> tuple[str, int]:
        """Host and port at which the server may notify the runner."""
        if self.target.listen is None:
            self.trial.skip(f"needs {Need.LISTENER}")
        return self.target.listen

    def listening(self, viewer: Viewer) -> AbstractAsyncContextManager[Listener]:
        """A listener of one identity, at the address that the run was given."""
        given = self.trial, self.target.codec, judge_of(self)
        return listening(self.listen, viewer.credentials, *given)

    @asynccontextmanager
    async def visitor(
        self, name: str, credentials: Credentials, *, strict: bool = False
    ) -> AsyncIterator[IdentityViewer]:
        """An identity of this case alone; `strict`: it offers the mandatory cipher suite and no other."""
        paths = (credentials.certificate_path, credentials.key_path, credentials.root_path)
        context = client_context(*paths, strict=strict)
        wire = Wire(by=name, context=context, now=self.target.now, bounds=self.target.bounds)
        try:
            yield self._viewer_of(name, credentials, wire)
        finally:
            await wire.close()

    @property
    def ca(self) -> IssuingRoot:
        """A root that the target trusts."""
        if self.target.ca is None:
            self.trial.skip(f"needs {Need.TEST_CA}")
        return self.target.ca

    def in_plain(self, href: str) -> str:
        """An href at the target's port without TLS."""
        if self.target.plain_port is None:
            self.trial.skip(f"needs {Need.PLAIN_HTTP}")
        parts = urlsplit(urljoin(self.dcap, href))
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        return parts._replace(scheme="http", netloc=f"{host}:{self.target.plain_port}").geturl()

    async def restart(self) -> None:
        """Restart the target; done when it answers again."""
        if self.target.restart is None:
            self.trial.skip(f"needs {Need.RESTART}")
        self.trial.note("restart of the server")
        await self.target.close()
        await self.target.restart()

    @property
    def _who(self) -> IdentityViewer:
        """Who looks at the clock: the aggregator in a case that is about one."""
        return self.aggregator if Need.AGGREGATOR in self.trial.case.needs else self.device

    async def now(self) -> int:
        """Server time, s since 1970 UTC, by its Time resource."""
        if self._time_href is None:
            dcap = await self._who.read(self.dcap, DeviceCapability)
            self.trial.require(dcap.TimeLink_, "DeviceCapability has a TimeLink", seen="none")
            self._time_href = dcap.TimeLink_.href if dcap.TimeLink_ else ""
        return (await self._who.read(self._time_href, Time)).currentTime

    async def until(self, server_s: int) -> None:
        """Wait until it is that time at the server; TargetError where its clock stands still."""
        left, stalls = server_s - await self.now(), 0
        while left > 0:
            await asyncio.sleep(max(min(left, _LONGEST_STEP_S) / self.target.clock_rate, _SHORTEST_STEP_S))
            before, left = left, server_s - await self.now()
            stalls = stalls + 1 if left >= before else 0
            if stalls >= _MOST_STALLS:
                raise TargetError(f"the clock of the server stands still {left} s before {server_s}")

    def _viewer(self, name: str, credentials: Credentials | None) -> IdentityViewer:
        if credentials is None:
            self.trial.skip(f"needs a certificate of the {name}")
        return self._viewer_of(name, credentials, self.target.wire(credentials, name))

    def _viewer_of(self, name: str, credentials: Credentials, wire: Wire) -> IdentityViewer:
        return IdentityViewer(
            name=name,
            credentials=credentials,
            wire=wire,
            trial=self.trial,
            dcap=self.dcap,
            codec=self.target.codec,
            tours=self.target.tours,
        )
