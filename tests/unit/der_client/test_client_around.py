from dataclasses import replace
from functools import partial

import pytest

from der_client.around import Around, SiteWatch
from der_client.device import SiteReading
from der_client.device_view import DeviceView
from der_client.interlocks import SafetyRules, SiteFacts, Surroundings
from der_client.plan import Plan
from der_client.safety import SafetyState, clamp
from der_client.server_clock import ServerClock
from der_client.site import Metered, SiteRules
from der_client.site_desk import Heard, SiteDesk
from der_client.watched import Watched
from function_sets import ModeSource
from schemas import ActivePower, DefaultDERControl, DERControlBase
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
        export_allowed_w=5_000.0,
        share=0.5,
        is_largest=False,
        own_w=0.0,
    )
    found = watch(desk).facts("cellar", 100.0)
    assert found is not None
    assert found.is_largest


def limit_names(max_w: float, to_w: int, period_s: float, seconds: int, *, obeys: bool = True) -> list[str]:
    """Interlocks 22 of a device alone, while its export limit comes down by 1 % of setMaxW per second.

    The meter is read and the device then told each period; it does what it was told, if at all, at once.
    """
    plate, state, power_w, now = (
        replace(PV, max_w=max_w, max_va=max_w, set_max_w=max_w, set_max_va=max_w),
        SafetyState(),
        max_w,
        100.0,
    )
    meter = Watched[Metered | None](None)
    rules = SiteRules(is_metered=True, period_s=period_s)
    desk = SiteDesk(rules, meter, lambda: now)
    default = DefaultDERControl(mRID="DD", DERControlBase_=DERControlBase(), setGradW=100)
    found: list[str] = []
    for _ in range(round(seconds / period_s)):
        now += period_s
        reading = replace(SUN, power_w=power_w)
        views = [DeviceView(name="roof", telemetry=reading)]
        site = SiteWatch(desk, partial(list, views)).facts("roof", now)
        meter.set(Metered(reading=SiteReading(power_w=power_w), at_s=now))
        plan = replace(export_limit(to_w), default=default)
        wish = desk.desired("roof", plan, Heard(nameplate=plate, telemetry=reading))
        safe = clamp(wish, reading, plate, state, now, around=Surroundings(site=site))
        state = safe.state
        found += [reason.name for reason in safe.reasons if reason.interlock == 22]
        power_w = max_w * (safe.setpoint.max_w_pct or 0.0) / 100.0 if obeys else power_w
    return found


@pytest.mark.parametrize(
    ("max_w", "period_s"), [(100_000.0, 1.0), (10_000.0, 1.0), (10_000.0, 2.5), (10_000.0, 0.25)]
)
def test_a_device_that_follows_an_export_limit_down_its_ramp_is_not_over_it(
    max_w: float, period_s: float
) -> None:
    """What the meter shows is as old as a period, and the limit has gone on: that is no fault."""
    assert limit_names(max_w, 1_500, period_s, 150) == []


def test_a_device_that_does_not_follow_is_over_its_limit_as_that_comes_down() -> None:
    found = limit_names(10_000.0, 1_500, 1.0, 40, obeys=False)

    assert set(found) == {
        "limit at the connection point exceeded",
        "limit at the connection point stays exceeded",
    }


def test_a_limit_that_holds_at_once_is_judged_at_once(desk: SiteDesk) -> None:
    for watts in (5_000, 1_000):
        desk.desired("roof", export_limit(watts), Heard(nameplate=PV, telemetry=SUN))

    assert desk.allowed_w == {"opModExpLimW": 1_000.0}


def test_a_meter_that_was_not_read_yet_is_as_old_as_the_client() -> None:
    desk = SiteDesk(SiteRules(is_metered=True), Watched[Metered | None](None), lambda: 95.0)
    desk.desired("roof", export_limit(5_000), Heard(nameplate=PV, telemetry=SUN))
    found = watch(desk).facts("roof", 100.0)

    assert found is not None
    assert (found.reading, found.age_s) == (None, 5.0)
