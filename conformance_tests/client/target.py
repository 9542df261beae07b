"""A client under test: what the runner was told of it, and the scripted server that waits for it."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self

from certs import ServerTls, TlsFiles, client_context
from conformance_tests.case import Need, Role
from conformance_tests.client.bench import ClientBench
from conformance_tests.client.clock import StageClock
from conformance_tests.client.dispatch import Dispatch
from conformance_tests.client.notifier import Notified, Notifier
from conformance_tests.client.serving import Serving
from conformance_tests.client.stage import PIN, Stage
from conformance_tests.deadline import unhurried
from conformance_tests.judge import Judge
from schemas import csip_aus
from schemas.profile import BASE, Profile

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from conformance_tests.case import AnyCase
    from conformance_tests.chains import IssuingRoot
    from conformance_tests.client.observer import Observer
    from conformance_tests.client.seen import Seen
    from conformance_tests.client.starting import Start
    from conformance_tests.trial import Trial

SCHEMAS: Final[Mapping[str, Profile]] = {
    "base": BASE,
    "csip": BASE,
    "csip_aus": csip_aus.CSIP_AUS_V1_2,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSetup:
    """What a run is given of a client.

    `tls` are the files of our own server certificate, `lfdi` that of the client's certificate, `devices` the
    LFDIs for which an aggregator stands. `seed` makes hrefs unpredictable, None leaves the standard's
    defaults. `scale` is how many seconds of the stage pass in one real second, for clients that allow it.
    `classes` are those of CSIP-AUS that the client claims (A, G, DR-A, ...), none: any.
    `start` brings the client to a stage that is set, and takes it away at the end of the case.
    """

    role: Role
    profile: str
    tls: TlsFiles
    lfdi: str
    devices: tuple[str, ...] = ()
    host: str = "127.0.0.1"
    port: int = 0
    pin: int = PIN
    seed: str | None = "stage"
    scale: float = 1.0
    patience_s: float = 600.0
    classes: frozenset[str] = frozenset()
    schema: Profile | None = None
    observer: Observer | None = None
    ca: IssuingRoot | None = None
    start: Start | None = None
    judge: Judge = field(default_factory=Judge)
    runner_s: Callable[[], float] = time.time
    needs: frozenset[Need] = field(default_factory=frozenset)


class ClientTarget:
    """A client under test; entered for the length of a run: the scripted server listens as long."""

    def __init__(self, setup: ClientSetup) -> None:
        self.setup = setup
        self.port = setup.port
        self._number = 0

    @property
    def role(self) -> Role:
        """A DER client, or an aggregator."""
        return self.setup.role

    @property
    def profile(self) -> str:
        """The profile by which it is judged."""
        return self.setup.profile

    @property
    def facts(self) -> Mapping[str, str]:
        """What the report says of the environment."""
        return {
            "client": self.setup.lfdi,
            "namespaces": self._schema.name,
            "classes of CSIP-AUS": ", ".join(sorted(self.setup.classes)),
            "devices": ", ".join(self._devices),
            "URI given to the client": self.uri,
            "server certificate": str(self.setup.tls.certificate),
            "hrefs": "the standard's defaults" if self.setup.seed is None else "unpredictable",
            "clock": "real time" if self.setup.scale == 1.0 else f"{self.setup.scale:g} times real time",
        }

    @property
    def has(self) -> frozenset[Need]:
        """The needs that are met."""
        met = {Need.OBSERVER} if self.setup.observer is not None else set()
        met |= {Need.TEST_CA} if self.setup.ca is not None else set()
        met |= {Need.RESTART} if self.setup.start is not None else set()
        return self.setup.needs | met

    @property
    def uri(self) -> str:
        """The one URI that the client is given."""
        return f"https://{self.setup.host}:{self.port}/dcap"

    async def __aenter__(self) -> Self:
        tls = ServerTls(self.setup.tls)
        self._clock = StageClock(scale=self.setup.scale, wall_s=self.setup.runner_s)
        self._serving = Serving(
            tls,
            self._clock,
            Dispatch(self._stage(), self._lfdis),
            judge=self.setup.judge,
            runner_s=self.setup.runner_s,
        )
        self.port = self._serving.listen(self.setup.host, self.setup.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._serving.close()

    @asynccontextmanager
    async def bench(self, case: AnyCase, trial: Trial) -> AsyncIterator[ClientBench]:
        """A fresh stage for one case, at the same URI; the one before it is gone."""
        del case
        stage, observer = self._stage(), self.setup.observer
        trial.deadline.extend(self._clock.real_s(self.setup.patience_s))
        files = self.setup.tls
        context = client_context(files.certificate, files.key, files.roots)
        notifier = Notifier(
            stage,
            context,
            told=lambda one: self._notified(trial, one),
            runner_s=self.setup.runner_s,
            origin=self.uri.removesuffix(stage.dcap),
        )
        bench = ClientBench(
            trial=trial,
            stage=stage,
            serving=self._serving,
            notifier=notifier,
            lfdi=self.setup.lfdi,
            devices=self._devices,
            pin=self.setup.pin,
            host=self.setup.host,
            port=self.port,
            observer=observer if observer is None else unhurried(observer, trial.deadline),
            ca=self.setup.ca,
            tls=self.setup.tls,
            start=self.setup.start,
            patience_s=self.setup.patience_s,
            classes=self.setup.classes,
        )
        self._serving.play(Dispatch(stage, self._lfdis), lambda seen: _keep(bench, seen))
        async with notifier:
            try:
                yield bench
            finally:
                await bench.leave()
                self._clock.offset_s = 0

    @property
    def _devices(self) -> tuple[str, ...]:
        return self.setup.devices or (self.setup.lfdi,)

    @property
    def _lfdis(self) -> frozenset[str]:
        return frozenset({self.setup.lfdi.upper()})

    def _stage(self) -> Stage:
        self._number += 1
        return Stage(self._clock, seed=self.setup.seed, profile=self._schema, number=self._number)

    @property
    def _schema(self) -> Profile:
        return self.setup.schema or SCHEMAS[self.setup.profile]

    def _notified(self, trial: Trial, one: Notified) -> None:
        trial.exchange(one.exchange)
        self._serving.record.tell()


def _keep(bench: ClientBench, seen: Seen) -> None:
    """Keep what writes, and what reads something for the first time; the rest is in `requests` alone."""
    is_new = bench.record.is_first(seen)
    if not seen.is_read or is_new or seen.status != 200:
        bench.proof(seen)
