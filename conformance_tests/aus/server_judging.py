"""Whether what a client found and sent is as a procedure wants it: pure functions of the client."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from conformance_tests.aus.server_deeds import Found
from conformance_tests.aus.server_making import ROLE, UNIT
from conformance_tests.aus.server_resolve import has_modes
from conformance_tests.aus.server_walk import link_of
from conformance_tests.aus.server_words import (
    Answered,
    Assignments,
    Between,
    Controls,
    Defaults,
    DeviceLists,
    Discovered,
    InTime,
    Mirrors,
    OwnDevice,
    PollRate,
    Programs,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from conformance_tests.aus.server_client import Client, Seen
    from conformance_tests.aus.server_words import Test

CLOCK_S: Final = 10
"""How far the clock of a server may be from the runner's, s."""
POLL_S: Final = 900
"""pollRate where a resource has none, s. IEEE 2030.5-2018, B.2.3.3."""
DER_LINKS: Final = frozenset({Found.DER_CAPABILITY, Found.DER_SETTINGS, Found.DER_STATUS})


@dataclass(frozen=True, slots=True)
class Judged:
    """One thing that must be so, whether it is, and what was seen."""

    held: bool
    what: str
    seen: str


@dataclass(frozen=True, slots=True)
class Agreed:
    """What was agreed beside the wire: the PIN."""

    pin: int


def judge(client: Client, check: Test, agreed: Agreed) -> Judged:
    """Whether a check holds for a client."""
    return JUDGES[type(check)](client, check, agreed)


def _discovered(client: Client, check: Discovered, _: Agreed) -> Judged:
    missing = [str(kind) for kind in check.resources if not client.seen(kind)]
    missing += [f"link to {kind}" for kind in check.links if not _linked(client, kind)]
    wanted = ", ".join([*check.resources, *(f"link to {kind}" for kind in check.links)])
    return Judged(not missing, f"found: {wanted}", f"missing: {', '.join(missing)}" if missing else "all")


def _linked(client: Client, kind: Found) -> bool:
    if kind in DER_LINKS:
        return any(link_of(one.value, kind) for one in client.seen(Found.DER))
    own = client.own_device()
    return own is not None and link_of(own.value, kind) is not None


def _own_device(client: Client, check: OwnDevice, agreed: Agreed) -> Judged:
    own = client.own_device()
    if own is None or not check.there:
        what = f"the EndDevice of {client.name} is {'there' if check.there else 'not there'}"
        return Judged((own is not None) is check.there, what, "there" if own else "not there")
    sfdi = getattr(own.value, "sFDI", None)
    if check.pin:
        pins = [getattr(one.value, "pIN", None) for one in client.seen(Found.REGISTRATION)]
        held = sfdi == client.sfdi and pins == [agreed.pin]
        return Judged(
            held,
            "Registration has the PIN that was agreed",
            "another, or no Registration" if not held else "it",
        )
    return Judged(
        sfdi == client.sfdi, f"the EndDevice of {client.name} has its SFDI {client.sfdi}", str(sfdi)
    )


def _in_time(client: Client, _: InTime, __: Agreed) -> Judged:
    """A Time is right where it is of some moment between request and answer."""
    what = f"the clock of the server is right to {CLOCK_S} s"
    seen = next(iter(client.seen(Found.TIME)), None)
    if seen is None or seen.read_s is None:
        return Judged(held=False, what=what, seen="no Time")
    asked_s, came_s = seen.read_s
    time_s = getattr(seen.value, "currentTime", 0)
    off_s = time_s - min(max(time_s, asked_s), came_s)
    return Judged(abs(off_s) <= CLOCK_S, what, f"{off_s:.0f} s off")


def _number(found: Iterable[object], number: Between, what: str, among: int) -> Judged:
    count = len(list(found))
    least, most = number.at_least, number.at_most
    held = (least is None or count >= least) and (most is None or count <= most)
    bounds = f"{least if least is not None else 0} to {most if most is not None else 'any number'}"
    return Judged(held, f"{bounds} {what}", f"{count} of {among}")


def _told(client: Client, kind: Found, subscription: str) -> Sequence[Seen]:
    """What was found of a kind, or what Notifications of a subscription told; each resource once."""
    held = client.subscriptions.get(subscription)
    rows = [one for one in held.told if one.kind is kind] if held else client.seen(kind)
    return list({_name(one): one for one in rows}.values())


def _name(seen: Seen) -> str:
    return str(getattr(seen.value, "mRID", None) or seen.href)


def _is_control(seen: Seen, check: Controls) -> bool:
    value = seen.value
    base, interval = getattr(value, "DERControlBase_", None), getattr(value, "interval", None)
    state = getattr(getattr(value, "EventStatus_", None), "currentStatus", None)
    required = int(getattr(value, "responseRequired", None) or "00", 16)
    ramp = getattr(base, "rampTms", None)
    wants: list[tuple[object, object]] = [
        (check.status, state),
        (check.ramp, ramp),
        (check.response_required, required),
        (check.duration_s, getattr(interval, "duration", None)),
        (check.randomize_start_s, getattr(value, "randomizeStart", None)),
    ]
    plain = all(wanted is None or wanted == held for wanted, held in wants)
    unramped = not check.unramped or ramp is None
    return plain and unramped and has_modes(base, check.modes) and _of_primacy(seen, check.primacy)


