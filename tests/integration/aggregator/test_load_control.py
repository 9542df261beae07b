"""EndDeviceControls of our own server at our own aggregator: storage follows, others say that they cannot."""

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from certs import Pki
from der_client.load_control import LoadControlSettings
from sep2_server.operator import load_controls
from sep2_server.operator.router import Call
from tests.integration.aggregator.harness import FAST, Fleet, fleet_of, ticking
from tests.integration.sep2_harness import running

NAMES = ("EDA1", "EDA2")


@pytest.fixture
async def loads(tmp_path: Path, sep2_pki: Pki) -> AsyncIterator[Fleet]:
    """Two inverters in one group, the first with a battery; load controls are followed."""
    rates = {**FAST, "DemandResponseProgramList": 1}
    changes: dict[str, Any] = {"poll_rate": rates, "post_rate_s": 1, "function_sets": "all"}
    async with running(tmp_path, sep2_pki, now=int(time.time()), **changes) as bench, ticking(bench):
        fleet = await fleet_of(bench, tmp_path, NAMES)
        fleet.settings = replace(fleet.settings, load_control=LoadControlSettings(is_on=True))
        fleet.inverters["EDA1"].charge_w = 5_000.0
        await bench.group("TFA", *NAMES)
        yield fleet


async def test_storage_follows_a_load_control_and_what_has_none_rejects_it(loads: Fleet) -> None:
    async with loads.client():
        await loads.until_registered()
        body = {
            "deviceCategory": "FFFFFFFF",
            "DutyCycle": {"normalValue": "25 %"},
            "start": int(time.time()) + 1,
            "duration": 5,
            "responseRequired": "03",
        }
        call = Call(names={"group": "TFA"}, body=body, now=loads.bench.clock.now())
        published = await loads.bench.do(lambda desk: load_controls.publish_control(desk, call))
        assert isinstance(published, dict)
        await loads.until_responses(str(published["mRID"]), {"EDA1": ["1", "2", "3"], "EDA2": ["252"]})
        await loads.news.until(lambda: loads.inverters["EDA1"].held[-1].max_charge_w is None)
        limits = [one.max_charge_w for one in loads.inverters["EDA1"].held]

    assert 1_250.0 in limits
    assert {one.max_charge_w for one in loads.inverters["EDA2"].held} == {None}
