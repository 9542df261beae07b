"""The way to what is wanted with a server that answers as the test says: lost, refusing, forgetful."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

import pytest

from function_sets import Publisher, PublishError, Refused, ToCancel, ToDefault, ToPublish, Unreachable
from openadr_ven.events import Event, EventStatus, Randomization, Target, advance
from openadr_ven.publishing import AT_ONCE, CALLS, Publishing
from openadr_ven.to_sep2 import Held, HeldError, Home, HomeKind, held_of, held_table, late
from schemas import Event as Sep2Event
from schemas import wire_name
from tests.unit.openadr_ven.house import (
    BATTERY,
    EVSE,
    HOUR,
    PROGRAMME,
    PV,
    T0,
    House,
    dispatch,
    event,
    event_3,
    signal,
)

NOW = T0 - HOUR


@dataclass(slots=True)
class Server:
    """A publisher that keeps what it is told; `flaws` are raised for the call with that number.

    `refused` says why a resource of a kind is refused.
    """

    flaws: Mapping[int, PublishError] = field(default_factory=dict)
    refused: Mapping[str, Refused] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    events: dict[str, str] = field(default_factory=dict)
    disk: list[Held] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0

    async def keep(self, held: Held) -> None:
        self.disk.append(held)

    async def _heard(self, call: str, size: int = 1) -> None:
        self.calls.append(call)
        self.sizes.append(size)
        flaw = self.flaws.get(len(self.calls) - 1)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        if flaw is not None:
            raise flaw

    async def publish(self, items: Sequence[ToPublish]) -> Sequence[Refused | None]:
        kept = {one.mRID for one in self.disk[-1].attempted.values()}
        events = [one.value.mRID for one in items if isinstance(one.value, Sep2Event)]
        assert set(events) <= kept
        await self._heard(wire_name(type(items[0].value)), len(items))
        found = [self.refused.get(wire_name(type(one.value))) for one in items]
        taken = [one.value for one, flaw in zip(items, found, strict=True) if flaw is None]
        self.events |= {one.mRID: "open" for one in taken if isinstance(one, Sep2Event)}
        return found

    async def cancel(self, items: Sequence[ToCancel]) -> Sequence[Refused | None]:
        await self._heard("cancel", len(items))
        self.events |= {one.mRID: "cancelled" for one in items}
        return [None] * len(items)

    async def remove_curve(self, curve: str) -> None:
        await self._heard("remove")

    async def set_defaults(self, items: Sequence[ToDefault]) -> Sequence[Refused | None]:
        await self._heard("default", len(items))
        return [None] * len(items)


def publishing_of(server: Server, held: Held | None = None) -> Publishing:
    publisher: Publisher = server
    return Publishing(publisher, held or Held(), server.keep)


def house_of(*events: Event) -> House:
    house = House(devices=(BATTERY, EVSE, PV))
    house.hears(*events, at=NOW)
    return house


async def test_a_round_stops_where_no_answer_comes_and_the_next_does_the_rest() -> None:
    server = Server(flaws={1: Unreachable("no route")})
    publishing = publishing_of(server)
    wanted = house_of(
        event(dispatch(3000)), event(dispatch(-100), eventID="e2", start=T0 + HOUR)
    ).translated()
    assert not (await publishing.bring_about(wanted, NOW)).is_done
    server.flaws = {}
    assert (await publishing.bring_about(wanted, NOW)).is_done
    assert {one.mRID for one in wanted.items.values()} == set(server.events)
    count = len(server.calls)
    assert (await publishing.bring_about(wanted, NOW)).is_done
    assert len(server.calls) == count


async def test_what_may_exist_is_cancelled_if_it_is_not_wanted_any_more() -> None:
    server = Server(flaws={1: Unreachable("lost on the way back")})
    publishing = publishing_of(server)
    house = house_of(event(dispatch(3000)))
    house.devices = (BATTERY,)
    await publishing.bring_about(house.translated(), NOW)
    house.hears(at=NOW)
    other = Server()
    again = publishing_of(other, server.disk[-1])
    assert (await again.bring_about(house.translated(), NOW)).is_done
    assert other.calls == ["cancel"]


def running_out(length_s: int | None, **more: object) -> tuple[Event, Event]:
    """An event of an hour, and another that is beaten by it and goes on behind it."""
    best = event(dispatch(1000), eventID="best", priority=1)
    signals = dispatch(2000, length_s=length_s)
    return best, event(signals, eventID="other", priority=2, start=T0 + 1800, **more)


@pytest.mark.parametrize("is_restarted", [False, True])
@pytest.mark.parametrize(
    "events",
    [
        running_out(3 * HOUR),
        running_out(None),
        running_out(3 * HOUR, ramp_up_s=-300),
        running_out(3 * HOUR, randomization=Randomization(late_s=300)),
    ],
    ids=["finite", "endless", "ramp", "window"],
)
async def test_what_runs_is_left_alone_as_another_event_ends(
    events: tuple[Event, Event], is_restarted: bool
) -> None:
    """Whoever has opted out of it at a device stays out, and nothing of it is late."""
    server = Server()
    publishing = publishing_of(server)
    house = House(devices=(BATTERY, replace(BATTERY, resource="b2", name="b2", group="g-b2", lFDI="AB")))
    house.hears(*events, at=NOW)
    await publishing.bring_about(house.translated(NOW), NOW)
    if is_restarted:
        server.calls, disk = [], json.loads(json.dumps(held_table(server.disk[-1])))
        publishing = publishing_of(server, held_of(disk))
    before, calls = dict(server.events), len(server.calls)
    for now in (T0 + HOUR, T0 + HOUR + 1, T0 + HOUR + 600):
        house.state = advance(house.state, now).state
        wanted = house.translated(now)
        await publishing.bring_about(wanted, now)
        assert late(wanted, publishing.held, now, {}) == {}
    assert len(server.calls) == calls
    assert server.events == before
    house.hears(replace(events[1], modification=1, eventStatus=EventStatus.CANCELLED), at=T0 + 2 * HOUR)
    await publishing.bring_about(house.translated(T0 + 2 * HOUR), T0 + 2 * HOUR)
    assert list(server.events.values()).count("cancelled") == 2


async def test_one_that_is_shorter_now_is_published_anew_as_another_event_ends() -> None:
    server = Server()
    publishing = publishing_of(server)
    house = House()
    best, other = running_out(3 * HOUR)
    house.hears(best, other, at=NOW)
    await publishing.bring_about(house.translated(NOW), NOW)
    now = T0 + HOUR + 1
    shorter = replace(other, modification=1, duration_s=HOUR, signals=(dispatch(2000),))
    house.hears(best, shorter, at=now)
    await publishing.bring_about(house.translated(now), now)
    assert list(server.events.values()) == ["open", "cancelled", "open"]


async def test_the_old_control_stays_until_the_new_one_is_there() -> None:
    server = Server()
    publishing = publishing_of(server)
    house = House()
    house.hears(event(dispatch(3000)), at=NOW)
    await publishing.bring_about(house.translated(), NOW)
    house.hears(event(dispatch(2000), modification=1), at=NOW)
    server.flaws = {3: Unreachable("down")}
    assert not (await publishing.bring_about(house.translated(), NOW)).is_done
    assert server.calls == ["DERProgram", "DERControl"] * 2


@pytest.mark.parametrize("is_each", [True, False])
async def test_what_is_refused_is_said_once_and_the_rest_is_done(
    caplog: pytest.LogCaptureFixture, is_each: bool
) -> None:
    """Whether the server refuses a whole call, or each of its items."""
    flaw = Refused("no such thing")
    server = Server(refused={"DERControl": flaw}) if is_each else Server(flaws={1: flaw, 3: flaw, 5: flaw})
    publishing = publishing_of(server)
    wanted = house_of(event(dispatch(3000))).translated()
    for _ in range(3):
        found = await publishing.bring_about(wanted, NOW)
        assert (found.is_done, set(found.refused)) == (True, {"DERControl: no such thing"})
    assert [record.message.count("no such thing") for record in caplog.records] == [1]
    assert not publishing.held.items


async def test_nothing_is_asked_for_below_a_program_that_is_refused() -> None:
    server = Server(refused={"TariffProfile": Refused("no such group")})
    publishing = publishing_of(server)
    found = await publishing.bring_about(
        house_of(event_3(signal("PRICE", "", Decimal("0.3")))).translated(), NOW
    )
    assert (server.calls, server.sizes, len(found.refused)) == (["TariffProfile"], [3], 3)


async def test_so_many_events_go_with_one_call_and_so_many_calls_at_a_time() -> None:
    count = 3 * AT_ONCE + 1
    server = Server()
    devices = tuple(
        replace(BATTERY, resource=f"r{number}", name=f"d{number}", group=f"g{number}")
        for number in range(count)
    )
    house = House(devices=devices)
    house.hears(event(dispatch(3000)), at=NOW)
    publishing = publishing_of(server)
    await publishing.bring_about(house.translated(), NOW)
    assert (server.most_at_once, len(server.events)) == (CALLS, count)
    assert sorted(server.sizes) == [1, 1] + [AT_ONCE] * 6
    writes = len(server.disk)
    house.hears(at=NOW)
    await publishing.bring_about(house.translated(), NOW)
    assert server.calls[-4:] == ["cancel"] * 4
    assert len(server.disk) - writes <= 3


async def test_what_an_event_costs_is_for_those_that_it_names_not_for_the_fleet() -> None:
    """Calls, and what they carry, are the same in a fleet of 10 and of 400 where one resource is named."""
    sent = []
    for count in (10, 400):
        server = Server()
        house = House(
            devices=tuple(
                replace(BATTERY, resource=f"r{number}", name=f"d{number}", group=f"g{number}")
                for number in range(count)
            )
        )
        house.hears(event(dispatch(3000), targets=(Target(kind="resourceID", value="r3"),)), at=NOW)
        await publishing_of(server).bring_about(house.translated(), NOW)
        sent.append((server.calls, server.sizes))
    assert sent[0] == sent[1] == (["DERProgram", "DERControl"], [1, 1])


async def test_what_is_kept_can_be_read_again() -> None:
    server = Server()
    publishing = publishing_of(server)
    house = house_of(event(dispatch(3000)), event_3(signal("PRICE", "", Decimal("0.3")), eventID="e2"))
    house.programme = replace(PROGRAMME, fallback_export_w=1000)
    await publishing.bring_about(house.translated(), NOW)
    house.hears(at=NOW)
    await publishing.bring_about(house.translated(), NOW)
    for held in server.disk:
        assert held_of(json.loads(json.dumps(held_table(held)))) == held
    assert publishing.held.spent
    assert {home.kind for home in homes(server.disk)} >= {HomeKind.DER, HomeKind.COMPONENT}


async def test_what_an_older_version_kept_is_read_and_is_like_nothing() -> None:
    server = Server()
    await publishing_of(server).bring_about(house_of(event(dispatch(3000))).translated(), NOW)
    table = held_table(server.disk[-1])
    old = {key: json.dumps(json.loads(text)[:-1]) for key, text in table["items"].items()}
    read, now = held_of({**table, "items": old}).items, server.disk[-1].items
    assert all(one.alike for one in now.values())
    assert read == {key: replace(one, alike="") for key, one in now.items()}


def homes(disk: Sequence[Held]) -> list[Home]:
    return [one.home for held in disk for one in held.items.values()]


@pytest.mark.parametrize(
    "found", ["", [], {}, {"homes": {"a": "{"}}, {"homes": {"a": "{}"}, "items": {}}], ids=str
)
def test_a_disk_that_cannot_be_read_is_said(found: object) -> None:
    with pytest.raises(HeldError, match="cannot be read"):
        held_of(found)
