"""The interlocks of a DER and its battery: a table of data, the measures it names, and the engine. Pure."""

from der_client.interlocks.bounds import Within, settings_of
from der_client.interlocks.grid import window_of as grid_window_of
from der_client.interlocks.row import BLOCKS, STOPS, Action, Direction, Gradual, Held, Interlock, may_reset
from der_client.interlocks.rules import SafetyRules
from der_client.interlocks.situation import LoopFacts, SiteFacts, Situation, Surroundings
from der_client.interlocks.table import Table, interlocks
from der_client.interlocks.trends import Trends

__all__ = [
    "BLOCKS",
    "STOPS",
    "Action",
    "Direction",
    "Gradual",
    "Held",
    "Interlock",
    "LoopFacts",
    "SafetyRules",
    "SiteFacts",
    "Situation",
    "Surroundings",
    "Table",
    "Trends",
    "Within",
    "grid_window_of",
    "interlocks",
    "may_reset",
    "settings_of",
]
