"""What a client of a procedure does at the server, and what must come back in every procedure."""

from __future__ import annotations

import secrets
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit

from conformance_tests.aus import server_making as making
from conformance_tests.aus.nmi import valid_nmi
from conformance_tests.aus.server_client import Made, Seen, Subscribed
from conformance_tests.aus.server_deeds import (
    Collect,
    Discover,
    Forget,
    Found,
    Listen,
    Mirror,
    Pause,
    PostDevice,
    PostReadings,
    PutCapability,
    PutConnectionPoint,
    PutSettings,
    PutStatus,
    PutUntimedSettings,
    Refresh,
    Respond,
    RespondWrongly,
    Subscribe,
    Unsubscribe,
)
from conformance_tests.aus.server_notices import take
from conformance_tests.aus.server_walk import ITEMS, Walk, answered, class_of, fetch, link_of, read
from conformance_tests.case import Level
from schemas import MEDIA_TYPE, Codec, Error, Malformed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from conformance_tests.aus.server_client import Client
    from conformance_tests.aus.server_deeds import Deed
    from conformance_tests.aus.server_notices import Inbox
    from conformance_tests.evidence import Exchange
    from conformance_tests.server.bench import ServerBench
    from schemas import DERControl

GONE: Final = frozenset({401, 403, 404})
NO_STATUS: Final = 99
"""A status of a Response that nobody knows."""
SUBSCRIBABLE: Final = frozenset({1, 3})
ANSWER: Final = {0: (1,), 1: (1, 2), 2: (6,), 3: (6,), 4: (7,)}
"""Statuses of Responses that are due by EventStatus. IEEE 2030.5-2018, 10.2.3."""
COMPLETED: Final = 3


