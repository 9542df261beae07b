"""What devices post to a real server comes back up: readings, status, Responses."""

import asyncio
import gc
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from der_client.scheduler import Abilities
from function_sets import Draw, Unreachable
from openadr_ven.back import (
    Description,
    Heard,
    Quality,
    Quantity,
    ResourceState,
    heard_of,
    heard_table,
    load_positive,
    owed_opts,
    points,
    standing_of,
    summary_of,
    told,
)
from openadr_ven.back import reading as shell
from openadr_ven.back.points import Standing
from openadr_ven.back.reading import Reading, controls_of, members_of
from openadr_ven.back.serving import Serving
from openadr_ven.events import OptReason, OptType, advance
from openadr_ven.operator_api import OperatorApi
from schemas import (
    ActivePower,
    Codec,
    DateTimeInterval,
    DERCapability,
    DERControl,
    DERControlResponse,
    DERStatus,
    LocalControlModeStatusType,
    LogEvent,
    MirrorMeterReading,
    MirrorReadingSet,
    MirrorUsagePoint,
    OperationalModeStatusType,
    ReadingType,
    StateOfChargeStatusType,
)
from schemas import (
    Reading as WireReading,
)
from sep2_server.messages import Answer, Request
from tests.integration.client.test_client_scheduling import Bench, view
from tests.integration.openadr.conftest import Utility, Ven
from tests.unit.openadr_ven.house import HOUR, T0, dispatch, event

LFDI = "3E4F45AB31EDFE5B67E343E5E4562E31984E23E5"
CODEC = Codec()
BELOW = ("/readings", "/logevents")


class CountingApi(OperatorApi):
    """Knows what was asked for."""

    asked: list[str]
    behind: list[tuple[str, str]]

    async def told(self, path: str, **query: str) -> dict[str, object]:
        self.asked.append(path)
        self.behind.append((path.rpartition("/")[2], query.get("after", "")))
        return await super().told(path, **query)


@dataclass(slots=True)
class Field:
    """A device in the field, the server between, and the VEN that reads it back."""

    utility: Utility
    ven: Ven
    reading: Reading
    api: CountingApi
    der: str
    end_device: str
    kept: list[object] = field(default_factory=list)

    async def request(self, method: str, path: str, value: object = None) -> Answer:
        assert self.utility.server is not None
        return await self.utility.server.answering.respond(
            Request(
                method=method,
                path=path,
                query="",
                lfdi=LFDI,
                body=b"" if value is None else CODEC.encode(value),
                content_type="application/sep+xml",
                accept="application/sep+xml",
                now=self.ven.clock.now(),
            )
        )

    async def posts(self, method: str, path: str, value: object) -> None:
        answer = await self.request(method, path, value)
        assert answer.status in {201, 204}, answer

    async def looks(self) -> bool:
        now = self.ven.clock.now()
        return await self.reading.look(now, controls_of(self.ven.publishing.held, now))

    async def control(self) -> DERControl:
        """Its first control, as the device sees it."""
        told: object = await self.ven.get("/groups/g-battery/controls")
        href = str(told["controls"][0]["href"])  # type: ignore[index]
        return CODEC.decode((await self.request("GET", href)).body, DERControl)

    async def answers(self, *statuses: int) -> None:
        """What the device says to its first control."""
        control = await self.control()
        for status in statuses:
            await self.posts(
                "POST",
                str(control.replyTo),
                DERControlResponse(
                    createdDateTime=self.ven.clock.now(),
                    endDeviceLFDI=LFDI,
                    status=status,
                    subject=control.mRID,
                ),
            )

    def point(self, quantity: Quantity, start: int, end: int) -> Any:  # noqa: ANN401
        heard, state = self.reading.heard, advance(self.ven.house.state, self.ven.clock.now()).state
        standing = standing_of(heard, state, self.reading.known.members)
        (found,) = points(
            self.reading.known, [Description(rID="x", quantity=quantity)], [(start, end)], standing
        )
        return found

    def opts(self) -> list[tuple[OptType, OptReason, tuple[str, ...]]]:
        """What the VTN is told now; it is kept as told."""
        state = advance(self.ven.house.state, self.ven.clock.now()).state
        found = owed_opts(self.reading.heard, state, self.reading.known.members)
        self.reading.heard = told(self.reading.heard, found)
        return [(one.optType, one.reason, one.resources) for one in found]


