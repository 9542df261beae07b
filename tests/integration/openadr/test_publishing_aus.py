"""Limits of a connection point on a server of CSIP-AUS."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from openadr_ven.events import Unit
from openadr_ven.to_sep2 import Envelope
from tests.integration.openadr.conftest import Ven
from tests.unit.openadr_ven.house import BATTERY, PROGRAMME, event_3, signal

SITE = replace(BATTERY, envelope=Envelope.CSIP_AUS)


@pytest.fixture
def profile() -> str:
    return "csip_aus"


async def test_limits_and_defaults_are_those_of_the_connection_point(ven: Ven) -> None:
    ven.house.devices = (SITE,)
    ven.house.programme = replace(PROGRAMME, fallback_export_w=1500, fallback_import_w=4000)
    limits = [
        signal(f"{way}_CAPACITY_LIMIT", "", Decimal(watt), unit=Unit.W)
        for way, watt in (("EXPORT", 6000), ("IMPORT", 40_001))
    ]
    assert (await ven.hears(event_3(*limits))).refused == ()
    told: Any = await ven.get("/groups/g-battery/controls")
    bases = [one["DERControl"]["DERControlBase"] for one in told["controls"]]
    assert sorted(bases, key=str) == [
        {"opModExpLimW": {"multiplier": 0, "value": 6000}},
        {"opModImpLimW": {"multiplier": 1, "value": 4000}},
    ]
    default: Any = await ven.get("/groups/g-battery/default", program="Demand response")
    assert default["DefaultDERControl"]["DERControlBase"] == {
        "opModExpLimW": {"multiplier": 0, "value": 1500},
        "opModImpLimW": {"multiplier": 0, "value": 4000},
    }
