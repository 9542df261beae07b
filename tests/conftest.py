"""Fixtures that every test folder shares."""

import gc
import re
from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

import pytest
from aiohttp import web
from hypothesis import HealthCheck, settings

import sep2_server.app
import sep2_server.protocol
from sep2_server.messages import Answer
from tests.inputs import inputs
from tests.schema_judge import SchemaJudge

VECTORS = Path(__file__).resolve().parents[2] / "shared" / "standard" / "vectors"


settings.register_profile(
    "new inputs", max_examples=inputs(100), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("same inputs", settings.get_profile("new inputs"), derandomize=True)
"""How fast inputs come says something of the machine, nothing of the code."""

SAMPLES = [
    (re.compile(r"/test_sep2_(store|durability|feed|migrations|old_rows|loop_|lost_)"), 1),
    (re.compile(r"/test_sep2_.*\[postgresql"), 8),
    (re.compile(r"/conformance/.*\["), 4),
    (re.compile(r"/test_opender.py"), 8),
]
"""What `make test` plays one of so many of, always the same: many of a kind, all of them in `make check`.

What the server does is played on SQLite as a whole; on PostgreSQL, what is about the database itself.
"""

OTHERS = {("Content-Type", "application/json"), ("Content-Type", "application/sep-exi")}
"""Bodies that are no XML."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--whole` plays every test, as make check does; without it a sample of what is many of a kind."""
    parser.addoption("--whole", action="store_true", help="every test, as in make check; else a sample")


def pytest_configure(config: pytest.Config) -> None:
    """Property tests have the same inputs in each `make test`, and new ones in each `make check`."""
    settings.load_profile("new inputs" if config.getoption("--whole") else "same inputs")
    gc.disable()


def pytest_collection_finish() -> None:
    """The tests stay in memory until the end: nothing is gained by looking through them for garbage."""
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out, and count as deselected, what is no part of the sample unless all is asked for."""
    if config.getoption("--whole"):
        return
    left = [item for item in items if _is_left_out(item)]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if not _is_left_out(item)]


def _is_left_out(item: pytest.Item) -> bool:
    """Whether a test is marked `whole`, or is one of many of a kind that another stands for."""
    if item.get_closest_marker("whole") is not None:
        return True
    share = next((share for pattern, share in SAMPLES if pattern.search(item.nodeid)), 1)
    return crc32(item.nodeid.encode()) % share != 0


@pytest.fixture(scope="session")
def vectors() -> Path:
    """The folder of reference data beside the project; tests that need it skip where it is absent."""
    if not VECTORS.is_dir():
        pytest.skip("reference data (../shared/standard/vectors) is not on this machine")
    return VECTORS


@pytest.fixture(scope="session", autouse=True)
def schema_judge() -> Iterator[SchemaJudge]:
    """The judge of all bodies that servers send in this run; one that breaks the schema fails the run."""
    judge = SchemaJudge()
    plain = sep2_server.protocol.response_of

    def judged(answer: Answer) -> web.Response:
        if not OTHERS.intersection(answer.headers):
            judge.judge(answer.body)
        return plain(answer)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sep2_server.protocol, "response_of", judged)
        patch.setattr(sep2_server.app, "response_of", judged)
        yield judge
    assert judge.flaws == []
