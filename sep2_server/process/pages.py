"""What a monitoring system asks of a server: `/livez`, `/readyz` and `/metrics`. No HTTP types."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sep2_server.process.families import CONTENT_TYPE, text_of
from sep2_server.process.gauges import samples_of_all
from sep2_server.process.health import FINE, checks_of, is_ready

if TYPE_CHECKING:
    from sep2_server.app import Sep2Server

METRICS: Final = "/metrics"
JSON: Final = "application/json"
OPEN: Final = frozenset({"/livez", "/readyz"})
"""Pages that tell no secret, and ask for no token."""


@dataclass(frozen=True, slots=True)
class Page:
    """One answer."""

    status: int
    content_type: str
    body: bytes


def page(server: "Sep2Server", path: str) -> Page | None:
    """What stands at a path; None where that is no page of monitoring."""
    if path == "/livez":
        return Page(200, JSON, _encoded({"live": True}))
    if path == "/readyz":
        return _readiness(server)
    if path == METRICS:
        return Page(200, CONTENT_TYPE, text_of(samples_of_all(server)).encode())
    return None


def _readiness(server: "Sep2Server") -> Page:
    checks = checks_of(server)
    if is_ready(checks):
        return Page(200, JSON, _encoded({"ready": True, "checks": checks}))
    wrong = "; ".join(f"{name}: {told}" for name, told in checks.items() if told != FINE)
    told = {"ready": False, "checks": checks, "error": "not ready", "detail": wrong, "hint": "read the log"}
    return Page(503, JSON, _encoded(told))


def _encoded(told: dict[str, object]) -> bytes:
    return json.dumps(told, ensure_ascii=False).encode() + b"\n"
