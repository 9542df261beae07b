"""Pricing: tariffs with rate components and time tariff intervals, PRC-01 to PRC-05."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from conformance_tests.aus.client_notation import (
    CANCELLED,
    NOTHING,
    PRICING,
    PROGRAM,
    RECEIVED,
    answered,
    get,
    last_wait,
    on,
    post,
    rates,
    wait,
)
from conformance_tests.aus.client_words import (
    Act,
    AddInterval,
    AddRate,
    AddTariff,
    CancelIntervals,
    Check,
    ClientProcedure,
    Confirmed,
    Device,
    DropRate,
    Finish,
    Rates,
    Requested,
    Responded,
    Step,
)
from conformance_tests.aus.places import INTERVALS, PRICE_RESPONSES, TARIFFS
from conformance_tests.aus.values import NOW, THIS_HOUR, TODAY

CATEGORY: Final = "Pricing"
WH, DAYS = 72, 195
"""Units of a rate. IEEE 2030.5-2018, B.2.3.4 UomType: 72 is Wh; TS 5573: 195 is a day."""
IMPORTED, EXPORTED = 1, 19
"""flowDirection: 1 forward (to the customer), 19 reverse. IEEE 2030.5-2018, B.2.3.4."""
HOUR_S, DAY_S = 3600, 86400
RATE_TYPES: Final = ("RateComponentList", "RateComponent")


def tariff(price_multiplier: int = 0) -> AddTariff:
    """The one tariff of a procedure."""
    return AddTariff(0, 1, price_multiplier)


def energy(tag: str, direction: int, multiplier: int = 0, commodity: int | None = None) -> AddRate:
    """A price for energy in one direction."""
    return AddRate(tag=tag, uom=WH, multiplier=multiplier, direction=direction, commodity=commodity)


def daily(tag: str) -> AddRate:
    """A price for each day."""
    return AddRate(tag=tag, uom=DAYS, multiplier=0)


def priced(
    name: str,
    title: str,
    acts: tuple[Act, ...],
    steps: tuple[Step, ...],
    passes: tuple[Check, ...] = (),
    *,
    tariffs_s: int = 60,
    intervals_s: int = 60,
) -> ClientProcedure:
    """A client that is registered, with a program that allows nothing, and tariffs."""
    return ClientProcedure(
        name=name,
        title=title,
        category=CATEGORY,
        classes=("PRC",),
        versions=PRICING,
        first=(rates(60, tariffs=tariffs_s, intervals=intervals_s), PROGRAM, NOTHING),
        acts=acts,
        ready=(Device(),),
        steps=steps,
        passes=passes,
    )


PRC_01: Final = priced(
    "PRC-01",
    "reads prices by the list of all intervals, not rate by rate",
    (
        tariff(),
        energy("RC1", IMPORTED, commodity=2),
        energy("RC2", EXPORTED, commodity=2),
        AddInterval(rate="RC1", duration_s=300, block0=1),
        AddInterval(rate="RC1", start=NOW + 300, duration_s=300, block0=2),
        AddInterval(rate="RC2", duration_s=600, block0=-3),
    ),
    (
        on("GET-TP", get(TARIFFS), "GET-CTTI"),
        on("GET-CTTI", get(INTERVALS), "WAIT-TEST-END"),
        last_wait("WAIT-TEST-END", 180),
    ),
    (Requested(RATE_TYPES, 1, 3),),
    tariffs_s=300,
)

SOON: Final = THIS_HOUR + 2 * HOUR_S
PRICES: Final = """Confirm that the client reads the prices so:
TTI-1 and TTI-3: import costs $0.000004 for each of the first 100 kWh and $0.000005 for what follows;
export costs $0.000001 for each of the first 100 kWh and $0.000002 for what follows.
TTI-2 and TTI-4: each kWh of import is paid $0.999998, each kWh of export $1.000001.
TTI-5, where none of those applies: each kWh of import costs $0.000003; export has no price.
TTI-6, for its days in Eastern Australia: $0.000010 a day, whatever is used."""

PRC_02: Final = priced(
    "PRC-02",
    "reads blocks, powers of ten, negative and daily prices rightly",
    (
        tariff(-6),
        energy("RC-1", IMPORTED, 3),
        energy("RC-2", EXPORTED, 3),
        energy("RC-3", IMPORTED, 3),
        daily("RC-4"),
        *(
            act
            for rate, first, second in (("RC-1", 1, 2), ("RC-2", 3, 4))
            for act in (
                AddInterval(
                    rate=rate,
                    start=SOON,
                    duration_s=300,
                    block0=1,
                    block1=2,
                    block1_from=100,
                    tag=f"TTI-{first}",
                ),
                AddInterval(
                    rate=rate, start=SOON + 300, duration_s=300, block0=-1000001, tag=f"TTI-{second}"
                ),
            )
        ),
        AddInterval(rate="RC-3", start=TODAY, duration_s=2 * DAY_S, block0=3, tag="TTI-5"),
        AddInterval(rate="RC-4", start=SOON, duration_s=2 * DAY_S, block0=10, tag="TTI-6"),
    ),
    (
        on("GET-CTTI", get(INTERVALS), "PROCEED-TEST-END"),
        Step("PROCEED-TEST-END", Confirmed(), (CancelIntervals(),), ("GET-CANCEL-TTI",), tell=PRICES),
        on("GET-CANCEL-TTI", get(INTERVALS)),
    ),
)

PRC_03: Final = priced(
    "PRC-03",
    "polls tariffs, rates and intervals at their own rates",
    (tariff(), energy("RC-1", IMPORTED), AddInterval(rate="RC-1", duration_s=840, block0=1, tag="TTI-1")),
    (on("GET-TP", get(TARIFFS), "WAIT-TEST-END"), last_wait("WAIT-TEST-END", 600)),
    (
        Requested(("TariffProfileList", "TariffProfile"), 6, 7),
        Requested(RATE_TYPES, 6, 7),
        Requested(("TimeTariffIntervalList", "CombinedTimeTariffIntervalList", "TimeTariffInterval"), 3, 4),
    ),
    tariffs_s=120,
    intervals_s=240,
)

TO_CANCEL: Final = ("TTI-1", "TTI-2", "TTI-3", "TTI-4")


def price_answer(tag: str, status: int, *, came: bool = True) -> Responded:
    """Whether a Response to a TimeTariffInterval came."""
    return Responded(status, tag, prices=True, came=came)


PRC_04: Final = priced(
    "PRC-04",
    "answers intervals that are cancelled, and only those",
    (
        tariff(),
        energy("RC-1", IMPORTED),
        daily("RC-2"),
        AddInterval(rate="RC-1", start=NOW + HOUR_S, duration_s=HOUR_S, block0=1, tag="TTI-1"),
        AddInterval(rate="RC-1", duration_s=HOUR_S, block0=2, tag="TTI-2"),
        AddInterval(rate="RC-2", start=TODAY, duration_s=DAY_S, block0=3, tag="TTI-3"),
        AddInterval(rate="RC-2", start=TODAY + DAY_S, duration_s=DAY_S, block0=4, tag="TTI-4"),
        AddInterval(rate="RC-1", duration_s=120, block0=2, tag="TTI-5"),
    ),
    (
        on("GET-TP", get(TARIFFS), "WAIT-TEST-END", acts=tuple(map(CancelIntervals, TO_CANCEL))),
        last_wait("WAIT-TEST-END", 180),
    ),
    (
        Responded(RECEIVED, to_all=True, prices=True),
        *(price_answer(tag, CANCELLED) for tag in TO_CANCEL),
        price_answer("TTI-5", CANCELLED, came=False),
    ),
)


def price_answered(number: int, *opens: str, acts: tuple[Act, ...] = ()) -> Step:
    """The client tells that it received an interval."""
    check = Responded(RECEIVED, f"TTI-{number}", latest=True, prices=True)
    event = answered(post(PRICE_RESPONSES))
    return Step(f"POST-TTI-{number}-RESPONSE-RECEIVED", event, acts, opens, when=check)


PRC_05: Final = priced(
    "PRC-05",
    "follows rates that come and go",
    (),
    (
        on(
            "GET-TP",
            get(TARIFFS),
            "WAIT-TEST-FINISH",
            "WAIT-TTI-1-FINISH",
            "POST-TTI-1-RESPONSE-RECEIVED",
            "FAIL-GET-TP",
            acts=(
                Rates(tariffs=3600),
                tariff(),
                energy("RC-1", IMPORTED),
                AddInterval(rate="RC-1", duration_s=120, block0=1, tag="TTI-1"),
            ),
        ),
        price_answered(
            1,
            "POST-TTI-2-RESPONSE-RECEIVED",
            acts=(
                energy("RC-2", EXPORTED),
                AddInterval(rate="RC-2", duration_s=120, block0=2, tag="TTI-2"),
            ),
        ),
        price_answered(2),
        wait(
            "WAIT-TTI-1-FINISH",
            180,
            "POST-TTI-3-RESPONSE-RECEIVED",
            "POST-TTI-4-RESPONSE-RECEIVED",
            acts=(
                DropRate("RC-1"),
                daily("RC-3"),
                AddInterval(rate="RC-2", duration_s=300, block0=3, tag="TTI-3"),
                AddInterval(rate="RC-3", duration_s=300, block0=4, tag="TTI-4"),
            ),
        ),
        price_answered(3),
        price_answered(4),
        last_wait("WAIT-TEST-FINISH", 450),
        Step(
            "FAIL-GET-TP",
            get(TARIFFS),
            (Finish("the TariffProfileList was read again long before its new pollRate"),),
            stays=True,
        ),
    ),
    (Requested(("RateComponent",), 0, 4), Requested(("RateComponentList",), 1, 4)),
)

PROCEDURES: Final = (PRC_01, PRC_02, PRC_03, PRC_04, replace(PRC_05, unmet=("FAIL-GET-TP",)))
