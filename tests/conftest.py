"""Fixtures that every test folder shares."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web

import sep2_server.app
import sep2_server.protocol
from sep2_server.messages import Answer
from tests.schema_judge import SchemaJudge

VECTORS = Path(__file__).resolve().parents[2] / "shared" / "standard" / "vectors"


OTHERS = {("Content-Type", "application/json"), ("Content-Type", "application/sep-exi")}
"""Bodies that are no XML."""


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
