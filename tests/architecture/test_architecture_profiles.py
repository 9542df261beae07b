"""The page of the profiles holds every rule with its values, as they are in the code."""

from collections.abc import Mapping
from pathlib import Path

from sep2_server.profiles import PROFILES, ServerProfile, default_of, rules

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "profiles.md"
HEAD = "| rule | decides | may be | base | other profiles | source |\n|---|---|---|---|---|---|\n"


def shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ", ".join(map(shown, value)) or "none"
    if isinstance(value, Mapping):
        return ", ".join(f"{k} {v}" for k, v in value.items()) or "none"
    return str(value)


def deviations(name: str) -> str:
    """The profiles in which a rule is not what it is in the standard, those of one value together."""
    base = getattr(PROFILES["base"], name)
    held: dict[str, list[str]] = {}
    for profile in PROFILES.values():
        value = getattr(profile, name)
        if value != base:
            held.setdefault(shown(value), []).append(profile.name)
    return "; ".join(f"{value} ({', '.join(names)})" for value, names in held.items())


def kind_of(name: str) -> str:
    value = getattr(ServerProfile(), name)
    names = {bool: "true, false", int: "number", str: "text", tuple: "list"}
    return names.get(type(value), "table")


def table() -> str:
    """The rules as the page shows them."""
    lines = [
        f"| `{rule.name}` | {rule.metadata['about']} "
        f"| {', '.join(map(shown, rule.metadata.get('choices', ()))) or kind_of(rule.name)} "
        f"| {shown(default_of(rule))} | {deviations(rule.name)} | {rule.metadata['source']} |\n"
        for rule in rules()
    ]
    return HEAD + "".join(lines)


def test_the_page_of_the_profiles_holds_the_rules_of_the_code() -> None:
    page = PAGE.read_text(encoding="utf-8")
    start = page.index(HEAD)
    assert page[start : start + len(table())] == table()
