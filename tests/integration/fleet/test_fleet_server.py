"""A fleet of 20 against a real server over mutual TLS: it finds all by links, reports, answers, resumes."""

import asyncio
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from certs import Pki
from lineside.fleet import Identity, Plan, Tally, issue, run_share
from sep2_server import SystemClock
from sep2_server.end_devices import Enrolment, add_end_device
from sep2_server.operator.desk import Desk
from sep2_server.rows import Row
from tests.integration.sep2_harness import Bench, make_control, running

DEVICES = 20
RATES = dict.fromkeys(("DeviceCapability", "EndDeviceList", "FunctionSetAssignmentsList"), 1)
LEAST = {"GET Time": 3 * DEVICES, "POST MirrorUsagePoint": DEVICES, "POST DERControlResponse": 2 * DEVICES}


def enrol(enrolment: Enrolment, desk: Desk) -> Row:
    """Enrol a device."""
    return add_end_device(desk.transaction, desk.environment, enrolment, desk.now)


async def enrolled(bench: Bench, identities: list[Identity]) -> None:
    """Enrol a fleet, give it a program and a control that is active now."""
    now = bench.clock.now()
    for identity in identities:
        enrolment = Enrolment(lfdi=identity.lfdi, name=identity.name, pin=111115)
        await bench.do(partial(enrol, enrolment))
    _, program = await bench.group("fleet", *(identity.name for identity in identities))
    await bench.control(program, make_control("F1EE70", now - 10, 3600, created=now - 20))


async def run(bench: Bench, identities: list[Identity], **changes: object) -> Tally:
    """Run a fleet until it has cycled, reported and answered for a while; what it measured."""
    plan = Plan(
        url=f"https://127.0.0.1:{bench.server.port}/dcap",
        identities=identities,
        duration_s=60.0,
        rate=40.0,
        ramp_s=0.2,
    )
    stop = asyncio.Event()

    def heard(tally: Tally) -> None:
        done = {name: kind.statuses.total() for name, kind in tally.kinds.items()}
        if all(done.get(name, 0) >= least for name, least in LEAST.items()) or tally.errors:
            stop.set()

    return await run_share(replace(plan, **changes), heard, stop)  # type: ignore[arg-type]


@pytest.mark.parametrize("salt", ["", "pepper"], ids=["default URIs", "scrambled URIs"])
async def test_fleet_polls_reports_and_answers(tmp_path: Path, sep2_pki: Pki, salt: str) -> None:
    identities = issue(sep2_pki.folder, DEVICES)
    now = SystemClock().now()
    async with running(tmp_path, sep2_pki, now=now, poll_rate=RATES, uri_salt=salt) as bench:
        await enrolled(bench, identities)
        tally = await run(bench, identities)
        assert (tally.flaws, tally.errors, tally.ready) == ({}, 0, DEVICES)
        lists = ("EndDeviceList", "FunctionSetAssignmentsList", "DERProgramList", "DERControlList", "DERList")
        assert set(tally.kinds) == {
            *(f"GET {n}" for n in ("DeviceCapability", "Time", *lists)),
            *(f"PUT {n}" for n in ("DERCapability", "DERSettings", "DERAvailability", "DERStatus")),
            *(f"POST {n}" for n in ("MirrorUsagePoint", "MirrorMeterReadingList", "DERControlResponse")),
        }
        assert tally.kinds["POST MirrorUsagePoint"].statuses == {201: DEVICES}
        assert tally.kinds["POST DERControlResponse"].statuses == {201: 2 * DEVICES}
        assert {name: found.count for name, found in tally.handshakes.items()} == {"full": DEVICES}


async def test_fleet_with_new_connections_resumes_its_sessions(tmp_path: Path, sep2_pki: Pki) -> None:
    identities = issue(sep2_pki.folder, DEVICES)
    async with running(tmp_path, sep2_pki, now=SystemClock().now()) as bench:
        await enrolled(bench, identities)
        tally = await run(bench, identities, connections="new")
        assert tally.errors == 0
        assert tally.handshakes["full"].count == DEVICES
        assert tally.handshakes["resumed"].count >= DEVICES


async def test_poll_rates_of_the_server_set_the_pace(tmp_path: Path, sep2_pki: Pki) -> None:
    identities = issue(sep2_pki.folder, DEVICES)
    async with running(tmp_path, sep2_pki, now=SystemClock().now(), poll_rate=RATES) as bench:
        await enrolled(bench, identities)
        tally = await run(bench, identities, rate=None, ramp_s=0.1, duration_s=3.2)
        assert tally.errors == 0
        assert DEVICES * 2 <= tally.kinds["GET DeviceCapability"].statuses.total() <= DEVICES * 4
        assert tally.kinds["GET DERList"].statuses.total() == DEVICES


async def test_devices_that_are_not_enrolled_are_told_as_errors(tmp_path: Path, sep2_pki: Pki) -> None:
    identities = issue(sep2_pki.folder, 2)
    async with running(tmp_path, sep2_pki, now=SystemClock().now()) as bench:
        tally = await run(bench, identities)
        assert tally.kinds["GET DeviceCapability"].errors >= 2
        assert tally.ready == 0


async def test_a_server_that_is_not_there_is_an_error(sep2_pki: Pki) -> None:
    identities = issue(sep2_pki.folder, 2)
    plan = Plan(url="https://127.0.0.1:1/dcap", identities=identities, duration_s=0.3, ramp_s=0.1)
    tally = await run_share(plan, lambda _: None, asyncio.Event())
    assert tally.kinds["GET DeviceCapability"].statuses == {0: 2}
