"""The curves that events need: those of the lists, and of events that go on without their list. Pure."""

from collections.abc import Iterable, Mapping

from function_sets import TERMINAL, EventRecord, modes_of
from schemas import DERCurve, DERCurveLink


def curves_after(
    held: Mapping[str, DERCurve], told: Mapping[str, DERCurve], records: Iterable[EventRecord]
) -> Mapping[str, DERCurve]:
    """The curves by href that the server tells now, beside those held to which an event links that goes on.

    An event runs to its end where the list does not show it any more, and so does its curve.
    IEEE 2030.5-2018, 10.2.3.
    """
    live = (record.control.DERControlBase_ for record in records if record.phase not in TERMINAL)
    linked = {one.href for base in live for one in modes_of(base).values() if isinstance(one, DERCurveLink)}
    return {**{href: held[href] for href in sorted(linked & held.keys())}, **told}
