"""The page on operators names every act with all that it is given."""

import inspect
import re
from pathlib import Path

import pytest

from conformance_tests.server.operator_acts import Acts

PAGE = Path("docs/howto/conformance_operator.md").read_text(encoding="utf-8")
SOURCE = inspect.getsource(Acts)
ACTS = {
    act: set(re.findall(r"(\w+)=", given)) for act, given in re.findall(r'_act\(\s*"([\w-]+)"([^)]*)', SOURCE)
}


def test_every_act_is_found() -> None:
    assert len(ACTS) == 17


@pytest.mark.parametrize("act", ACTS)
def test_an_act_is_on_the_page_with_what_it_is_given(act: str) -> None:
    row = next((line for line in PAGE.splitlines() if line.startswith(f"| `{act}` |")), "")
    assert row
    assert [name for name in ACTS[act] if f"`{name}`" not in row] == []
