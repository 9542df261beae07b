"""The menu of `lineside op`."""

import argparse

import pytest

from sep2_server.operator import cli
from sep2_server.operator.menu import HEADINGS


@pytest.fixture(scope="module")
def op() -> argparse.ArgumentParser:
    below = argparse.ArgumentParser(prog="lineside").add_subparsers()
    cli.add_parser(below)
    return below.choices["op"]


def commands(op: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    [choices] = [action.choices for action in op._actions if isinstance(action, argparse._SubParsersAction)]
    return choices


def test_every_command_is_in_the_menu_once_with_what_it_does(op: argparse.ArgumentParser) -> None:
    lines = [line.split() for line in op.format_help().splitlines() if line.startswith("  ")]
    listed = [words[0] for words in lines if words[0] in commands(op) and len(words) > 1]
    assert sorted(listed) == sorted(commands(op))


def test_the_headings_name_commands_that_are_there(op: argparse.ArgumentParser) -> None:
    assert {name for names in HEADINGS.values() for name in names} - set(commands(op)) == set()


def test_the_menu_fits_100_columns(op: argparse.ArgumentParser) -> None:
    assert max(map(len, op.format_help().splitlines())) <= 100


def test_every_command_has_an_example_and_knows_json(op: argparse.ArgumentParser) -> None:
    leaves = [leaf for parser in commands(op).values() for leaf in leaves_of(parser)]
    assert [leaf.prog for leaf in leaves if "example: lineside op" not in (leaf.epilog or "")] == []
    assert [leaf.prog for leaf in leaves if "--json" not in leaf.format_help()] == []


def leaves_of(parser: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    below = [action.choices for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    found = [leaf for choices in below for child in choices.values() for leaf in leaves_of(child)]
    return found or [parser]
