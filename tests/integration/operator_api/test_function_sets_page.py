"""The page of the function sets: its commands run, and it names every code."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from function_sets import FUNCTION_SETS
from sep2_server.operator import OperatorClient

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "function_sets.md").read_text()
LINES = [
    line
    for block in re.findall(r"^```console\n(.*?)^```", PAGE, flags=re.DOTALL | re.M)
    for line in block.splitlines()
]


@pytest.mark.parametrize("code", [one.code for one in FUNCTION_SETS])
def test_the_page_names_every_function_set(code: str) -> None:
    assert f"`{code}`" in PAGE


def test_every_command_of_the_page_ends_well(op: Callable[..., int], api: OperatorClient) -> None:
    api.call("POST", ("groups",), {"name": "feeder-7", "primacy": 7})
    words = [shlex.split(line.removesuffix(" --config site"))[2:] for line in LINES]
    assert [op(*line) for line in words] == [0] * len(LINES)
    assert len(LINES) == 3
