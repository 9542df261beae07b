"""Prices: absolute ones in a currency, times 10^-5, whatever a signal starts from."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from openadr_ven.events import Code, Unit
from openadr_ven.to_sep2.amounts import whole
from openadr_ven.to_sep2.replies import each, refused
from openadr_ven.to_sep2.wishes import Ask, Flow, Price, Reply

POWER_OF_TEN: Final = -5
INT32: Final = 2**31 - 1
PER_KWH: Final = frozenset({Unit.CURRENCY_PER_KWH, Unit.CURRENCY, None})
PER_KW: Final = frozenset({Unit.CURRENCY_PER_KW, Unit.CURRENCY, None})
CURRENCY_NUMBERS: Final[Mapping[str, int]] = {
    "AED": 784,
    "ARS": 32,
    "AUD": 36,
    "BGN": 975,
    "BRL": 986,
    "CAD": 124,
    "CHF": 756,
    "CLP": 152,
    "CNY": 156,
    "COP": 170,
    "CZK": 203,
    "DKK": 208,
    "EGP": 818,
    "EUR": 978,
    "GBP": 826,
    "HKD": 344,
    "HUF": 348,
    "IDR": 360,
    "ILS": 376,
    "INR": 356,
    "ISK": 352,
    "JPY": 392,
    "KES": 404,
    "KRW": 410,
    "KWD": 414,
    "MAD": 504,
    "MXN": 484,
    "MYR": 458,
    "NGN": 566,
    "NOK": 578,
    "NZD": 554,
    "PEN": 604,
    "PHP": 608,
    "PKR": 586,
    "PLN": 985,
    "QAR": 634,
    "RON": 946,
    "RSD": 941,
    "SAR": 682,
    "SEK": 752,
    "SGD": 702,
    "THB": 764,
    "TRY": 949,
    "TWD": 901,
    "UAH": 980,
    "USD": 840,
    "VND": 704,
    "ZAR": 710,
}
"""ISO 4217 numbers by letters; of any other currency the programme says the number."""


def currency_of(ask: Ask) -> int | None:
    """The number of the currency: that of the signal, else that of the programme."""
    letters = ask.signal.currency
    if letters:
        return CURRENCY_NUMBERS.get(letters.upper(), None)
    return ask.programme.currency


def price(ask: Ask) -> Reply:
    """The price of consumption, per kWh."""
    return _priced(ask, Flow.CONSUMPTION, PER_KWH, _plain)


def relative(ask: Ask) -> Reply:
    """The price that is so much more than that of the programme."""
    base = ask.programme.base_price
    return _priced(ask, Flow.CONSUMPTION, PER_KWH, None if base is None else lambda value: base + value)


def multiplier(ask: Ask) -> Reply:
    """The price that is so many times that of the programme."""
    base = ask.programme.base_price
    return _priced(ask, Flow.CONSUMPTION, PER_KWH, None if base is None else lambda value: base * value)


def export_price(ask: Ask) -> Reply:
    """What is paid for a kWh that is fed in."""
    return _priced(ask, Flow.EXPORT, PER_KWH, _plain)


def demand_charge(ask: Ask) -> Reply:
    """The price of demand, per kW."""
    return _priced(ask, Flow.DEMAND, PER_KW, _plain)


def relative_demand_charge(ask: Ask) -> Reply:
    """The price of demand that is so much more than that of the programme."""
    base = ask.programme.base_demand_charge
    return _priced(ask, Flow.DEMAND, PER_KW, None if base is None else lambda value: base + value)


def demand_multiplier(ask: Ask) -> Reply:
    """The price of demand that is so many times that of the programme."""
    base = ask.programme.base_demand_charge
    return _priced(ask, Flow.DEMAND, PER_KW, None if base is None else lambda value: base * value)


def _plain(value: Decimal) -> Decimal:
    return value


def _priced(
    ask: Ask,
    flow: Flow,
    units: frozenset[Unit | None],
    absolute: Callable[[Decimal], Decimal] | None,
) -> Reply:
    """The price that `absolute` makes of the value; None where there is nothing to start from."""
    currency = currency_of(ask)
    if ask.signal.unit not in units:
        return refused(ask, f"unit {ask.signal.unit} does not fit")
    if currency is None:
        return refused(ask, f"currency {ask.signal.currency or 'none'} has no number here")
    if absolute is None:
        return refused(ask, "the programme has no price to start from")
    number = whole(absolute(ask.number).scaleb(-POWER_OF_TEN))
    if abs(number) > INT32:
        return refused(ask, f"{ask.number} is more than the wire holds", Code.INVALID_DATA)
    return each(ask, lambda _: Price(flow=flow, currency=currency, price=number))
