"""Profiles and mounts from the settings: a name, or a table of a name and the rules that deviate from it."""

import re
from collections.abc import Container, Iterable, Mapping
from dataclasses import Field, replace
from typing import Any, Final, get_type_hints

from sep2_server.profiles import FUNCTION_SET_CODES, PROFILES, ServerProfile, polled, rules
from sep2_server.setting_values import SettingsError, value_of

RULES: Final[Mapping[str, Field[Any]]] = {f.name: f for f in rules()}
"""What a profile decides, by name: each may be set for the whole server, for `profile` or for a mount."""
_PATH: Final = re.compile(r"(/[A-Za-z0-9._~-]+)+")
_FORMER: Final = frozenset({"duplicate_end_device_status"})
"""Rules for which 0 has meant what the profile says."""
_KINDS: Final = get_type_hints(ServerProfile)
_PATTERNS: Final = {
    "response_required": re.compile("0[0-7]"),
    "registration_pin": re.compile("none|random|[0-9]{6}"),
}
_RULE_BOUNDS: Final = {
    "list_limit": (1, 65535),
    "event_retention_s": (0, 31_536_000),
    "post_rate_s": (1, 4_294_967_295),
    "registration_ders": (0, 100),
    "default_set_grad_w": (-1, 65535),
}
_MEMBERS: Final[Mapping[str, Container[object]]] = {
    "superseded_responses": (7, 14),
    "notification_statuses": range(100, 600),
    "notification_end_statuses": range(100, 600),
}
"""What the numbers of a list may be."""
MOST_RATE_S: Final = 4_294_967_295


def profile_of(place: str, given: object, shared: Mapping[str, object]) -> ServerProfile:
    """The profile that a name or a table stands for; `shared` are rules that are set for all.

    `place` is where it is set, for the text of a SettingsError.
    """
    table = dict(given) if isinstance(given, Mapping) else {"name": given}
    name = str(table.pop("name", "csip"))
    if name not in PROFILES:
        raise SettingsError(f"{place}: {name!r} is not one of {', '.join(PROFILES)}")
    for rule in table:
        if rule not in RULES:
            raise SettingsError(f"{place}.{rule}: unknown; known are {', '.join(RULES)}")
    held = PROFILES[name]
    given_at = {**dict.fromkeys(shared, ""), **dict.fromkeys(table, f"{place}.")}
    values: dict[str, Any] = {
        rule: _rule(before + rule, table.get(rule, shared.get(rule)), held)
        for rule, before in given_at.items()
    }
    return replace(held, **values)


def _rule(place: str, value: object, held: ServerProfile) -> object:
    """A rule of a profile from plain values; rates are put over those that the profile has."""
    name = place.rpartition(".")[2]
    if name in _FORMER and value == 0:
        return getattr(held, name)
    found = value_of(place, value, _KINDS[name])
    choices = RULES[name].metadata.get("choices", ())
    if choices and found not in choices:
        raise SettingsError(f"{place}: {value!r} is not one of {', '.join(map(str, choices))}")
    if isinstance(found, int) and name in _RULE_BOUNDS:
        low, high = _RULE_BOUNDS[name]
        if not low <= found <= high:
            raise SettingsError(f"{place}: {found} is not {low} to {high}")
    if name in _PATTERNS and not _PATTERNS[name].fullmatch(str(found)):
        raise SettingsError(f"{place}: {value!r} is not {_PATTERNS[name].pattern}")
    if name == "function_sets":
        return _switched(place, held.function_sets, found)
    if isinstance(found, tuple) and name in _MEMBERS:
        _require_members(place, found, _MEMBERS[name])
    return {**held.poll_rate, **_rates(place, found)} if isinstance(found, Mapping) else found


def _require_members(place: str, found: Iterable[object], known: Container[object]) -> None:
    for one in found:
        if one not in known:
            raise SettingsError(f"{place}: {one!r} is not in {known}")


def _rates(place: str, found: Mapping[str, int]) -> Mapping[str, int]:
    """Rates by the id of the resource. SettingsError for one without a pollRate, and for what is no rate."""
    for kind, rate_s in found.items():
        if kind not in polled():
            raise SettingsError(f"{place}.{kind}: carries no pollRate; allowed: {', '.join(polled())}")
        if not 1 <= rate_s <= MOST_RATE_S:
            raise SettingsError(f"{place}.{kind}: {rate_s} is not 1 to {MOST_RATE_S}")
    return found


def _switched(place: str, held: tuple[str, ...], found: object) -> tuple[str, ...]:
    """Codes of function sets with those that are switched on (`dr`, `all`) or off (`-ps`)."""
    codes = set(held)
    for entry in map(str, found if isinstance(found, tuple) else ()):
        named = set(FUNCTION_SET_CODES if entry.removeprefix("-") == "all" else (entry.removeprefix("-"),))
        if not named <= set(FUNCTION_SET_CODES):
            known = ", ".join(FUNCTION_SET_CODES)
            raise SettingsError(f"{place}: {entry!r} is not all, a code, or -code; codes are {known}")
        codes = codes - named if entry.startswith("-") else codes | named
    return tuple(sorted(codes))


def prefix_of(path: str) -> str:
    """The path of a mount as it stands before URIs: empty for the root."""
    if path == "/":
        return ""
    if not _PATH.fullmatch(path):
        raise SettingsError(f"mounts: {path!r} is not a path such as /aus13")
    return path


def table_of(name: str, value: object) -> Mapping[str, object]:
    """The table that a setting is; SettingsError where it is none."""
    if not isinstance(value, Mapping):
        raise SettingsError(f"{name}: {value!r} is not a table")
    return value
