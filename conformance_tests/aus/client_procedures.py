"""All procedures for clients."""

from __future__ import annotations

from typing import Final

from conformance_tests.aus import (
    client_control,
    client_demand_response,
    client_der,
    client_limits,
    client_monitoring,
    client_pricing,
    client_primacy,
    client_provisional,
    client_registration,
    client_schedules,
    client_storage,
    client_subscriptions,
)

PROCEDURES: Final = (
    *client_registration.PROCEDURES,
    *client_monitoring.PROCEDURES,
    *client_control.PROCEDURES,
    *client_schedules.PROCEDURES,
    *client_subscriptions.PROCEDURES,
    *client_limits.PROCEDURES,
    *client_der.PROCEDURES,
    *client_primacy.PROCEDURES,
    *client_demand_response.PROCEDURES,
    *client_storage.PROCEDURES,
    *client_pricing.PROCEDURES,
    *client_provisional.PROCEDURES,
)
