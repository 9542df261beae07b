"""Prices and granted flow reservations: what storage does, and what is answered. IEEE 2030.5-2018."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from der_client.discovery import Walk, Want
from der_client.offer_view import offered_of
from der_client.offers import Offered, Offers, OfferStep, Storage, is_offer
from der_client.price import PriceSettings, Rate
from der_client.quantity import active_power_w
from der_client.reservation import ReservationSettings, request_of, window_start
from function_sets import Draw, EventRecord, Rules
from owner import SettingsError
from schemas import (
    ActivePower,
    ConsumptionTariffInterval,
    ConsumptionTariffIntervalList,
    ConsumptionTariffIntervalListLink,
    DateTimeInterval,
    EventStatus,
    FlowReservationResponse,
    FlowReservationResponseList,
    FlowReservationResponseResponse,
    PriceResponse,
    RateComponent,
    RateComponentList,
    RateComponentListLink,
    ReadingType,
    ReadingTypeLink,
    Resource,
    SignedRealEnergy,
    TariffProfile,
    TariffProfileList,
    TimeTariffInterval,
    TimeTariffIntervalList,
    TimeTariffIntervalListLink,
)
from schemas.csip_aus import TimeTariffIntervalV13

ON = PriceSettings(charge_below=0.10, discharge_above=0.40)
STORAGE = Storage(charge_w=5_000.0, discharge_w=4_000.0)
KWH = ReadingType(uom=72, powerOfTenMultiplier=3, flowDirection=1)
PENDING = EventStatus(currentStatus=0, dateTime=0, potentiallySuperseded=False)


def interval(mrid: str, start: int, end: int, created: int = 0) -> TimeTariffInterval:
    return TimeTariffInterval(
        href=f"/tti/{mrid}",
        replyTo="/rsp",
        responseRequired="03",
        mRID=mrid,
        creationTime=created,
        EventStatus_=PENDING,
        interval=DateTimeInterval(duration=end - start, start=start),
        touTier=0,
    )


def block(price: int | None, start: int = 0) -> ConsumptionTariffInterval:
    return ConsumptionTariffInterval(consumptionBlock=0, price=price, startValue=start)


def rate(*prices: int, multiplier: int = -2, **changes: object) -> Rate:
    """A rate with an interval of 100 s for each price, cents per kWh."""
    intervals = tuple(interval(f"A{n}", 100 * n, 100 * n + 100) for n in range(len(prices)))
    found = Rate(
        href="/rc/1",
        mrid="AB",
        primacy=1,
        multiplier=multiplier,
        reading_type=KWH,
        intervals=intervals,
        prices={one.mRID: (block(price),) for one, price in zip(intervals, prices, strict=True)},
    )
    return replace(found, **changes)  # type: ignore[arg-type]


def grant(energy_wh: int, power_w: int, start: int = 100, end: int = 200) -> FlowReservationResponse:
    return FlowReservationResponse(
        replyTo="/rsp",
        responseRequired="03",
        mRID="B1",
        creationTime=0,
        EventStatus_=PENDING,
        interval=DateTimeInterval(duration=end - start, start=start),
        energyAvailable=SignedRealEnergy(multiplier=0, value=energy_wh),
        powerAvailable=ActivePower(multiplier=0, value=power_w),
        subject="C1",
    )


class Run:
    """Offers at work: what storage was asked for, and the codes that were owed."""

    def __init__(self, settings: PriceSettings = ON, records: dict[str, EventRecord] | None = None) -> None:
        self.offers = Offers(settings, lambda _: Draw(), records)
        self.owed: list[tuple[str, int, str]] = []

    def at(self, now: int, offered: Offered, rules: Rules | None = None) -> float | None:
        """The power that storage is asked for at a moment, W."""
        step = self.step(now, offered, rules)
        source = step.modes.get("opModStorageTargetW")
        return active_power_w(source.value) if source and isinstance(source.value, ActivePower) else None

    def step(
        self,
        now: int,
        offered: Offered,
        rules: Rules | None = None,
        failing: frozenset[str] = frozenset(),
    ) -> OfferStep:
        step = self.offers.step(offered, now, rules or Rules(), STORAGE, failing=failing)
        self.owed += [(one.due.mRID, one.due.status, one.response.__name__) for one in step.owed]
        return step


def priced(*rates: Rate) -> Offered:
    return Offered(rates=rates)


def through(offered: Offered, times: Sequence[int], settings: PriceSettings = ON) -> list[float | None]:
    run = Run(settings)
    return [run.at(now, offered) for now in times]


def test_storage_charges_where_energy_is_cheap_and_gives_where_it_is_dear() -> None:
    assert through(priced(rate(5, 25, 55)), (50, 150, 250)) == [-5_000.0, None, 4_000.0]


@pytest.mark.parametrize(
    ("status", "now", "expected"),
    [
        (2, 50, [("A0", 1, "PriceResponse"), ("A0", 6, "PriceResponse")]),
        (2, 150, []),
        (4, 50, []),
    ],
)
def test_a_price_that_was_cancelled_before_it_was_seen_is_answered(
    status: int, now: int, expected: list[tuple[str, int, str]]
) -> None:
    """CSIP-AUS PRC-04."""
    gone = replace(interval("A0", 0, 100), EventStatus_=replace(PENDING, currentStatus=status))
    offered = priced(rate(5, intervals=(gone,)))
    run = Run()

    assert [run.at(now, offered), run.at(now + 10, offered)] == [None, None]
    assert run.owed == expected


def test_the_parts_of_the_ratings_are_settings() -> None:
    settings = replace(ON, charge_pct=50.0, discharge_pct=25.0)

    assert through(priced(rate(5, 55)), (50, 150), settings) == [-2_500.0, 1_000.0]


@pytest.mark.parametrize(
    ("price", "multiplier", "unit", "expected"),
    [(30, -2, 3, 0.3), (30, -5, 0, 0.3), (300, -3, 3, 0.3), (300, 0, 6, 0.3), (-5, -2, 3, -0.05)],
)
def test_a_price_is_per_kwh_whatever_its_units(
    price: int, multiplier: int, unit: int, expected: float
) -> None:
    found = rate(price, multiplier=multiplier, reading_type=replace(KWH, powerOfTenMultiplier=unit))

    assert found.price_per_kwh("A0") == pytest.approx(expected)


def test_the_price_of_the_first_block_counts() -> None:
    found = rate(5, prices={"A0": (block(60, 1_000), block(5, 0))})

    assert found.price_per_kwh("A0") == pytest.approx(0.05)


@pytest.mark.parametrize(
    "odd",
    [
        rate(5, reading_type=None),
        rate(5, reading_type=replace(KWH, uom=38)),
        rate(5, reading_type=replace(KWH, flowDirection=19)),
        rate(5, prices={}),
        rate(5, prices={"A0": (block(None),)}),
    ],
)
def test_what_is_no_price_of_energy_taken_moves_nothing(odd: Rate) -> None:
    assert through(priced(odd), (50,)) == [None]


def test_the_tariff_with_the_better_primacy_counts() -> None:
    cheap = replace(rate(5), primacy=9, href="/rc/9", intervals=(interval("AF", 0, 100),))
    cheap = replace(cheap, prices={"AF": (block(5),)})

    assert through(priced(cheap, rate(55)), (50,)) == [4_000.0]


def test_price_events_are_answered_as_events_are() -> None:
    run = Run()
    for now in (0, 50, 100, 200):
        run.at(now, priced(rate(5, 25)))

    assert run.owed == [
        ("A0", 1, "PriceResponse"),
        ("A1", 1, "PriceResponse"),
        ("A0", 2, "PriceResponse"),
        ("A0", 3, "PriceResponse"),
        ("A1", 2, "PriceResponse"),
        ("A1", 3, "PriceResponse"),
    ]
    assert PriceResponse.__name__ == "PriceResponse"


def test_without_thresholds_tariffs_are_not_followed() -> None:
    run = Run(PriceSettings())
    run.at(50, priced(rate(5)))

    assert run.owed == []
    assert not PriceSettings().is_on


def test_a_newer_interval_supersedes_an_older_one() -> None:
    offered = rate(5)
    newer = interval("AE", 50, 100, created=10)
    both = replace(
        offered, intervals=(*offered.intervals, newer), prices={**offered.prices, "AE": (block(55),)}
    )
    run = Run()
    powers = [run.at(now, priced(both)) for now in (0, 60)]

    assert powers == [-5_000.0, 4_000.0]
    assert ("A0", 7, "PriceResponse") in run.owed


def test_a_reservation_that_was_granted_charges_at_its_power_until_its_energy_has_flown() -> None:
    offered = Offered(reservations=(grant(100, 7_200),), reservations_href="/frp")
    run = Run()
    powers = [run.at(now, offered) for now in (50, 100, 149, 150, 200)]

    assert powers == [None, -7_200.0, -7_200.0, None, None]
    assert run.owed == [
        ("B1", 1, FlowReservationResponseResponse.__name__),
        ("B1", 2, FlowReservationResponseResponse.__name__),
        ("B1", 3, FlowReservationResponseResponse.__name__),
    ]


def test_a_reservation_that_is_metered_runs_until_its_energy_is_used_and_is_completed_at_its_end() -> None:
    offered = Offered(reservations=(grant(100, 7_200),), reservations_href="/frp")
    run = Run()
    first = run.at(100, offered)
    run.offers.used.after(0.0)
    run.offers.used.after(-40.0)
    slow = run.at(180, offered)
    is_spent = run.offers.used.after(-101.0)
    powers = [run.at(now, offered) for now in (181, 200)]

    assert (first, slow, is_spent, powers) == (-7_200.0, -7_200.0, True, [None, None])
    assert [code for _, code, _ in run.owed] == [1, 2, 3]


def test_a_reservation_that_storage_did_not_follow_is_not_said_to_be_completed() -> None:
    offered = Offered(reservations=(grant(100, 1_000),), reservations_href="/frp")
    run = Run()
    for now, failing in ((100, frozenset[str]()), (150, frozenset({"opModStorageTargetW"}))):
        run.step(now, offered, failing=failing)
    run.at(200, offered)

    assert [code for _, code, _ in run.owed] == [1, 2]


def test_negative_energy_is_given() -> None:
    offered = Offered(reservations=(grant(-1_000, 3_600),), reservations_href="/frp")

    assert through(offered, (150,)) == [3_600.0]


def test_a_grant_without_power_asks_for_nothing() -> None:
    assert through(Offered(reservations=(grant(100, 0),), reservations_href="/frp"), (150,)) == [None]


def test_a_reservation_goes_before_the_price() -> None:
    offered = Offered(rates=(rate(55, 55),), reservations=(grant(1_000, 1_000),), reservations_href="/frp")

    assert through(offered, (50, 150)) == [4_000.0, -1_000.0]


def test_the_next_moment_is_known() -> None:
    offered = Offered(reservations=(grant(100, 7_200),), reservations_href="/frp")
    run = Run()

    assert [run.step(now, offered).next_at for now in (50, 100, 150)] == [100, 150, 200]


def test_an_offer_survives_a_restart_before_the_server_is_heard() -> None:
    offered = priced(rate(5))
    first = Run()
    first.at(50, offered)
    second = Run(records=dict(first.offers.records))
    second.at(51, Offered())

    assert second.at(52, offered) == -5_000.0
    assert second.owed == []
    assert all(map(is_offer, second.offers.records.values()))


def test_who_is_opted_out_follows_no_price() -> None:
    run = Run()

    assert run.at(50, priced(rate(5)), Rules(opted_out=True)) is None


def held(tti: TimeTariffInterval) -> dict[str, Resource | None]:
    tariff = TariffProfile(
        mRID="AA",
        pricePowerOfTenMultiplier=-2,
        primacy=3,
        RateComponentListLink_=RateComponentListLink(href="/rcs"),
        serviceCategoryKind=0,
    )
    component = RateComponent(
        href="/rc/1",
        mRID="AB",
        ReadingTypeLink_=ReadingTypeLink(href="/rt"),
        roleFlags="00",
        TimeTariffIntervalListLink_=TimeTariffIntervalListLink(href="/ttis"),
    )
    return {
        "/tps": TariffProfileList(all=1, results=1, TariffProfile_=[tariff]),
        "/rcs": RateComponentList(all=1, results=1, RateComponent_=[component]),
        "/rt": KWH,
        "/ttis": TimeTariffIntervalList(all=1, results=1, TimeTariffInterval_=[tti]),
        "/ctis": ConsumptionTariffIntervalList(all=1, results=1, ConsumptionTariffInterval_=[block(5)]),
        "/frp": FlowReservationResponseList(all=1, results=1, FlowReservationResponse_=[grant(1, 1)]),
    }


WANTS = {
    "/tps": Want(href="/tps", type=TariffProfileList, poll_s=1),
    "/frp": Want(href="/frp", type=FlowReservationResponseList, poll_s=1),
}


def test_rates_are_made_of_tariffs_components_intervals_and_prices() -> None:
    tti = interval("A0", 0, 100)
    tti.ConsumptionTariffIntervalListLink_ = ConsumptionTariffIntervalListLink(href="/ctis")
    found = offered_of(Walk(wants=WANTS), held(tti))

    assert [(one.href, one.primacy, one.price_per_kwh("A0")) for one in found.rates] == [("/rc/1", 3, 0.05)]
    assert [one.mRID for one in found.reservations] == ["B1"]
    assert found.reservations_href == "/frp"


def test_prices_inside_of_an_interval_go_before_those_behind_its_link() -> None:
    tti = TimeTariffIntervalV13(
        mRID="A0",
        creationTime=0,
        EventStatus_=PENDING,
        interval=DateTimeInterval(duration=100, start=0),
        touTier=0,
        ConsumptionTariffIntervalListSummary=ConsumptionTariffIntervalList(
            all=1, results=1, ConsumptionTariffInterval_=[block(77)]
        ),
    )

    assert offered_of(Walk(wants=WANTS), held(tti)).rates[0].price_per_kwh("A0") == pytest.approx(0.77)


def test_nothing_is_offered_where_nothing_is_followed() -> None:
    assert offered_of(Walk(), held(interval("A0", 0, 1))) == Offered()


ASKED = ReservationSettings(energy_wh=6_000.0, power_w=3_000.0, daily_at_utc="00:30")


@pytest.mark.parametrize(("now", "start"), [(0, 1_800), (1_800, 1_800), (1_801, 88_200), (86_400, 88_200)])
def test_the_window_opens_each_day_at_its_time(now: int, start: int) -> None:
    assert window_start(ASKED, now) == start


def test_a_request_asks_for_energy_power_and_time() -> None:
    found = request_of(ASKED, 600, "AB" * 20, pen=40732)
    assert found is not None

    assert (found.energyRequested, found.powerRequested) == (
        SignedRealEnergy(multiplier=0, value=6_000),
        ActivePower(multiplier=0, value=3_000),
    )
    assert (found.durationRequested, found.intervalRequested) == (
        7_200,
        DateTimeInterval(duration=28_800, start=1_800),
    )
    assert found.RequestStatus_.requestStatus == 0


def test_one_window_has_one_request() -> None:
    first, again = request_of(ASKED, 600, "AB", pen=1), request_of(ASKED, 1_700, "AB", pen=1)
    next_day = request_of(ASKED, 86_400, "AB", pen=1)

    assert first is not None
    assert again is not None
    assert next_day is not None
    assert first.mRID == again.mRID != next_day.mRID


@pytest.mark.parametrize(
    ("settings", "now"), [(ASKED, 1_801), (ReservationSettings(), 600), (replace(ASKED, ahead_s=60), 600)]
)
def test_a_request_is_not_made_before_its_time_or_where_nothing_is_wanted(
    settings: ReservationSettings, now: int
) -> None:
    assert request_of(settings, now, "AB", pen=1) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"energy_wh": 1.0},
        {"daily_at_utc": "24:00"},
        {"daily_at_utc": "8:00"},
        {"window_s": 0},
        {"ahead_s": 90_000},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingsError):
        ReservationSettings(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wrong", [{"charge_pct": 101.0}, {"discharge_pct": -1.0}, {"charge_below": 1.0, "discharge_above": 0.5}]
)
def test_prices_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingsError):
        PriceSettings(**wrong)


WEEK_S = 7 * 86_400


@pytest.mark.parametrize("last_seen", [50, 150])
def test_what_is_known_of_a_tariff_that_was_removed_is_forgotten_a_week_after_its_end(last_seen: int) -> None:
    run = Run()
    run.at(last_seen, Offered(rates=(rate(5, 20),)))
    run.step(200 + WEEK_S - 1, Offered())
    assert run.offers.records.keys() == {"A1"}
    step = run.step(200 + WEEK_S, Offered())

    assert run.offers.records == {}
    assert step.is_changed


def test_an_offer_that_a_stale_list_shows_long_after_its_end_is_answered_once() -> None:
    run, stale = Run(), Offered(rates=(rate(5),))
    for now in (50, 150, 250, 100 + WEEK_S, 101 + WEEK_S, 102 + WEEK_S):
        run.step(now, stale)

    assert [status for _, status, _ in run.owed] == [1, 2, 3]