def mirror(number: int, value: int, kind: ReadingType, *starts: int) -> MirrorUsagePoint:
    sets = [
        MirrorReadingSet(
            mRID=f"{number:04X}{start:020X}0000007B",
            timePeriod=DateTimeInterval(duration=300, start=start),
            Reading_=[
                WireReading(
                    value=value * (index + 1),
                    timePeriod=DateTimeInterval(duration=300, start=start),
                    localID="00",
                    qualityFlags="0001",
                )
            ],
        )
        for index, start in enumerate(starts)
    ]
    return MirrorUsagePoint(
        mRID="A" * 24 + "0000007B",
        roleFlags="0049",
        serviceCategoryKind=0,
        status=1,
        deviceLFDI=LFDI,
        MirrorMeterReading_=[
            MirrorMeterReading(mRID=f"{number:024X}0000007B", MirrorReadingSet_=sets, ReadingType_=kind)
        ],
    )


REAL_POWER = ReadingType(
    uom=38, kind=37, powerOfTenMultiplier=2, flowDirection=19, accumulationBehaviour=12, dataQualifier=2
)
INJECTED = ReadingType(uom=72, kind=12, powerOfTenMultiplier=0, flowDirection=19, accumulationBehaviour=9)


@pytest.fixture
async def house(utility: Utility, ven: Ven) -> Field:
    body = {"name": "battery", "lFDI": LFDI, "groups": ["g-battery"]}
    await ven.post("/devices", body)  # type: ignore[arg-type]
    api = CountingApi(ven.session, ven.url)
    api.asked, api.behind = [], []
    kept: list[object] = []

    async def keep(heard: Heard) -> None:
        kept.append(heard_table(heard))

    reading = Reading(api, members_of(ven.house.fleet), Heard(), keep)
    shown: object = await ven.get("/devices/battery")
    der, end_device = str(shown["DER"][0]["href"]), str(shown["href"])  # type: ignore[index]
    return Field(
        utility=utility, ven=ven, reading=reading, api=api, der=der, end_device=end_device, kept=kept
    )


async def test_a_posted_reading_is_a_point_with_its_time_sign_and_multiplier(house: Field) -> None:
    start = T0 - 3600
    await house.posts("POST", "/mup", mirror(1, 15, REAL_POWER, start, start + 300))
    assert await house.looks()
    found = house.point(Quantity.POWER, start, start + 300)
    assert (found.start, found.duration_s, found.value, found.quality) == (start, 300, -1500, Quality.GOOD)
    assert house.point(Quantity.POWER, start, start + 600).value == -2250
    assert house.point(Quantity.POWER, start + 600, start + 900).quality is Quality.NO_DATA
    assert load_positive(Decimal(1500), 19) == -1500


async def test_energy_is_the_difference_of_what_the_meter_counts(house: Field) -> None:
    start = T0 - 3600
    await house.posts("POST", "/mup", mirror(2, 1000, INJECTED, start, start + 300))
    assert await house.looks()
    assert house.point(Quantity.EXPORTED, start + 300, start + 600).value == 1000
    assert house.point(Quantity.EXPORTED, start + 300, start + 450).value == 500


async def test_the_status_of_a_der_is_that_of_its_resource(house: Field) -> None:
    now = house.ven.clock.now()
    assert await house.looks()
    assert not online(house).is_online
    await house.posts("PUT", f"{house.der}/ders", status_of(now))
    rated = DERCapability(
        modesSupported="00100000",
        rtgMaxW=ActivePower(multiplier=0, value=5000),
        rtgMaxChargeRateW=ActivePower(multiplier=3, value=5),
        type=81,
    )
    await house.posts("PUT", f"{house.der}/dercap", rated)
    assert await house.looks()
    found = online(house)
    assert (found.is_online, found.is_overridden) == (True, True)
    assert found.capacity is not None
    assert found.capacity.most == 1
    assert house.point(Quantity.CHARGE_LEVEL, now, now).value == Decimal("0.55")


def status_of(now: int) -> DERStatus:
    return DERStatus(
        readingTime=now,
        operationalModeStatus=OperationalModeStatusType(dateTime=now, value=2),
        localControlModeStatus=LocalControlModeStatusType(dateTime=now, value=0),
        stateOfChargeStatus=StateOfChargeStatusType(dateTime=now, value=5500),
    )


def online(house: Field) -> ResourceState:
    now = house.ven.clock.now()
    found = house.point(Quantity.STATUS, now, now).value
    assert isinstance(found, ResourceState)
    return found


async def test_a_log_event_shows_that_a_device_is_there(house: Field) -> None:
    logged = LogEvent(
        createdDateTime=house.ven.clock.now(),
        functionSet=11,
        logEventCode=1,
        logEventID=1,
        logEventPEN=40732,
        profileID=2,
    )
    await house.posts("POST", f"{house.end_device}/lel", logged)
    assert await house.looks()
    assert online(house).is_online


