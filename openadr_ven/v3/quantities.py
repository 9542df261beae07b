"""Units, currencies and values of payloads of 3.x."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from openadr_ven.events import Point, Scaled, Value, descriptor_unit
from openadr_ven.events.quantity import UNITS
from openadr_ven.events.signals import PAYLOADS_3, Form
from openadr_ven.v3.errors import FlawError
from openadr_ven.v3.leniency import Leniency
from openadr_ven.v3.objects import PayloadDescriptor
from openadr_ven.v3.table import LONGEST_TEXT, Table, number_of

MOST_VALUES: Final = 10_000
"""Of one payload."""


def unit_words(table: Table) -> tuple[str | None, str | None]:
    """Units and currency of a descriptor, in the standard's words where they can be told."""
    units, currency = table.text("units"), None
    if "currency" in table.keys:
        currency = table.text("currency")
    if not units or units in UNITS:
        return units or None, currency
    if units.upper() in UNITS:
        table.notes.add(Leniency.UNIT_CASE, table.place)
        return units.upper(), currency
    if currency is None and len(units) == 3 and units.isalpha() and units.isupper():
        table.notes.add(Leniency.CURRENCY_IN_UNITS, table.place)
        return None, units
    return units, currency


def unit_of(kind: str, descriptors: Mapping[str, PayloadDescriptor]) -> tuple[Scaled | None, str | None]:
    """The unit of a payload type, with its scale, and the currency."""
    one = descriptors.get(kind)
    return (None, None) if one is None else (descriptor_unit(one.units, one.currency), one.currency)


def values_of(payload: Table, kind: str, scale: Scaled | None) -> tuple[Value, ...]:
    """Values of a payload in the plain unit; points keep the numbers of the wire."""
    found = payload.items("values")
    if len(found) > MOST_VALUES:
        raise payload.flaw("values", f"{len(found)} are too many")
    return tuple(_value(payload, kind, scale, one) for one in found)


def _value(payload: Table, kind: str, scale: Scaled | None, found: object) -> Value:
    if isinstance(found, bool):
        return found
    if isinstance(found, str) and len(found) <= LONGEST_TEXT:
        number = number_of(found) if _wants_number(kind) else None
        if number is None:
            return found
        payload.notes.add(Leniency.NUMBER_AS_TEXT, payload.place)
        found = number
    if isinstance(found, int | Decimal):
        return Decimal(found) if scale is None else scale.plain(Decimal(found))
    if isinstance(found, dict):
        return Point(x=_coordinate(payload, found, "x"), y=_coordinate(payload, found, "y"))
    raise payload.flaw("values", "neither number, text, boolean nor point")


def _wants_number(kind: str) -> bool:
    shape = PAYLOADS_3.get(kind)
    return shape is not None and shape.form is Form.NUMBER


def _coordinate(payload: Table, found: dict[str, object], name: str) -> Decimal:
    number = found.get(name)
    if isinstance(number, bool) or not isinstance(number, int | Decimal):
        raise FlawError(f"{payload.place}.values: a point without {name}")
    return Decimal(number)
