"""DERControls and their Responses, with restarts and outages."""

import time

from der_client import (
    Setpoint,
    What,
)
from tests.integration.client.harness import Site, control, controls


async def test_an_event_runs_and_answers_received_started_completed(site: Site) -> None:
    now = int(time.time())
    site.script.resources["/a/controls"] = controls(control("C1", now + 2, 2, 5_000))
    async with site.client():
        await site.script.until(lambda: site.inverter.holds(50.0))
        await site.script.until(lambda: site.script.statuses("C1") == [1, 2, 3])
        await site.script.until(lambda: site.inverter.holds(90.0))

    assert "DERControl C1 active: opModMaxLimW 50 %" in site.heard(What.CONTROL)


async def test_a_cancelled_event_answers_received_started_cancelled(site: Site) -> None:
    now = int(time.time())
    site.script.resources["/a/controls"] = controls(control("C1", now, 600, 5_000, 1))
    async with site.client():
        await site.script.until(lambda: site.script.statuses("C1") == [1, 2])
        stopped = control("C1", now, 600, 5_000, 2)
        stopped.EventStatus_.dateTime = int(time.time())
        site.script.resources["/a/controls"] = controls(stopped)
        await site.script.until(lambda: site.script.statuses("C1") == [1, 2, 6])
        await site.script.until(lambda: site.inverter.holds(90.0))


async def test_a_superseded_event_answers_received_started_superseded(site: Site) -> None:
    now = int(time.time())
    older, newer = control("C1", now, 600, 5_000, 1), control("C2", now, 600, 2_000, 1)
    site.script.resources["/a/controls"] = controls(older)
    async with site.client():
        await site.script.until(lambda: site.script.statuses("C1") == [1, 2])
        newer.creationTime = now
        site.script.resources["/a/controls"] = controls(older, newer)
        await site.script.until(lambda: site.script.statuses("C1") == [1, 2, 7])
        await site.script.until(lambda: site.inverter.holds(20.0))


async def test_an_event_superseded_before_its_start_never_starts(site: Site) -> None:
    now = int(time.time())
    older, newer = control("C1", now + 2, 4, 5_000), control("C2", now + 2, 4, 2_000)
    newer.creationTime = older.creationTime + 1
    site.script.resources["/a/controls"] = controls(older, newer)
    async with site.client():
        await site.script.until(lambda: site.script.statuses("C2")[:2] == [1, 2])
        await site.script.until(lambda: site.script.statuses("C1") == [1, 7])
        await site.script.until(lambda: site.inverter.holds(20.0))


async def test_a_restart_keeps_the_event_and_answers_nothing_twice(site: Site) -> None:
    now = int(time.time())
    site.script.resources["/a/controls"] = controls(control("C1", now, 10, 5_000, 1))
    async with site.client():
        await site.script.until(lambda: site.script.statuses("C1") == [1, 2])
    site.inverter.applied.clear()
    async with site.client():
        await site.script.until(lambda: site.inverter.holds(50.0))
        await site.script.until(lambda: 3 in site.script.statuses("C1"))

    assert site.script.statuses("C1") == [1, 2, 3]
    assert site.inverter.applied[0][0] == Setpoint(max_w_pct=50.0)


async def test_without_a_server_a_restarted_client_goes_on_with_what_it_knows(site: Site) -> None:
    now = int(time.time())
    site.script.resources["/a/controls"] = controls(control("C1", now, 10, 5_000, 1))
    async with site.client():
        await site.script.until(lambda: site.script.statuses("C1") == [1, 2])
    site.inverter.applied.clear()
    site.script.down = True
    async with site.client():
        await site.script.until(lambda: site.inverter.holds(50.0))
        await site.script.until(lambda: site.inverter.holds(90.0))
        site.script.down = False
        await site.script.until(lambda: site.script.statuses("C1") == [1, 2, 3])


async def test_a_server_that_goes_and_comes_back_gets_what_is_owed_in_order(site: Site) -> None:
    now = int(time.time())
    site.script.resources["/a/controls"] = controls(control("C1", now + 1, 2, 5_000))
    async with site.client():
        await site.script.until(lambda: site.script.statuses("C1") == [1])
        site.script.down = True
        await site.script.until(lambda: site.inverter.holds(50.0))
        await site.script.until(lambda: site.inverter.holds(90.0))
        site.script.down = False
        await site.script.until(lambda: site.script.statuses("C1") == [1, 2, 3])
        await site.script.until(lambda: site.heard(What.SERVER_BACK))


async def test_a_response_whose_answer_was_lost_is_not_sent_again(site: Site) -> None:
    now = int(time.time())
    site.script.resources["/a/controls"] = controls(control("C1", now, 3, 5_000, 1))
    site.script.swallow.add("/a/replies")
    async with site.client():
        await site.script.until(lambda: 3 in site.script.statuses("C1"))

    assert site.script.statuses("C1") == [1, 2, 3]


async def test_a_refused_response_does_not_hold_up_the_next(site: Site) -> None:
    now = int(time.time())
    site.script.status["/a/replies"] = 400
    site.script.resources["/a/controls"] = controls(control("C1", now, 3, 5_000, 1))
    async with site.client():
        await site.script.until(lambda: site.script.asked.count("POST /a/replies") == 2)
        del site.script.status["/a/replies"]
        await site.script.until(lambda: site.script.statuses("C1") == [3])


async def test_a_response_without_a_place_is_given_up_after_rediscovery(site: Site) -> None:
    now = int(time.time())
    site.script.status["/a/replies"] = 404
    site.script.resources["/a/controls"] = controls(control("C1", now, 60, 5_000, 1))
    async with site.client():
        await site.script.until(lambda: site.script.asked.count("POST /a/replies") == 6)

    assert site.heard(What.REDISCOVERY)
