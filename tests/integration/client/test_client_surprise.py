"""A driver that raises, against its contract: a bug of one device is no trouble of the others."""

import logging
import time
from contextlib import closing
from dataclasses import dataclass, field, replace

import pytest

from der_client import Applied, DERClient, Fault, Nameplate, Reversion, Setpoint, What
from der_client.device import Telemetry
from der_client.spool import Lane, Spool, owed
from schemas import DefaultDERControl, DERControlBase, DERStatus, MirrorMeterReadingList
from tests.integration.client.harness import Inverter, Site, control, controls


@dataclass
class Surprising(Inverter):
    """A device whose driver raises in one of its methods."""

    name: str = "bad"
    raises_in: set[str] = field(default_factory=set)

    def meet(self, method: str) -> None:
        self.script.tell()
        if method in self.raises_in:
            raise ZeroDivisionError(method)

    async def identify(self) -> Nameplate | Fault:
        self.meet("identify")
        return await super().identify()

    async def read(self) -> Telemetry | Fault:
        self.meet("read")
        return await super().read()

    async def apply(self, setpoint: Setpoint, reversion: Reversion) -> Applied | Fault:
        self.meet("apply")
        return await super().apply(setpoint, reversion)


@pytest.mark.parametrize("method", ["identify", "read", "apply"])
async def test_what_a_driver_raises_is_a_fault_of_its_device_alone(
    site: Site, method: str, caplog: pytest.LogCaptureFixture
) -> None:
    good, bad = site.inverter, Surprising(site.script, raises_in={method})
    good.name = "good"
    client = DERClient(site.settings, [bad, good], on_event=site.hear)
    async with site.running(client):
        await site.script.until(lambda: good.holds(90.0) and site.heard(What.DEVICE_LOST))
        put_default(site, 7_000)
        await site.script.until(lambda: good.holds(70.0))
        assert bad.applied == []
        bad.raises_in = set()
        await site.script.until(lambda: bad.holds(70.0) and site.heard(What.DEVICE_BACK))

    assert site.heard(What.DEVICE_LOST) == [f"bad unavailable: ZeroDivisionError: {method}"]
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert [bool(record.exc_info) for record in errors] == [True]


async def test_a_device_whose_driver_raises_later_is_left_to_its_timers(site: Site) -> None:
    bad = Surprising(site.script)
    site.inverter = bad
    async with site.client():
        await site.script.until(lambda: bad.holds(90.0))
        bad.raises_in = {"read"}
        await site.script.until(lambda: site.heard(What.DEVICE_LOST))
        written = len(bad.applied)
        identified = bad.identified
        bad.raises_in = {"apply"}
        await site.script.until(lambda: bad.identified > identified + 3)
        assert len(bad.applied) == written
        bad.raises_in = set()
        await site.script.until(lambda: len(bad.applied) > written and site.heard(What.DEVICE_BACK))


async def test_ratings_that_cannot_be_are_a_fault_of_their_device(site: Site) -> None:
    good, bad = site.inverter, Surprising(site.script)
    good.name, plate = "good", bad.plate
    assert isinstance(plate, Nameplate)
    bad.plate = replace(plate, max_w=3e38)
    async with site.running(DERClient(site.settings, [bad, good], on_event=site.hear)):
        await site.script.until(lambda: good.holds(90.0) and site.heard(What.DEVICE_LOST))
        bad.plate = plate
        await site.script.until(lambda: bad.holds(90.0))

    assert site.heard(What.DEVICE_LOST) == ["bad unavailable: max_w: 3e+38 cannot be"]


async def test_what_cannot_be_reported_of_a_device_stops_neither_its_control_nor_its_readings(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """A status of a connection that is no number."""
    inverter = site.inverter
    assert isinstance(inverter.reading, Telemetry)
    inverter.reading = replace(inverter.reading, gen_connect=None)  # type: ignore[arg-type]

    def posted() -> int:
        return sum(isinstance(one, MirrorMeterReadingList) for _, one in site.script.posted)

    async with site.client():
        await site.script.until(lambda: inverter.holds(90.0))
        put_default(site, 7_000)
        await site.script.until(lambda: inverter.holds(70.0) and posted() > 1)

    errors = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert errors == ["inverter: a fault of its driver, or of this program"]


async def test_alarms_of_no_bit_are_none(site: Site) -> None:
    assert isinstance(site.inverter.reading, Telemetry)
    site.inverter.reading = replace(site.inverter.reading, alarms=frozenset({-1, 2, 200}))
    async with site.client():
        await site.script.until(lambda: "/a/status" in site.script.put and site.script.log_codes())
    status = site.script.put["/a/status"]

    assert isinstance(status, DERStatus)
    assert status.alarmStatus == "00000004"
    assert site.script.log_codes() == [(11, 4, "under voltage")]


async def test_what_waits_in_the_spool_and_cannot_be_read_is_given_up(site: Site) -> None:
    """A disk that turned octets round must not end the client at each of its starts."""
    with closing(Spool(site.settings.spool)) as spool:
        spool.owe(owed(Lane.LOG_EVENT, "", "inverter", b"<LogEvent"))
        spool.owe(owed(Lane.RESPONSE, "/a/replies", "AA", b"?"))
    assert isinstance(site.inverter.reading, Telemetry)
    site.inverter.reading = replace(site.inverter.reading, alarms=frozenset({2}))
    site.script.resources["/a/controls"] = controls(control("C1", int(time.time()) - 10, 600, 4_000))
    async with site.client():
        await site.script.until(lambda: site.script.log_codes() and site.script.statuses("C1") == [1, 2])

    with closing(Spool(site.settings.spool)) as spool:
        assert (spool.next(Lane.LOG_EVENT), spool.next(Lane.RESPONSE)) == (None, None)


def put_default(site: Site, limit: int) -> None:
    base = DERControlBase(opModMaxLimW=limit)
    site.script.resources["/a/default"] = DefaultDERControl(mRID="DD", DERControlBase_=base)
