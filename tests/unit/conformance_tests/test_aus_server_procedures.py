"""Every published CSIP-AUS procedure for servers is here, step by step and parameter by parameter."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from conformance_tests.aus.server_procedures import PROCEDURES
from conformance_tests.aus.server_words import ServerProcedure
from tests.unit.conformance_tests.aus_client_facts import Raw
from tests.unit.conformance_tests.aus_server_facts import procedure

OURS = {one.name: one for one in PROCEDURES}


@pytest.fixture(scope="module")
def published(vectors: Path) -> dict[str, Raw]:
    """What was published, by name."""
    found: dict[str, Raw] = json.loads((vectors / "csipaus_tests.json").read_text())["server"]
    return found


def _shape(procedure: ServerProcedure) -> ServerProcedure:
    """A procedure without what is only worded, and without the order of what has none."""
    return replace(
        procedure,
        title="",
        steps=tuple(
            replace(
                one,
                name="",
                tell="told" if one.tell else "",
                checks=tuple(sorted(one.checks, key=repr)),
            )
            for one in procedure.steps
        ),
    )


def test_no_published_procedure_is_missing_and_none_is_invented(published: dict[str, Raw]) -> None:
    assert set(OURS) == set(published)
    assert len(PROCEDURES) == len(OURS) == 61


@pytest.mark.parametrize("name", sorted(OURS))
def test_procedure_is_as_published(name: str, published: dict[str, Raw]) -> None:
    assert _shape(OURS[name]) == _shape(procedure(name, published[name]))


def test_a_step_that_is_left_out_or_changed_is_noticed(published: dict[str, Raw]) -> None:
    ours, theirs = _shape(OURS["S-ALL-41"]), _shape(procedure("S-ALL-41", published["S-ALL-41"]))
    assert replace(ours, steps=ours.steps[:-1]) != theirs
    assert replace(ours, steps=(*ours.steps[:-1], replace(ours.steps[-1], until=True))) != theirs


@pytest.mark.parametrize("one", PROCEDURES, ids=lambda one: one.name)
def test_every_step_has_a_name_and_a_client_that_plays(one: ServerProcedure) -> None:
    names = {name for name, _ in one.clients}
    alone = len(names) == 1
    assert one.title
    assert all(step.name for step in one.steps)
    assert all(step.by in names or (alone and not step.by) for step in one.steps)
    assert all(step.knows in {*names, ""} for step in one.steps)
