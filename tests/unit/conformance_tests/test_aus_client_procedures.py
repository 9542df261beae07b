"""Every published CSIP-AUS procedure for clients is here, step by step and parameter by parameter."""

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from conformance_tests.aus.client_procedures import PROCEDURES
from conformance_tests.aus.client_words import (
    Act,
    AddControl,
    AddProgram,
    ClientProcedure,
    Elapsed,
    Finish,
    Open,
    Silent,
    Step,
)
from tests.unit.conformance_tests.aus_client_facts import Raw, procedure

OURS = {one.name: one for one in PROCEDURES}


@pytest.fixture(scope="module")
def published(vectors: Path) -> dict[str, Raw]:
    """What was published, by name."""
    found: dict[str, Raw] = json.loads((vectors / "csipaus_tests.json").read_text())["client"]
    return found


def _acts(acts: Iterable[Act]) -> tuple[Act, ...]:
    return tuple(Finish("told" if one.fault else "") if isinstance(one, Finish) else one for one in acts)


def _step(step: Step) -> Step:
    return replace(
        step, acts=_acts(step.acts), opens=tuple(sorted(step.opens)), tell="told" if step.tell else ""
    )


def _needs(act: Act) -> int:
    """Programs come before what is set or issued in them, whatever the order in which they were published."""
    return 0 if isinstance(act, AddProgram) else 2 if isinstance(act, AddControl | Open) else 1


def _shape(procedure: ClientProcedure) -> ClientProcedure:
    """A procedure without what is only worded, or warns alone, and without the order of what has none."""
    published = [one for one in procedure.passes if not isinstance(one, Silent)]
    return replace(
        procedure,
        title="",
        tell="told" if procedure.tell else "",
        acts=tuple(sorted(procedure.acts, key=_needs)),
        steps=(_step(procedure.steps[0]), *sorted(map(_step, procedure.steps[1:]), key=lambda one: one.name)),
        ready=tuple(sorted(procedure.ready, key=repr)),
        passes=tuple(sorted(published, key=repr)),
    )


def test_no_published_procedure_is_missing_and_none_is_invented(published: dict[str, Raw]) -> None:
    assert set(OURS) == set(published)
    assert len(PROCEDURES) == len(OURS) == 83


@pytest.mark.parametrize("name", sorted(OURS))
def test_procedure_is_as_published(name: str, published: dict[str, Raw]) -> None:
    assert _shape(OURS[name]) == _shape(procedure(name, published[name]))


def test_a_step_that_is_left_out_or_changed_is_noticed(published: dict[str, Raw]) -> None:
    ours, theirs = _shape(OURS["ALL-10"]), _shape(procedure("ALL-10", published["ALL-10"]))
    assert replace(ours, steps=ours.steps[:-1]) != theirs
    assert replace(ours, steps=(*ours.steps[:-1], replace(ours.steps[-1], on=Elapsed(91)))) != theirs
    assert replace(ours, passes=ours.passes[1:]) != theirs


@pytest.mark.parametrize("one", PROCEDURES, ids=lambda one: one.name)
def test_every_step_but_the_first_is_opened_by_a_step_or_at_the_start(one: ClientProcedure) -> None:
    names = [step.name for step in one.steps]
    opened = {to for step in one.steps for to in step.opens}
    opened |= {to for act in one.acts if isinstance(act, Open) for to in act.steps}
    assert len(set(names)) == len(names)
    assert opened | {names[0]} == set(names)
    assert set(one.unmet) <= set(names)


@pytest.mark.parametrize("one", PROCEDURES, ids=lambda one: one.name)
def test_every_procedure_says_in_words_what_it_is_about(one: ClientProcedure) -> None:
    assert one.title
    assert one.category
    assert one.classes
