"""Whether a client has done what a procedure wants: by what the stage holds, and by what reached it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from certs import parse_lfdi, sfdi_of
from conformance_tests.aus.client_polling import polled
from conformance_tests.aus.client_readings import counted
from conformance_tests.aus.client_reports import is_as, part
from conformance_tests.aus.client_words import (
    Device,
    Devices,
    Mirrored,
    Notified,
    Polled,
    Requested,
    Responded,
    Silent,
    Stored,
    Subscribed,
)
from conformance_tests.case import Level
from schemas import PriceResponse, Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance_tests.aus.client_scene import Scene
    from conformance_tests.aus.client_serving import PlayedDispatch
    from conformance_tests.aus.client_words import Check
    from conformance_tests.aus.values import Facts
    from conformance_tests.client.seen import Seen

IN_FORCE: Final = frozenset({200, 201, 204})


@dataclass(frozen=True, slots=True)
class Checked:
    """One thing that must be so, whether it is, and what was seen."""

    held: bool
    what: str
    seen: str
    level: Level | None = None


class Checking:
    """The checks of a procedure on one client. With `since` only requests from that number on count."""

    def __init__(self, scene: Scene, dispatch: PlayedDispatch) -> None:
        self.scene = scene
        self.dispatch = dispatch
        self.bench = scene.bench
        self.pending: Seen | None = None
        """A request that was answered and is not yet in the record."""

    def check(self, check: Check) -> Checked:
        """Whether a check holds now."""
        return CHECKS[type(check)](self, check)

    def device(self, check: Device) -> Checked:
        """Whether the EndDevice is as it must be."""
        device = self.scene.device(1)
        if device is None:
            return Checked(False, "the client has its EndDevice", "none")
        value: Any = self.bench.stage.tree.held[device.href].resource
        flaws = self._differing(check.facts, value)
        if check.identity:
            flaws += self._identity(value)
        point = self.dispatch.points.get(self.scene.points[device.href])
        if check.connection_point and not getattr(point, "connectionPointId", ""):
            flaws.append("no connection point id")
        what = "the client has its EndDevice" + (", with all that it must tell" if check != Device() else "")
        return Checked(not flaws, what, "; ".join(flaws) or device.lfdi)

    def _identity(self, value: Any) -> list[str]:  # noqa: ANN401  an EndDevice of any profile
        lfdi, own = str(value.lFDI or "").upper(), self.bench.lfdi.upper()
        flaws = []
        if not lfdi or value.sFDI != sfdi_of(parse_lfdi(lfdi)):
            flaws.append(f"sFDI {value.sFDI} does not follow from lFDI {lfdi}")
        is_own = lfdi == own or (lfdi in self._others() and lfdi[-8:] == own[-8:])
        if not is_own:
            flaws.append(f"lFDI {lfdi} is neither the certificate's nor of the aggregator's PEN")
        return flaws

    def _others(self) -> set[str]:
        return {one.upper() for one in self.bench.devices} - {self.bench.lfdi.upper()}

    def devices(self, check: Devices) -> Checked:
        """How many EndDevices the client has."""
        count = len(self.scene.devices)
        return Checked(count == check.number, f"the client has {check.number} EndDevices", str(count))

    def stored(self, check: Stored) -> Checked:
        """Whether a part of the DER was told."""
        value = part(self.bench.stage.tree, self.scene.device(1), check.part)
        told = ", ".join(sorted({name for name, _ in check.facts}))
        what = f"the client has told its {check.part}" + (f": {told}" if told else "")
        if value is None:
            return Checked(False, what, "nothing")
        flaws = self._differing(check.facts, value)
        return Checked(not flaws, what, "; ".join(flaws) or "it has")

    def _differing(self, facts: Facts, value: object) -> list[str]:
        return [
            f"{name} is {getattr(value, name, None)}"
            for name, wanted in facts
            if not is_as(getattr(value, name, None), wanted, self.scene.amount)
        ]

    def mirrored(self, check: Mirrored) -> Checked:
        """Whether enough readings were mirrored."""
        count = counted(self.bench, check.quantity)
        what = f"at least {check.at_least} readings of the {check.quantity} were mirrored"
        return Checked(count >= check.at_least, what, str(count))

    def subscribed(self, check: Subscribed) -> Checked:
        """Whether the client is subscribed."""
        href, held = self.scene.href(check.place), self.scene.subscribed()
        what = f"the client has subscribed to its {check.place.kind}"
        return Checked(href in held, what, f"subscribed to {len(held)} resources")

    def _replies(self, prices: bool) -> list[Seen]:
        seen = [one for one in self.bench.requests if one.status in IN_FORCE]
        seen += [self.pending] if self.pending is not None else []
        posted = [one for one in seen if isinstance(one.resource, Response) and one.method == "POST"]
        return [one for one in posted if isinstance(one.resource, PriceResponse) is prices]

    def responded(self, check: Responded) -> Checked:
        """Whether a Response came."""
        tariffs = [(tag, event) for tag, event, _ in self.scene.tariffs.intervals]
        events = tariffs if check.prices else self.scene.controls
        mrids = [event.mrid for tag, event in events if not check.tag or tag == check.tag]
        replies = [(subject_of_event(one), status_of(one)) for one in self._replies(check.prices)]
        replies = [one for one in replies if not check.tag or one[0] in mrids]
        what = f"a Response of status {check.status} came" + (f" to {check.tag}" if check.tag else "")
        if check.to_all:
            silent = [tag or event.mrid for tag, event in events if (event.mrid, check.status) not in replies]
            what = f"a Response of status {check.status} came to each of {len(events)} controls"
            return Checked(
                not silent and bool(events), what, f"none to {', '.join(silent)}" if silent else "all"
            )
        wanted = replies[-1:] if check.latest else replies
        came = any(status == check.status for _, status in wanted)
        return Checked(
            came is check.came, what + (", the last one" if check.latest else ""), str(replies[-4:])
        )

    def polled(self, check: Polled) -> Checked:
        """Whether resources were polled in time."""
        flaws = []
        for place in check.places:
            href = self.scene.href(place)
            times = [one.elapsed_s for one in self.bench.reads(href or "")]
            flaw = polled(times, check.every_s, self.bench.clock.elapsed_s())
            flaws += [f"{place.kind}: {flaw}"] if flaw else []
        what = f"{len(check.places)} resources were read once in {check.every_s} s"
        return Checked(not flaws, what, "; ".join(flaws) or "all")

    def requested(self, check: Requested) -> Checked:
        """How often resources were read."""
        count = sum(one.method == "GET" and one.route in check.types for one in self.bench.requests)
        what = f"{', '.join(check.types)} were read {check.at_least} to {check.at_most} times"
        return Checked(check.at_least <= count <= check.at_most, what, str(count))

    def notified(self, _: Notified) -> Checked:
        """Whether every Notification was taken."""
        sent = self.bench.notified
        lost = [one for one in sent if one.answer is None or not 200 <= one.answer < 300]
        held = bool(sent) and not lost
        return Checked(
            held, "every Notification was taken with a 2xx", f"{len(sent)} sent, {len(lost)} not taken"
        )

    def silent(self, check: Silent) -> Checked:
        """Whether nothing was written since a place was read; no public tester fails a client by it."""
        href, seen = self.scene.href(check.after), self.bench.requests
        read = [one.number for one in seen if one.is_read and one.path == href]
        wrote = [one for one in seen if read and not one.is_read and one.number > read[0]]
        what = f"the client writes nothing once it has read its {check.after.kind}"
        told = f"{wrote[0].method} of a {wrote[0].route}" if wrote else "nothing"
        return Checked(bool(read) and not wrote, what, told if read else "never read", Level.SHOULD)


def subject_of_event(seen: Seen) -> str:
    """The mRID to which a Response is."""
    return str(getattr(seen.resource, "subject", "")).upper()


def status_of(seen: Seen) -> int | None:
    """The status in a Response."""
    status: int | None = getattr(seen.resource, "status", None)
    return status


CHECKS: Final[dict[type, Callable[..., Checked]]] = {
    Device: Checking.device,
    Devices: Checking.devices,
    Stored: Checking.stored,
    Mirrored: Checking.mirrored,
    Subscribed: Checking.subscribed,
    Responded: Checking.responded,
    Polled: Checking.polled,
    Requested: Checking.requested,
    Notified: Checking.notified,
    Silent: Checking.silent,
}
