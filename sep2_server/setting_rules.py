"""What texts, lists and tables of a settings file have to be beside their kind: names, addresses, codes."""

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from certs import CertsError, is_valid_sfdi, parse_lfdi
from function_sets import ROUTES
from sep2_server.extra_routes import EXTRA_ROUTES
from sep2_server.notifications.hosts import PlaceError, place_of
from sep2_server.setting_values import SettingsError

MOST_PEN: Final = 99_999_999
"""Largest private enterprise number that has eight decimal digits. CSIP-AUS 2.3."""
MOST_RETRY_S: Final = 31_536_000
HISTORY_S: Final = (86_400, 3_153_600_000)
"""Least and most of `event_history_s`."""
_TAKEN: Final = frozenset(
    {".well-known", *(route.path.split("/")[1] for route in (*ROUTES.values(), *EXTRA_ROUTES.values()))}
)
"""First segments of the URIs of a server."""
_PUBLIC: Final = re.compile(r"https://([A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?/?")


def require_sound(values: Mapping[str, Any]) -> None:
    """Raise SettingsError for the first of these settings, by name, that cannot be."""
    for name, check in _CHECKS.items():
        check(name, values[name])


def by_lfdi(name: str, pens: object) -> dict[str, int]:
    """Private enterprise numbers by LFDI in capital digits; SettingsError for what is neither."""
    found: dict[str, int] = {}
    if not isinstance(pens, Mapping):
        raise SettingsError(f"{name}: {pens!r:.60} is no table of LFDI = number")
    for text, pen in pens.items():
        try:
            found[parse_lfdi(text)] = pen
        except CertsError as flaw:
            raise SettingsError(f"{name}.{text[:60]}: {flaw}") from flaw
        if not isinstance(pen, int) or not 0 <= pen <= MOST_PEN:
            raise SettingsError(f"{name}.{text}: {pen} is not 0 to {MOST_PEN}")
    return found


def require_apart(mounts: Iterable[str]) -> None:
    """Raise SettingsError for a mount whose path is that of resources at the root, or below another mount."""
    paths = list(mounts)
    for path in paths:
        for above in {"", *paths} - {path}:
            rest = path.removeprefix(f"{above}/") if path.startswith(f"{above}/") else ""
            first = rest.split("/")[0]
            if first in _TAKEN:
                raise SettingsError(f"mounts.{path}: {above}/{first} is the path of resources already")


def _interfaces(name: str, texts: Iterable[str]) -> None:
    for text in texts:
        try:
            ipaddress.ip_address(text)
        except ValueError as flaw:
            raise SettingsError(f"{name}: {text!r} is no address of an interface") from flaw


def _label(name: str, text: str) -> None:
    if not text.strip(" ."):
        raise SettingsError(f"{name}: {text!r} is no name")


def _sfdis(name: str, texts: Iterable[str]) -> None:
    for text in texts:
        if not (text.isascii() and text.isdigit() and is_valid_sfdi(int(text))):
            raise SettingsError(f"{name}: {text!r} is no SFDI: 36 bits in decimal and a check digit")


def _hosts(name: str, texts: Iterable[str]) -> None:
    for text in texts:
        try:
            place_of(text)
        except PlaceError as flaw:
            raise SettingsError(f"{name}: {flaw}") from flaw


def _history(name: str, history_s: int) -> None:
    low, high = HISTORY_S
    if not low <= history_s <= high:
        raise SettingsError(
            f"{name}: {history_s} is not {low} to {high}: devices send their last Response once an event is"
            " over, and what they said of it is kept as long as the event"
        )


def _public_url(name: str, text: str) -> None:
    if text and not _PUBLIC.fullmatch(text):
        raise SettingsError(f"{name}: {text!r} is not https://host:port")


def _retries(name: str, waits_s: Iterable[int]) -> None:
    for wait_s in waits_s:
        if not 0 <= wait_s <= MOST_RETRY_S:
            raise SettingsError(f"{name}: {wait_s} is not 0 to {MOST_RETRY_S}")


_CHECKS: Final[Mapping[str, Callable[[str, Any], object]]] = {
    "aggregator_pens": by_lfdi,
    "discovery_interfaces": _interfaces,
    "discovery_name": _label,
    "discovery_sfdis": _sfdis,
    "event_history_s": _history,
    "notification_hosts": _hosts,
    "notification_retry_s": _retries,
    "public_url": _public_url,
}
