"""Cases that follow from the declarations: each resource by method, list, body, subscription and viewer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from conformance_tests.server.generated import access, bodies, lists, methods, strangers, subscribable

if TYPE_CHECKING:
    from conformance_tests.case import AnyCase

CASES: Final[tuple[AnyCase, ...]] = (
    *methods.CASES,
    *lists.CASES,
    *subscribable.CASES,
    *bodies.CASES,
    *access.CASES,
    *strangers.CASES,
)
