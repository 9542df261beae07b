"""All procedures for servers."""

from __future__ import annotations

from typing import Final

from conformance_tests.aus import (
    server_control,
    server_monitoring,
    server_registration,
    server_responses,
    server_subscriptions,
)

PROCEDURES: Final = (
    *server_registration.PROCEDURES,
    *server_monitoring.PROCEDURES,
    *server_control.PROCEDURES,
    *server_responses.PROCEDURES,
    *server_subscriptions.PROCEDURES,
)