async def test_responses_lead_to_counts_and_to_opts_that_are_told_once(house: Field) -> None:
    await house.ven.hears(event(dispatch(3000)))
    await house.answers(1, 2)
    assert await house.looks()
    assert house.opts() == []
    await house.answers(4)
    assert await house.looks()
    counted = summary_of(house.reading.heard, house.ven.house.state, "e1", house.reading.known.members)
    assert (counted.asked, counted.received, counted.started, counted.opted_out) == (1, 1, 1, 1)
    assert house.opts() == [(OptType.OUT, OptReason.OVERRIDE_STATUS, ("battery",))]
    assert house.opts() == []
    await house.answers(5)
    assert await house.looks()
    assert house.opts() == [(OptType.IN, OptReason.PARTICIPATING, ("battery",))]


async def test_a_user_who_opts_out_at_a_device_is_told_to_the_vtn(house: Field, tmp_path: Path) -> None:
    """By the schedule of a real client: it answers what the control asks for, and nothing else."""
    device = Bench(tmp_path / "spool.sqlite", Draw())
    able = Abilities(modes=frozenset({"opModTargetW"}), device_category=0)
    await house.ven.hears(event(dispatch(3000)))
    await device.scheduling.take(view(await house.control()))
    await device.scheduling.look(T0 - 60, able)
    assert house.opts() == []
    for act, opt in ((device.scheduling.opt_out, OptType.OUT), (device.scheduling.opt_in, OptType.IN)):
        await act()
        await device.scheduling.look(T0 - 50, able)
        await house.answers(*map(int, device.owed()))
        assert await house.looks()
        assert [one[0] for one in house.opts()] == [opt]


async def test_a_repeated_opt_out_is_heard_as_the_latest(house: Field) -> None:
    await house.ven.hears(event(dispatch(3000)))
    for status in (4, 5, 4):
        await house.answers(status)
    assert await house.looks()
    assert [one[0] for one in house.opts()] == [OptType.OUT]


async def test_responses_are_read_in_pages_and_only_what_is_new(
    house: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shell, "MOST_REPLIES", 2)
    await house.ven.hears(event(dispatch(3000)))
    await house.answers(1, 2, 3)
    assert await house.looks()
    assert [one.status for one in house.reading.heard.replies["e1"]["battery"]] == [1, 2, 3]
    assert heard_of(house.kept[-1]) == house.reading.heard
    house.api.behind.clear()
    await house.answers(3)
    assert await house.looks()
    (last,) = {one[1] for one in house.api.behind if one[0] == "responses"}
    assert int(last) > 0
    kept = len(house.kept)
    await house.posts("PUT", f"{house.der}/ders", status_of(house.ven.clock.now()))
    assert await house.looks()
    assert len(house.kept) == kept


async def test_a_restart_reads_on_behind_what_was_kept(house: Field) -> None:
    await house.ven.hears(event(dispatch(3000)))
    await house.answers(1, 4)
    assert await house.looks()
    assert len(house.opts()) == 1
    disk = heard_table(house.reading.heard)
    house.reading = Reading(house.api, house.reading.known.members, heard_of(disk), nowhere)
    assert await house.looks()
    assert house.opts() == []


async def nowhere(_: Heard) -> None:
    """Keeps nothing."""


async def test_while_nothing_changes_one_request_is_all(house: Field) -> None:
    assert await house.looks()
    house.api.asked.clear()
    assert await house.looks()
    assert house.api.asked == ["/changes"]


async def test_of_a_fleet_only_devices_with_news_are_read(house: Field) -> None:
    other = {"name": "pv", "lFDI": "AB" * 20, "groups": ["g-pv"]}
    await house.ven.post("/devices", other)  # type: ignore[arg-type]
    members = {"battery": ("battery",), "pv": ("pv",)}
    house.reading.known = replace(house.reading.known, members=members)
    assert await house.looks()
    house.api.asked.clear()
    await house.posts("PUT", f"{house.der}/ders", status_of(house.ven.clock.now()))
    assert await house.looks()
    assert house.api.asked == ["/changes", *(f"/devices/battery{rest}" for rest in ("", *BELOW))]
    assert set(house.reading.known.devices) == {"battery", "pv"}


async def test_a_device_that_is_barred_is_offline_at_the_next_look(house: Field) -> None:
    await house.posts("PUT", f"{house.der}/ders", status_of(house.ven.clock.now()))
    assert await house.looks()
    assert online(house).is_online
    async with house.ven.session.patch(f"{house.ven.url}/devices/battery", json={"enabled": False}) as done:
        assert done.status == 200
    assert await house.looks()
    assert not online(house).is_online