def _of_primacy(seen: Seen, primacy: int | None) -> bool:
    program = seen.above(Found.DERP)
    return primacy is None or (program is not None and getattr(program.value, "primacy", None) == primacy)


def _controls(client: Client, check: Controls, _: Agreed) -> Judged:
    rows = _told(client, Found.DERC, check.subscription)
    what = f"DERControls with {_worded(check)}"
    return _number((one for one in rows if _is_control(one, check)), check.number, what, len(rows))


def _worded(check: Controls | Defaults) -> str:
    names = ("status", "ramp", "response_required", "duration_s", "randomize_start_s", "primacy")
    values = [f"{name} {value}" for name in names if (value := getattr(check, name, None)) is not None]
    values += [
        f"{name} {value if isinstance(value, bool | int | float) else f'{value.times:g} {value.name}'}"
        for name, value in check.modes
    ]
    return ", ".join(values) or "any values"


def _defaults(client: Client, check: Defaults, _: Agreed) -> Judged:
    rows = _told(client, Found.DDERC, check.subscription)
    found = [
        one
        for one in rows
        if has_modes(getattr(one.value, "DERControlBase_", None), check.modes)
        and check.ramp in {None, getattr(one.value, "setGradW", None)}
        and _of_primacy(one, check.primacy)
    ]
    return _number(found, check.number, f"DefaultDERControls with {_worded(check)}", len(rows))


def _assignments(client: Client, check: Assignments, _: Agreed) -> Judged:
    rows = _told(client, Found.FSA, check.subscription)
    return _number(rows, check.number, f"FunctionSetAssignments of {client.name}", len(rows))


def _programs(client: Client, check: Programs, _: Agreed) -> Judged:
    rows = _told(client, Found.DERP, check.subscription)
    assignments = _by_primacy(client)
    at = check.assignment
    own = assignments[at] if -len(assignments) <= at < len(assignments) else None
    found = [
        one
        for one in rows
        if check.primacy in {None, getattr(one.value, "primacy", None)}
        and (check.subscription or ((above := one.above(Found.FSA)) is not None and above.href == own))
    ]
    return _number(found, check.number, f"DERPrograms of assignment {at}, primacy {check.primacy}", len(rows))


def _by_primacy(client: Client) -> Sequence[str]:
    """FunctionSetAssignments by the least primacy of their programs: the order of the list tells nothing."""
    least: dict[str, int] = {}
    for one in client.seen(Found.DERP):
        above, primacy = one.above(Found.FSA), getattr(one.value, "primacy", 0)
        if above is not None:
            least[above.href] = min(primacy, least.get(above.href, primacy))
    return sorted(least, key=lambda href: least[href])


def _device_lists(client: Client, check: DeviceLists, _: Agreed) -> Judged:
    rows = _told(client, Found.EDEV_LIST, check.subscription)
    found = [one for one in rows if getattr(one.value, "pollRate", None) == check.poll_s]
    return _number(found, check.number, f"EndDeviceLists with pollRate {check.poll_s} s", len(rows))


def _poll_rate(client: Client, check: PollRate, _: Agreed) -> Judged:
    rates = [getattr(one.value, "pollRate", None) or POLL_S for one in client.seen(check.resource)]
    held = bool(rates) and set(rates) == {check.seconds}
    return Judged(held, f"pollRate of {check.resource} is {check.seconds} s", str(rates))


def _mirrors(client: Client, check: Mirrors, _: Agreed) -> Judged:
    rows = client.seen(Found.MUP)
    found = [one for one in rows if _is_mirror(one.value, check)]
    wanted = ", ".join([str(check.location or "anywhere"), *check.types])
    what = f"a MirrorUsagePoint ({wanted}) is {'there as it was sent' if check.there else 'not there'}"
    return Judged(bool(found) is check.there, what, f"{len(found)} of {len(rows)}")


def _is_mirror(value: object, check: Mirrors) -> bool:
    """Whether a mirror is as it was sent; its readings count where a server shows more than the first level.

    IEEE 2030.5-2018, 10.11.
    """
    readings = getattr(value, "MirrorMeterReading_", [])
    units = {getattr(getattr(one, "ReadingType_", None), "uom", None) for one in readings}
    mrids = {str(one.mRID).upper() for one in readings}
    role = int(getattr(value, "roleFlags", "0"), 16)
    return all(
        (
            check.location is None or role == int(ROLE[check.location], 16),
            not readings or {UNIT[one] for one in check.types} <= units,
            not check.mrid or str(getattr(value, "mRID", "")).upper() == check.mrid,
            not readings or set(check.reading_mrids) <= mrids,
            check.post_s in {None, getattr(value, "postRate", None)},
        )
    )


def _answered(client: Client, check: Answered, _: Agreed) -> Judged:
    count = sum(status == check.status for _, status in client.sent)
    what = f"{check.number} Responses of status {check.status} were sent"
    return Judged(count == check.number, what, str(count))


JUDGES: Final[dict[type, Callable[..., Judged]]] = {
    Discovered: _discovered,
    OwnDevice: _own_device,
    InTime: _in_time,
    Controls: _controls,
    Defaults: _defaults,
    Assignments: _assignments,
    Programs: _programs,
    DeviceLists: _device_lists,
    PollRate: _poll_rate,
    Mirrors: _mirrors,
    Answered: _answered,
}
