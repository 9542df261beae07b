"""The 2030.5 server is away while an event begins: the VTN hears of it, and if it is in time after all."""

import json
from dataclasses import replace

import pytest

from openadr_ven.v2b import messages as m
from openadr_ven.v3.version import ObjectType, Version
from openadr_ven.vtn.v2b import Vtn
from tests.integration.openadr.ven_bench import (
    TARGET,
    Bench,
    dispatch_3,
    opts_of,
    programme_3,
    soon,
    vtn_of_3,
)
from tests.unit.openadr_ven.house import HOUR, T0, dispatch, event

OUT = ("optOut", "outageRunStatus", ("battery",))
IN = ("optIn", "participating", ("battery",))


@pytest.fixture
async def lonely(bench: Bench) -> Bench:
    """The server is away."""
    port = int(bench.utility.url.rpartition(":")[2])
    site = bench.utility.site
    bench.utility.site = replace(site, operator=replace(site.operator, port=port))
    await bench.utility.stop()
    return bench


async def test_outage_shorter_than_the_event(lonely: Bench, vtn: Vtn) -> None:
    async with lonely.running():
        await soon(lambda: vtn.vens)
        vtn.publish(event(dispatch(3000)))
        lonely.turn(T0 - 1)
        await soon(lambda: vtn.of(m.CreatedEvent))
        await soon(lambda: opts_of(vtn))
        assert opts_of(vtn) == [OUT]
        lonely.turn(T0 + 300)
        await lonely.utility.start()
        await soon(lambda: len(opts_of(vtn)) > 1)
        ((start, duration, _, base),) = await lonely.controls()
    assert opts_of(vtn) == [OUT, IN]
    assert (start >= 300, start + duration, base) == (True, HOUR, TARGET)


@pytest.mark.whole
async def test_outage_longer_than_the_event(
    lonely: Bench, vtn: Vtn, caplog: pytest.LogCaptureFixture
) -> None:
    async with lonely.running():
        await soon(lambda: vtn.vens)
        lonely.turn(T0 - 1)
        vtn.publish(event(dispatch(3000, length_s=6)))
        await soon(lambda: opts_of(vtn))
        await soon(lambda: "event e1 was missed by battery" in caplog.text)
        await lonely.utility.start()
        await lonely.until_programs("Demand response", None)
        polls = len(vtn.of(m.Poll))
        await soon(lambda: len(vtn.of(m.Poll)) > polls + 3)
        assert await lonely.controls() == []
    assert opts_of(vtn) == [OUT]
    assert caplog.text.count("event e1 has begun, and is not on the server for battery") == 1


async def test_vtn_of_3_is_told_by_the_operating_state(lonely: Bench) -> None:
    async with vtn_of_3(lonely, Version.V310, with_webhook=False) as vtn:
        await programme_3(lonely, vtn)
        async with lonely.running():
            await soon(lambda: vtn.of(ObjectType.VEN))
            await dispatch_3(lonely, vtn)
            lonely.turn(T0 - 1)
            await soon(lambda: "OPTED_OUT" in json.dumps(vtn.of(ObjectType.REPORT)))
            await lonely.utility.start()
            await soon(lambda: "OPTED_OUT" not in json.dumps(vtn.of(ObjectType.REPORT)[-1]))
            assert [one[3] for one in await lonely.controls()] == [TARGET]
