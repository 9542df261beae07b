"""All cases there are, gathered from the modules that offer `CASES`."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from conformance_tests.case import AnyCase

MODULES: Final[tuple[str, ...]] = (
    "conformance_tests.aus.client_cases",
    "conformance_tests.aus.server_cases",
    "conformance_tests.client.csip",
    "conformance_tests.client.events",
    "conformance_tests.client.security",
    "conformance_tests.server.csip",
    "conformance_tests.server.events",
    "conformance_tests.server.generated",
    "conformance_tests.server.security",
)
"""Modules with `CASES`, in the order in which a run plays them."""


@cache
def all_cases() -> tuple[AnyCase, ...]:
    """Every case; each id is there once."""
    found: dict[str, AnyCase] = {}
    for name in MODULES:
        for case in import_module(name).CASES:
            if case.id in found:
                raise ValueError(f"{name}: {case.id} is there twice")
            found[case.id] = case
    return tuple(found.values())
