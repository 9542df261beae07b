"""ALERT_*: texts to show, and for some alerts what a level of SIMPLE would ask. IEEE 2030.5-2018, 10.6."""

from dataclasses import replace
from decimal import Decimal

from openadr_ven.to_sep2.levels import simple
from openadr_ven.to_sep2.replies import each, joined
from openadr_ven.to_sep2.wishes import Ask, Message, Reply
from schemas.codes_metering import PriorityType

CRITICAL = ("ALERT_GRID_EMERGENCY", "ALERT_BLACK_START")


def alert(ask: Ask) -> Reply:
    """The text of an alert, or its name where it has none."""
    name = ask.signal.signalName
    said = " ".join(str(one) for one in ask.values if isinstance(one, str)).strip()
    text = said or name.removeprefix("ALERT_").replace("_", " ").capitalize()
    priority = PriorityType.CRITICAL if name in CRITICAL else PriorityType.HIGH
    shown = each(ask, lambda _: Message(text=text, priority=int(priority)))
    level = ask.programme.alert_levels.get(name)
    return shown if level is None else joined((shown, simple(replace(ask, values=(Decimal(level),)))))
