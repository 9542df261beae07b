"""What this VEN is, as its configuration and its VTN say it: who events must be for, and what it can do."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from openadr_ven.events.quantity import Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One thing that a VEN speaks for, by the name that the VTN uses.

    `device_classes` are the words of endDeviceAsset (Thermostat, Storage, EVSE and so on). `targets` are
    the other values that address it: groups, and the target strings of 3.1.
    """

    name: str
    device_classes: frozenset[str] = frozenset()
    targets: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """A VEN at one VTN.

    `names` are our venID and VEN name, party and whatever else addresses all of us. `market_contexts` None
    accepts any. `signals` are the pairs of signalName and signalType ("" in 3.x) that we take; None is all
    of the standard's. `custom_signals` are pairs beside the standard's. `default_units` are those of
    signals that come without one, by market context and signalName. OpenADR 2.0b, R48, R112.
    """

    ven_id: str
    resources: tuple[Resource, ...]
    names: frozenset[str] = frozenset()
    market_contexts: frozenset[str] | None = None
    signals: frozenset[tuple[str, str]] | None = None
    custom_signals: frozenset[tuple[str, str]] = frozenset()
    default_units: Mapping[tuple[str, str], Unit] = field(default_factory=dict)
    is_opted_in: bool = True

    def __post_init__(self) -> None:
        if not self.resources:
            raise ValueError("a VEN speaks for at least one resource")
