from dataclasses import replace

import pytest

from der_client.around import Around, SiteWatch
from der_client.device import SiteReading
from der_client.device_view import DeviceView
from der_client.interlocks import SafetyRules, SiteFacts
from der_client.plan import Plan
from der_client.server_clock import ServerClock
from der_client.site import Metered, SiteRules
from der_client.site_desk import Heard, SiteDesk
from der_client.watched import Watched
from function_sets import ModeSource
from schemas import ActivePower
from tests.unit.der_client.safety_bench import PV, SUN

RULES = SafetyRules()


def around(clock: ServerClock | None, now: float = 100.0, looked_s: float | None = None) -> Around:
    return Around("roof", RULES, lambda: 0.25, Watched(clock), local_s=lambda: now, looked_s=lambda: looked_s)


def export_limit(watts: int) -> Plan:
    value = ActivePower(multiplier=0, value=watts)
    source = ModeSource(mode="opModExpLimW", value=value, mRID="AA", program_href="/p", primacy=1)
    return Plan(modes={"opModExpLimW": source})


def test_rules_and_silence_of_the_server_are_around() -> None:
    found = around(None)()

    assert (found.rules, found.server_silent_share) == (RULES, 0.25)
    assert (found.server_ahead_s, found.system_ahead_s, found.site) == (None, None, None)


def test_a_clock_that_is_only_remembered_is_none_to_compare_with() -> None:
    assert around(ServerClock(offset_s=500.0))().server_ahead_s is None


def test_a_clock_that_was_heard_is_compared_with_ours() -> None:
    found = around(ServerClock(offset_s=500.0, since_s=90.0))()

    assert found.server_ahead_s == 500.0
    assert found.system_ahead_s is not None


def test_the_age_of_the_plan_is_that_of_the_last_look() -> None:
    assert around(None, now=100.0, looked_s=96.5)().loop.plan_age_s == 3.5
    assert around(None)().loop.plan_age_s is None


@pytest.fixture
def desk() -> SiteDesk:
    meter = Watched[Metered | None](Metered(reading=SiteReading(power_w=4_000.0), at_s=98.0))
    return SiteDesk(SiteRules(is_metered=True), meter, lambda: 100.0)


def watch(desk: SiteDesk) -> SiteWatch:
    views = [
        DeviceView(name="roof", telemetry=SUN),
        DeviceView(name="cellar", telemetry=replace(SUN, power_w=-7_000.0)),
    ]
    return SiteWatch(desk, lambda: views)


def test_without_a_limit_of_the_site_there_is_nothing_to_watch(desk: SiteDesk) -> None:
    assert watch(desk).facts("roof", 100.0) is None


def test_a_limit_of_the_site_is_watched_with_its_meter(desk: SiteDesk) -> None:
    desk.desired("roof", export_limit(5_000), Heard(nameplate=PV, telemetry=replace(SUN, power_w=0.0)))

    assert watch(desk).facts("roof", 100.0) == SiteFacts(
        reading=SiteReading(power_w=4_000.0),
        age_s=2.0,
        export_limit_w=5_000.0,
        share=0.5,
        is_largest=False,
        own_w=0.0,
    )
    found = watch(desk).facts("cellar", 100.0)
    assert found is not None
    assert found.is_largest
