"""The way to the VTN: a client of either profile, made of settings, with the same few things asked of it."""

import asyncio
import secrets
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from certs import PinningContext, TlsContext, openadr_client_context, operator_client_context
from lineside.ven.settings import VenSettings, VtnSettings, secret_of
from openadr_ven import v2b
from openadr_ven.back import Description, Quantity
from openadr_ven.back.serving import Serving, offer_of
from openadr_ven.events import CreateOpt, Judge, OptReason, OptType, Profile, State, Step, uniform
from openadr_ven.memory import Memory
from openadr_ven.to_sep2 import Live, judge_of
from openadr_ven.v2b.kept import kept_of as kept_20b
from openadr_ven.v2b.replay import ReplayGuard
from openadr_ven.v2b.report_messages import ReportName, ReportOffer, Sampling
from openadr_ven.v2b.signature import Signer, Verifier
from openadr_ven.v3 import Credentials, Settings, Surroundings, VenClient, Version, Webhook
from openadr_ven.v3.kept import kept_of as kept_3
from owner import SettingsError

BUFFER_S: Final = 86_400
"""How far back data of reports is kept."""
SAMPLED_S: Final = 3_600
REASONS: Final = {OptType.IN: OptReason.PARTICIPATING, OptType.OUT: OptReason.OVERRIDE_STATUS}
"""What an oadrCreateOpt says of a person's decision."""
chance = secrets.SystemRandom().random
Listener = Callable[[Step], Awaitable[None]]


