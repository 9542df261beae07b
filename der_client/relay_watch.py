"""Holds the relay of one device while its control loop is sound; tells once where orders do not get there."""

import logging
from collections.abc import Collection

from der_client.client_event import Tell, What
from der_client.device import Device, Fault
from der_client.interlocks import Action, SafetyRules, interlocks
from der_client.relay import guard
from der_client.safety_state import Reason, opens_relay

log = logging.getLogger(__name__)


class RelayWatch:
    """The relay of one device; nothing for a device without one."""

    def __init__(self, device: Device, tell: Tell) -> None:
        self._device = device
        self._tell = tell
        self._fault: Fault | None = None

    def look(self, rules: SafetyRules, latched: frozenset[str], reasons: Collection[Reason]) -> None:
        """Hold the relay, unless the loop is not to be relied on or a contactor must open."""
        rows = interlocks(rules).by_name
        is_latched_open = any(rows[name].action is Action.OPEN for name in latched & rows.keys())
        fault = guard(self._device, is_sound=not is_latched_open and not any(map(opens_relay, reasons)))
        if fault is not None and self._fault is None:
            self._tell(What.FAULT, f"{self._device.name}: its relay: {fault.detail}")
            log.warning("%s: its relay: %s", self._device.name, fault.detail)
        self._fault = fault
