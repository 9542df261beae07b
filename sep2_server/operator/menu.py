"""The menu of `lineside op`: its commands under headings, each with what it does in one line."""

import argparse
from collections.abc import Generator, Mapping, Sequence
from typing import Final

HEADINGS: Final[Mapping[str, Sequence[str]]] = {
    "devices": (
        "enrol",
        "ensure",
        "modify",
        "devices",
        "device",
        "remove",
        "block",
        "unblock",
        "blocked",
        "configuration",
    ),
    "network and groups": ("place", "tree", "group", "assign"),
    "controls": ("publish", "change", "cancel", "controls", "control", "default", "curve"),
    "other function sets": (
        "drlc",
        "tariff",
        "message",
        "flow",
        "meter",
        "bill",
        "prepay",
        "file",
        "resource",
    ),
    "what devices report": ("readings", "events", "responses", "changes", "forget"),
    "the server": ("status", "rates", "settings", "token", "audit", "api"),
}
MORE: Final = "more"
_WIDTH: Final = 100


class MenuFormatter(argparse.RawDescriptionHelpFormatter):
    """Shows the epilog as it is, and no list of the commands: the menu is one."""

    def _iter_indented_subactions(self, action: argparse.Action) -> Generator[argparse.Action, None, None]:
        yield from ()


def menu(commands: Mapping[str, argparse.ArgumentParser], helps: Mapping[str, str]) -> str:
    """All commands under their headings, those without one last, with their description or help."""
    placed = {name for names in HEADINGS.values() for name in names}
    rest = [name for name in commands if name not in placed]
    lines: list[str] = []
    for heading, names in (*HEADINGS.items(), (MORE, rest)):
        there = [name for name in names if name in commands]
        lines += (
            [
                f"{heading}:",
                *(_line(name, commands[name].description or helps.get(name, "")) for name in there),
                "",
            ]
            if there
            else []
        )
    return "\n".join(lines)


def helps_of(below: object) -> dict[str, str]:
    """The help of each command, as it was given when its parser was added."""
    return {action.dest: action.help or "" for action in vars(below).get("_choices_actions", ())}


def _line(name: str, text: str) -> str:
    return f"  {name:<14} {text}"[:_WIDTH].rstrip()