@dataclass(slots=True)
class Opening:
    """A memory that tells when the client has taken up what was kept: before that its state says nothing."""

    memory: Memory
    opened: asyncio.Event = field(default_factory=asyncio.Event)

    async def load(self) -> object:
        """What was saved last; the client has it before anybody who waits goes on."""
        found = await self.memory.load()
        self.opened.set()
        return found

    async def save(self, value: object) -> None:
        """Keep a value in place of the last."""
        await self.memory.save(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What a client is given: where it keeps, who is told of steps, what devices tell, and the time."""

    memory: Opening
    listener: Listener
    serving: Serving
    live: Callable[[], Mapping[str, Live]]
    time: Callable[[], float]


class Wire(Protocol):
    """A client of either profile."""

    @property
    def state(self) -> State:
        """All events now."""
        ...

    @property
    def registration(self) -> str:
        """Which registration at the VTN this is; "" while there is none."""
        ...

    async def run(self) -> None:
        """Be a VEN until cancelled."""
        ...

    async def tell(self, opts: tuple[CreateOpt, ...], away: Mapping[str, tuple[str, ...]]) -> None:
        """Owe what devices say to the VTN; kept on return. 2.0b has `opts` of resources.

        3.x has none: `away` are by event all resources that do not take part.
        """
        ...

    async def opt(self, event: str, opt: OptType, resources: tuple[str, ...]) -> None:
        """A person opts an event, or resources of it, in or out; kept on return. Raises OptError."""
        ...

    async def add_schedule(self, schedule: CreateOpt) -> None:
        """An availability schedule; kept on return. Raises OptError."""
        ...

    async def cancel_opt(self, opt_id: str) -> None:
        """A schedule is taken back; kept on return. Raises OptError."""
        ...


class Wire20b:
    """The client of 2.0b."""

    def __init__(self, settings: VenSettings, around: Around) -> None:
        vtn, clock = settings.vtn, v2b.SystemClock(around.time)
        self._transport = v2b.HttpTransport(vtn.url, context_20b(vtn))
        self._desk = v2b.Desk(around.memory, clock, _new_id, around.listener)
        self._ven = v2b.Ven(
            v2b.Settings(
                venName=settings.name,
                enrolment=settings.enrolment,
                draw=uniform(chance),
                judge=_judge(settings, around),
                offers=offers_of(settings),
                poll_s=vtn.poll_s,
            ),
            exchange_of(vtn, self._transport, around.time),
            self._desk,
            clock,
            around.serving,
            chance=chance,
            new_id=_new_id,
        )

    @property
    def state(self) -> State:
        """All events now."""
        return self._desk.kept.state

    @property
    def registration(self) -> str:
        """The IDs that the VTN gave us."""
        known = self._desk.kept.registration
        return "" if known is None else f"{known.registrationID} {known.venID}"

    async def run(self) -> None:
        """Be a VEN until cancelled."""
        async with self._transport:
            await self._ven.run()

    async def tell(self, opts: tuple[CreateOpt, ...], away: Mapping[str, tuple[str, ...]]) -> None:
        """Owe opts to the VTN; the state of the events stays as it is. OpenADR 2.0b, R206."""
        del away
        if opts:
            await self._desk.decide(lambda state, _: Step(state=state, opts=opts))

    async def opt(self, event: str, opt: OptType, resources: tuple[str, ...]) -> None:
        """A person opts in or out: told by an oadrCreatedEvent, or by an oadrCreateOpt of resources."""
        if resources:
            await self._ven.opt_resources(event, resources, opt, REASONS[opt])
        else:
            await self._ven.opt_event(event, opt)

    async def add_schedule(self, schedule: CreateOpt) -> None:
        """A schedule: told by an oadrCreateOpt. OpenADR 2.0b, R210."""
        await self._ven.add_schedule(schedule)

    async def cancel_opt(self, opt_id: str) -> None:
        """A schedule is taken back by an oadrCancelOpt."""
        await self._ven.cancel_opt(opt_id)


class Wire3:
    """The client of 3.x."""

    def __init__(self, settings: VenSettings, around: Around) -> None:
        self._ven = VenClient(
            settings_3(settings),
            around.memory,
            Surroundings(
                listener=around.listener,
                judge=_judge(settings, around),
                meter=around.serving,
                time=around.time,
                random=chance,
            ),
        )

    @property
    def state(self) -> State:
        """All events now."""
        return self._ven.kept.state

    @property
    def registration(self) -> str:
        """3.x has none: always the same."""
        return "3.x"

    async def run(self) -> None:
        """Be a VEN until cancelled."""
        await self._ven.run()

    async def tell(self, opts: tuple[CreateOpt, ...], away: Mapping[str, tuple[str, ...]]) -> None:
        """There are no opts in 3.x: OPERATING_STATE tells who is out, asked for or not."""
        del opts
        await self._ven.stay_away(away)

    async def opt(self, event: str, opt: OptType, resources: tuple[str, ...]) -> None:
        """A person opts in or out: told by an OPERATING_STATE report."""
        await self._ven.opt(event, opt, resources)

    async def add_schedule(self, schedule: CreateOpt) -> None:
        """A schedule: an OPERATING_STATE report of each event that it turns."""
        await self._ven.add_schedule(schedule)

    async def cancel_opt(self, opt_id: str) -> None:
        """A schedule is taken back: the same."""
        await self._ven.cancel_opt(opt_id)


def wire_of(settings: VenSettings, around: Around) -> Wire:
    """The client that the profile wants. SettingsError, CertsError for files that cannot be used."""
    return Wire20b(settings, around) if settings.vtn.profile is Profile.V20B else Wire3(settings, around)


async def kept_state(settings: VenSettings, memory: Memory) -> tuple[State, str]:
    """The events that were kept, and our venID, "" for none. Raises KeptError for what is damaged."""
    found = await memory.load()
    if settings.vtn.profile is not Profile.V20B:
        held = kept_3(found)
        return held.state, held.ven_id or ""
    kept = kept_20b(found)
    return kept.state, "" if kept.registration is None else kept.registration.venID


def context_20b(vtn: VtnSettings) -> PinningContext | None:
    """TLS to a VTN of 2.0b; None for plain HTTP with this machine."""
    if vtn.certificate is None or vtn.key is None or vtn.roots is None or vtn.url.startswith("http:"):
        return None
    return openadr_client_context(
        vtn.certificate, vtn.key, vtn.roots, fingerprint=vtn.fingerprint, is_strict=vtn.strict_ciphers
    )


def exchange_of(vtn: VtnSettings, transport: v2b.HttpTransport, time: Callable[[], float]) -> v2b.Exchange:
    """Messages there and back, signed where that is wanted. SettingsError for a key that cannot sign."""
    if not vtn.is_signed:
        return v2b.Exchange(transport, time, _new_id)
    return v2b.Exchange(transport, time, _new_id, _signer(vtn), Verifier(ReplayGuard(), vtn.signers))


def settings_3(settings: VenSettings) -> Settings:
    """The settings of a client of 3.x. SettingsError."""
    vtn = settings.vtn
    hook = vtn.webhook
    return Settings(
        url=vtn.url,
        version=Version(vtn.profile.value),
        venName=settings.name,
        enrolment=settings.enrolment,
        credentials=credentials_of(vtn),
        tls=context_3(vtn),
        webhook=None if hook is None else Webhook(url=hook.url, host=hook.host, port=hook.port),
        is_mqtt=vtn.is_mqtt,
        poll_s=vtn.poll_s,
    )


def credentials_of(vtn: VtnSettings) -> Credentials | None:
    """What identifies us at a VTN of 3.x."""
    if vtn.client_id is None or vtn.client_secret_file is None:
        return None
    secret = secret_of(vtn.client_secret_file, "vtn.client_secret_file")
    return Credentials(
        client_id=vtn.client_id, client_secret=secret, scope=vtn.scope, token_url=vtn.token_url
    )


def context_3(vtn: VtnSettings) -> TlsContext | None:
    """TLS to a VTN of 3.x; None takes the roots of the system."""
    if vtn.url.startswith("http:"):
        return None
    if vtn.certificate is not None and vtn.key is not None and vtn.roots is not None:
        return openadr_client_context(vtn.certificate, vtn.key, vtn.roots, fingerprint=vtn.fingerprint)
    return operator_client_context(vtn.roots)


def descriptions_of(settings: VenSettings) -> dict[str, tuple[Description, ...]]:
    """What 2.0b may ask for, by reportSpecifierID: power and energy of each resource, and its status."""
    names = [one.name for one in settings.enrolment.resources]
    measured = tuple(
        Description(rID=f"{name} {word}", quantity=quantity, resources=(name,))
        for name in names
        for word, quantity in (("power", Quantity.POWER), ("energy", Quantity.ENERGY))
    )
    states = tuple(
        Description(rID=f"{name} status", quantity=Quantity.STATUS, resources=(name,)) for name in names
    )
    return {"usage": measured, "history": measured, "status": states}


def offers_of(settings: VenSettings) -> tuple[ReportOffer, ...]:
    """Metadata of these reports."""
    kinds = {
        "usage": ReportName.TELEMETRY_USAGE,
        "history": ReportName.HISTORY_USAGE,
        "status": ReportName.TELEMETRY_STATUS,
    }
    sampling = Sampling(least_s=max(1, round(settings.server.look_s)), most_s=SAMPLED_S)
    return tuple(
        offer_of(name, kinds[name], described, sampling=sampling, buffer_s=BUFFER_S)
        for name, described in descriptions_of(settings).items()
    )


def _signer(vtn: VtnSettings) -> Signer:
    certificate, key = vtn.certificate or Path(), vtn.key or Path()
    try:
        return Signer.of_files(certificate, key)
    except (OSError, ValueError, TypeError) as flaw:
        raise SettingsError(f"vtn.key: {key} cannot sign: {flaw}") from flaw


def _judge(settings: VenSettings, around: Around) -> Judge:
    return judge_of(settings.fleet, settings.by_context, around.live)


def _new_id() -> str:
    return uuid.uuid4().hex
