"""Scales are applied once, to plain units."""

from decimal import Decimal

import pytest

from openadr_ven.events import Unit, descriptor_unit, item_unit
from openadr_ven.events.quantity import UNKNOWN


@pytest.mark.parametrize(
    ("base", "units", "scale", "unit", "plain"),
    [
        ("powerReal", "W", "k", Unit.W, "3000"),
        ("powerReal", "W", "none", Unit.W, "3"),
        ("powerReal", "W", "M", Unit.W, "3000000"),
        ("powerApparent", "VA", "k", Unit.VA, "3000"),
        ("powerReactive", "VAR", "k", Unit.VAR, "3000"),
        ("energyReal", "Wh", "G", Unit.WH, "3000000000"),
        ("energyReactive", "VARh", "m", Unit.VARH, "0.003"),
        ("currencyPerKWh", "USD", "none", Unit.CURRENCY_PER_KWH, "3"),
        ("currencyPerKWh", "EUR", "c", Unit.CURRENCY_PER_KWH, "0.03"),
        ("currencyPerKW", "USD", "none", Unit.CURRENCY_PER_KW, "3"),
        ("temperature", "celsius", "none", Unit.CELSIUS, "3"),
        ("temperature", "fahrenheit", "none", Unit.FAHRENHEIT, "3"),
        ("pulseCount", "count", "none", Unit.COUNT, "3"),
    ],
)
def test_item_has_its_plain_unit_and_the_scale_always_counts(
    base: str, units: str, scale: str, unit: Unit, plain: str
) -> None:
    found = item_unit(base, units, scale)

    assert (found.unit, found.plain(Decimal(3))) == (unit, Decimal(plain))


@pytest.mark.parametrize(
    ("base", "units", "scale"),
    [
        ("powerReal", "kW", "none"),
        ("powerReal", "W", "x"),
        ("customUnit", "", "none"),
        ("temperature", "K", "none"),
    ],
)
def test_item_that_does_not_fit_is_unknown(base: str, units: str, scale: str) -> None:
    assert item_unit(base, units, scale) == UNKNOWN


def test_units_of_openadr_3_are_brought_to_plain_ones() -> None:
    found = descriptor_unit("KW")

    assert found is not None
    assert (found.unit, found.plain(Decimal("6.0"))) == (Unit.W, Decimal(6000))


@pytest.mark.parametrize(
    ("units", "currency", "unit"),
    [
        ("KWH", "USD", Unit.CURRENCY_PER_KWH),
        ("KW", "USD", Unit.CURRENCY_PER_KW),
        (None, "USD", Unit.CURRENCY),
        ("VOLTS", "USD", Unit.UNKNOWN),
        ("MWH", None, Unit.UNKNOWN),
        ("PERCENT", None, Unit.SHARE),
    ],
)
def test_price_keeps_its_scale(units: str | None, currency: str | None, unit: Unit) -> None:
    found = descriptor_unit(units, currency)

    assert found is not None
    assert (found.unit, found.factor) == (unit, Decimal(1))


def test_payload_without_units_has_none() -> None:
    assert descriptor_unit(None) is None