async def test_of_a_series_only_what_is_new_is_read(house: Field) -> None:
    start = T0 - 3600
    await house.posts("POST", "/mup", mirror(1, 15, REAL_POWER, start))
    assert await house.looks()
    house.api.asked.clear()
    await house.posts("PUT", f"{house.der}/ders", status_of(house.ven.clock.now()))
    assert await house.looks()
    assert not [path for path in house.api.asked if "/readings/" in path]
    await house.posts("POST", "/mup", mirror(1, 20, REAL_POWER, start + 300))
    assert await house.looks()
    assert [one.value for one in house.reading.known.devices["battery"].series[0].samples] == [1500, 2000]


async def test_a_value_that_is_posted_late_is_seen_and_history_has_it(house: Field) -> None:
    """A report had a placeholder there: who wants the value asks for HISTORY_USAGE."""
    start = T0 - 10_800
    usage = {"history": [Description(rID="power", quantity=Quantity.POWER, resources=("battery",))]}
    serving = Serving(lambda: house.reading.known, Standing, usage)
    await house.posts("POST", "/mup", mirror(1, 20, REAL_POWER, start + 3600))
    assert await house.looks()
    assert await serving.read("history", ["power"], start, start + 300) == ()
    await house.posts("POST", "/mup", mirror(1, 15, REAL_POWER, start, start + 3900))
    assert await house.looks()
    (late,) = await serving.read("history", ["power"], start, start + 300)
    assert (late.value, late.quality) == (Decimal(-1500), "Quality Good - Non Specific")
    await house.posts("POST", "/mup", mirror(1, 10, REAL_POWER, start - 7200))
    assert await house.looks()
    assert await serving.read("history", ["power"], start - 7200, start - 6900) == ()
    house.ven.clock.advance(3600)
    await house.posts("POST", "/mup", mirror(1, 25, REAL_POWER, start + 4200))
    assert await house.looks()
    (late,) = await serving.read("history", ["power"], start - 7200, start - 6900)
    assert late.value == Decimal(-1000)


async def test_a_server_that_is_down_leaves_what_was_known_and_says_so(house: Field) -> None:
    port = int(house.utility.url.rpartition(":")[2])
    house.utility.site = replace(house.utility.site, operator=replace(house.utility.site.operator, port=port))
    start = T0 - 3600
    await house.posts("POST", "/mup", mirror(1, 15, REAL_POWER, start))
    assert await house.looks()
    await house.utility.stop()
    assert not await house.looks()
    assert house.point(Quantity.POWER, start, start + 300).value == -1500
    assert house.point(Quantity.POWER, start + 300, start + 600).quality is Quality.UNREACHABLE
    assert house.point(Quantity.STATUS, start, start).quality is Quality.LAST_KNOWN
    await house.utility.start()
    assert await house.looks()
    assert house.point(Quantity.STATUS, start, start).quality is Quality.GOOD


async def test_a_device_that_the_server_does_not_know_has_no_data(
    house: Field, caplog: pytest.LogCaptureFixture
) -> None:
    house.reading.known = replace(house.reading.known, members={"nobody": ("nobody",)})
    assert await house.looks()
    house.ven.clock.advance(1)
    assert house.point(Quantity.POWER, T0, T0 + HOUR).quality is Quality.NO_DATA
    assert len([one for one in caplog.messages if "nobody" in one]) == 1


async def test_a_server_that_is_lost_while_a_fleet_is_read_leaves_nothing_behind(
    house: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(_: object, path: str, **query: str) -> dict[str, object]:
        if path == "/status":
            return {"changes": 1}
        await asyncio.sleep(0)
        raise Unreachable(path)

    monkeypatch.setattr(CountingApi, "told", lost)
    many = {f"r{number}": (f"d{number}",) for number in range(40)}
    house.reading.known = replace(house.reading.known, members=many)
    assert not await house.looks()
    gc.collect()
    assert house.reading.known.is_stale


async def test_an_answer_that_makes_no_sense_is_said_once_and_makes_no_data(
    house: Field, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    changes = iter(range(9))

    async def odd(_: object, path: str, **query: str) -> dict[str, object]:
        return {"changes": next(changes)}

    monkeypatch.setattr(CountingApi, "told", odd)
    assert [await house.looks(), await house.looks()] == [True, False]
    assert house.point(Quantity.POWER, T0, T0 + HOUR).quality is Quality.UNREACHABLE
    assert len([one for one in caplog.messages if "battery" in one]) == 1