class Doing:
    """The deeds of one client; `knows` is the client whose discoveries are used."""

    def __init__(self, bench: ServerBench, client: Client, knows: Client, inbox: Inbox | None) -> None:
        self.bench = bench
        self.trial = bench.trial
        self.client = client
        self.knows = knows
        self.inbox = inbox
        self.codec = Codec(client.viewer.profile)

    async def do(self, deed: Deed) -> None:
        """Do one deed."""
        await DEEDS[type(deed)](self, deed)

    # --- reading ---

    async def discover(self, deed: Discover) -> None:
        """Walk from the DeviceCapability."""
        await Walk(self.client, self.trial, deed.limit).run(deed.resources)

    async def refresh(self, deed: Refresh) -> None:
        """Read what was found of a kind again."""
        held = [self.knows.own_device()] if deed.resource is Found.EDEV else self.knows.seen(deed.resource)
        places = [one for one in held if one is not None]
        self.trial.require(places, f"a {deed.resource} was found before", seen="none")
        if deed.refused or deed.or_empty:
            await self._refused_read(deed, places[0])
        elif deed.resource in ITEMS.values():
            await Walk(self.client, self.trial).again(deed.resource)
        else:
            self.client.found[deed.resource] = [await self._again(one) for one in places]

    async def _again(self, seen: Seen) -> Seen:
        exchange = await fetch(self.client, seen.href)
        return replace(seen, value=read(self.client, self.trial, exchange, seen.kind))

    async def _refused_read(self, deed: Refresh, seen: Seen) -> None:
        exchange = await fetch(self.client, seen.href)
        if deed.or_empty and exchange.status == 200:
            page = read(self.client, self.trial, exchange, deed.resource)
            numbers = getattr(page, "all", None), getattr(page, "results", None)
            self.trial.require(numbers == (0, 0), "the list is empty", seen=f"all, results: {numbers}")
            return
        self._refused(exchange, f"GET of the {deed.resource}")

    async def pause(self, deed: Pause) -> None:
        """Let time pass."""
        await self.bench.until(await self.bench.now() + deed.seconds)

    async def forget(self, deed: Forget) -> None:
        """Forget what was found."""
        for kind in deed.resources:
            self.client.found[kind] = []

    # --- writing ---

    async def post_device(self, deed: PostDevice) -> None:
        """Register an EndDevice."""
        href = self._place(Found.EDEV_LIST)
        device = making.end_device(self.client, self.knows.lfdi, self.knows.sfdi, await self.bench.now())
        body = self.codec.encode(device)
        if deed.lfdi:
            body = body.replace(f">{self.knows.lfdi}<".encode(), f">{deed.lfdi}<".encode())
        exchange = await self._send("POST", href, body)
        if deed.refused:
            return self._refused(exchange, "POST of the EndDevice")
        value, at = await self._made(exchange, Found.EDEV, device)
        self.client.found.setdefault(Found.EDEV, []).append(Seen(Found.EDEV, value, at))
        return None

    async def put_status(self, deed: PutStatus) -> None:
        """Tell DERStatus."""
        await self._put_der(Found.DER_STATUS, making.der_status(deed, await self.bench.now()), deed.refused)

    async def put_capability(self, deed: PutCapability) -> None:
        """Tell DERCapability."""
        await self._put_der(Found.DER_CAPABILITY, making.der_capability(self.client, deed))

    async def put_settings(self, deed: PutSettings) -> None:
        """Tell DERSettings."""
        now_s = await self.bench.now()
        await self._put_der(Found.DER_SETTINGS, making.der_settings(self.client, deed, now_s))

    async def put_untimed_settings(self, _: PutUntimedSettings) -> None:
        """Tell DERSettings without updatedTime; they must be refused and change nothing."""
        href, now_s = self._der_link(Found.DER_SETTINGS), await self.bench.now()
        before = await fetch(self.client, href)
        body = self.codec.encode(making.der_settings(self.client, PutSettings(4000, 500, 1, 1), now_s))
        timed = f"<updatedTime>{now_s}</updatedTime>".encode()
        exchange = await self._send("PUT", href, body.replace(timed, b""))
        self._refused(exchange, "PUT of DERSettings without updatedTime")
        after = await fetch(self.client, href)
        same = (before.status, before.body) == (after.status, after.body)
        self.trial.check(
            same, "what was refused changes nothing", seen=f"{before.status}, then {after.status}"
        )

    async def put_connection_point(self, deed: PutConnectionPoint) -> None:
        """Tell where the device is connected."""
        own = self.client.own_device()
        href = link_of(own.value, Found.CONNECTION_POINT) if own else None
        self.trial.require(href, "the EndDevice has a ConnectionPointLink", seen="none")
        text = deed.invalid or valid_nmi(deed.valid or 1)
        point = class_of(self.client, Found.CONNECTION_POINT)(connectionPointId=text)
        at = urljoin(own.href if own else "", href or "")
        await self._put(at, Found.CONNECTION_POINT, point, refused=bool(deed.invalid))

    async def _put_der(self, kind: Found, value: object, refused: bool = False) -> None:
        await self._put(self._der_link(kind), kind, value, refused=refused)

    async def _put(self, href: str, kind: Found, value: object, *, refused: bool = False) -> None:
        exchange = await self.client.viewer.put(href, value)
        if refused:
            return self._refused(exchange, f"PUT of the {kind}")
        answered(self.trial, exchange, f"PUT of the {kind}")
        stored = read(self.client, self.trial, await fetch(self.client, href), kind)
        return self._same(value, stored, kind)

    # --- mirrors ---

    async def mirror(self, deed: Mirror) -> None:
        """Make a mirror, or replace the one of the same mRID."""
        point = making.usage_point(self.client, deed)
        exchange = await self.client.viewer.post(self._place(Found.MUP_LIST), point)
        if deed.refused:
            return self._refused(exchange, "POST of the MirrorUsagePoint")
        known = self.client.mirrors.get(deed.tag)
        at = known.href if known and not exchange.header("Location") else ""
        value, href = await self._made(exchange, Found.MUP, point, at)
        mrids = tuple(one.mRID for one in point.MirrorMeterReading_)
        self.client.mirrors[deed.tag] = Made(point, href, tuple(zip(deed.types, mrids, strict=True)))
        others = [one for one in self.client.seen(Found.MUP) if one.href != href]
        self.client.found[Found.MUP] = [*others, Seen(Found.MUP, value, href)]
        return None

    async def post_readings(self, deed: PostReadings) -> None:
        """Send readings to a mirror."""
        made = self.client.mirrors[deed.tag]
        types = {one.mRID: one.ReadingType_ for one in made.sent.MirrorMeterReading_}
        known = dict(made.readings)
        mrids = dict(zip(deed.values, deed.reading_mrids, strict=True)) if deed.reading_mrids else known
        values = {}
        for what, row in deed.values.items():
            kind = types.get(mrids[what])
            multiplier = making.multiplier_of(what, kind.powerOfTenMultiplier if kind else None)
            values[what] = [round(one / 10**multiplier) for one in row]
        body = making.readings(self.client, values, mrids, await self.bench.now())
        exchange = await self.client.viewer.post(made.href, body)
        if deed.refused:
            self._refused(exchange, "POST of the readings")
        else:
            answered(self.trial, exchange, "POST of the readings")

    # --- subscriptions ---

    async def subscribe(self, deed: Subscribe) -> None:
        """Subscribe to what was found."""
        lists = {one.href for one in self.client.seen(Found.SUB_LIST)}
        if not lists:
            await Walk(self.client, self.trial).run([Found.SUB_LIST])
            lists = {one.href for one in self.client.seen(Found.SUB_LIST)}
        self.trial.require(len(lists) == 1, "exactly one SubscriptionList is found", seen=sorted(lists))
        held = self.client.seen(deed.resource)
        self.trial.require(held, f"a {deed.resource} was found before", seen="none")
        target = held[-1]
        flag = getattr(target.value, "subscribable", None)
        self._should(flag in SUBSCRIBABLE, f"`subscribable` of the {deed.resource} is 1 or 3", flag)
        uri = self._inbox().uri_of(deed.tag)
        wanted = making.subscription(urlsplit(target.href).path, uri)
        exchange = await self.client.viewer.post(lists.pop(), wanted)
        _, href = await self._made(exchange, Found.SUB, wanted)
        self.client.subscriptions[deed.tag] = Subscribed(wanted.subscribedResource, href, uri)

    async def unsubscribe(self, deed: Unsubscribe) -> None:
        """End a subscription."""
        href = self.client.subscriptions.pop(deed.tag).href
        answered(self.trial, await self.client.viewer.delete(href), "DELETE of the Subscription")
        status = (await fetch(self.client, href)).status
        self.trial.require(status in GONE, "a Subscription that was deleted is gone", seen=status)

    async def collect(self, deed: Collect) -> None:
        """Take the Notifications that came."""
        held = self.client.subscriptions[deed.tag]
        take(self.client, held, self._inbox().arrived(deed.tag), self.trial)

    async def listen(self, deed: Listen) -> None:
        """Take Notifications from now on, or refuse them."""
        self._inbox().take(deed.tag, taken=deed.taken)

    # --- responses ---

    async def respond(self, _: Respond) -> None:
        """Answer each control that was found by its EventStatus; a control that is over, as completed."""
        now_s = await self.bench.now()
        for seen in self.client.seen(Found.DERC):
            control: DERControl = seen.value  # type: ignore[assignment]  # of kind DERControl
            state, end_s = (
                control.EventStatus_.currentStatus,
                control.interval.start + control.interval.duration,
            )
            due = ANSWER.get(state, ())
            if state <= 1 and now_s >= end_s:
                due = (1, 2, COMPLETED)
            for status in due:
                if (control.mRID, status) not in self.client.sent:
                    await self._respond(seen, control, status, now_s)

    async def _respond(self, seen: Seen, control: DERControl, status: int, now_s: int) -> None:
        whole = (control.replyTo is None) == (control.responseRequired is None)
        self._should(whole, "a control has both replyTo and responseRequired, or neither", control.mRID)
        self.trial.require(control.replyTo, "a control has replyTo", seen="none")
        body = making.control_response(self.client.lfdi, control.mRID, status, now_s)
        exchange = await self.client.viewer.post(urljoin(seen.href, control.replyTo or ""), body)
        answered(self.trial, exchange, f"POST of a Response of status {status}")
        self.client.sent.append((control.mRID, status))

    async def respond_wrongly(self, deed: RespondWrongly) -> None:
        """Send a Response that must be refused."""
        found = self.client.seen(Found.DERC)
        self.trial.require(found, "a DERControl was found before", seen="none")
        control: DERControl = found[0].value  # type: ignore[assignment]  # of kind DERControl
        self.trial.require(control.replyTo, "a control has replyTo", seen="none")
        body = making.control_response(
            secrets.token_hex(20).upper() if deed.unknown_device else self.client.lfdi,
            making.new_mrid(self.client) if deed.unknown_event else control.mRID,
            NO_STATUS if deed.unknown_status else 1,
            await self.bench.now(),
        )
        exchange = await self.client.viewer.post(urljoin(found[0].href, control.replyTo or ""), body)
        self._refused(exchange, f"POST of a Response with {_flaw(deed)}")

    # --- what holds of every exchange ---

    async def _made(self, exchange: Exchange, kind: Found, sent: object, at: str = "") -> tuple[object, str]:
        """What a POST made, read again; `at` is where it is if it was known before."""
        answered(self.trial, exchange, f"POST of the {kind}")
        location = exchange.header("Location")
        self.trial.require(location or at, f"POST of the {kind} tells its Location", seen="none")
        href = urljoin(exchange.uri, location) if location else at
        value = read(self.client, self.trial, await fetch(self.client, href), kind)
        self._same(sent, value, kind)
        return value, href

    def _same(self, sent: object, stored: object, kind: Found) -> None:
        """What is read again says what was sent, but for what the server adds."""
        differing = [
            one.name
            for one in fields(sent)  # type: ignore[arg-type]  # resources are dataclasses
            if (value := getattr(sent, one.name)) is not None
            and one.name not in {"href", "changedTime", "MirrorMeterReading_", "postRate"}
            and getattr(stored, one.name, None) != value
        ]
        self._should(
            not differing, f"the {kind} is stored as it was sent", f"differs: {', '.join(differing)}"
        )

    def _refused(self, exchange: Exchange, what: str) -> None:
        """The request must be refused with a 4xx; what its body has must be an Error."""
        status = exchange.status or 0
        self.trial.check(400 <= status < 500, f"{what} is refused with a 4xx", seen=status)
        if exchange.body:
            try:
                value: object = self.codec.decode_any(exchange.body)
            except Malformed as flaw:
                value = flaw
            self._should(isinstance(value, Error), "the body of a refusal is an Error", type(value).__name__)

    async def _send(self, method: str, href: str, body: bytes) -> Exchange:
        headers = {"Content-Type": MEDIA_TYPE, "Accept": MEDIA_TYPE}
        return await self.client.viewer.send(method, href, body, headers)

    def _should(self, held: object, what: str, seen: object) -> None:
        if not held:
            self.trial.check(held, what, seen=seen, level=Level.SHOULD)

    def _place(self, kind: Found) -> str:
        held = self.knows.seen(kind) or self.client.seen(kind)
        self.trial.require(held, f"a {kind} was found before", seen="none")
        return held[0].href

    def _der_link(self, kind: Found) -> str:
        ders = self.knows.seen(Found.DER)
        href = link_of(ders[0].value, kind) if ders else None
        self.trial.require(href, f"the DER has a {kind}Link", seen="none")
        return urljoin(ders[0].href, href or "")

    def _inbox(self) -> Inbox:
        if self.inbox is None:
            self.trial.skip("needs an address at which the server may notify the runner")
        return self.inbox


def _flaw(deed: RespondWrongly) -> str:
    if deed.unknown_event:
        return "an mRID of no event"
    return "an LFDI of no device" if deed.unknown_device else f"status {NO_STATUS}"


DEEDS: Final[dict[type, Callable[..., Awaitable[None]]]] = {
    Discover: Doing.discover,
    Refresh: Doing.refresh,
    Pause: Doing.pause,
    Forget: Doing.forget,
    PostDevice: Doing.post_device,
    PutStatus: Doing.put_status,
    PutCapability: Doing.put_capability,
    PutSettings: Doing.put_settings,
    PutUntimedSettings: Doing.put_untimed_settings,
    PutConnectionPoint: Doing.put_connection_point,
    Mirror: Doing.mirror,
    PostReadings: Doing.post_readings,
    Subscribe: Doing.subscribe,
    Unsubscribe: Doing.unsubscribe,
    Collect: Doing.collect,
    Listen: Doing.listen,
    Respond: Doing.respond,
    RespondWrongly: Doing.respond_wrongly,
}
