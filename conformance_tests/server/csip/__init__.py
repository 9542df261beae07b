"""The SunSpec CSIP conformance test procedures (v1.3), played against a server."""

from typing import Final

from conformance_tests.case import AnyCase
from conformance_tests.server.csip import (
    aggregator,
    communication,
    core,
    device,
    events,
    groups,
    maintenance,
    settings,
    subscriptions,
)

CASES: Final[tuple[AnyCase, ...]] = (
    *communication.CASES,
    *core.CASES,
    *device.CASES,
    *groups.CASES,
    *events.CASES,
    *settings.CASES,
    *subscriptions.CASES,
    *aggregator.CASES,
    *maintenance.CASES,
)

__all__ = ["CASES"]
