"""Many devices, members or controls with one call, in one commit: whole, or as far as they are right."""

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Final, TypeVar

from schemas import Json
from sep2_server.operator import programs
from sep2_server.operator.controls import store_one, told
from sep2_server.operator.desk import Desk
from sep2_server.operator.enrolment import enrol_one
from sep2_server.operator.errors import BadRequest, Refusal
from sep2_server.operator.gathered import Gathered
from sep2_server.operator.requests import BulkControl, ChangeMembers, EnrolDevice
from sep2_server.operator.router import Answer, Call
from sep2_server.operator.shape import read

T = TypeVar("T")
Act = Callable[[Desk, object], Callable[[], T]]
"""Does what an item asks for; what that gives tells what came of it, when all items are done."""
MOST_ITEMS: Final = 1000
"""Most items of one call."""


class _Undo(Exception):
    """What was tried is not to stay."""


class _Entangled(Exception):
    """A refused item has left something behind: all is to be done again, with a savepoint for each."""


def enrol_many(desk: Desk, call: Call) -> Answer:
    """Enrol up to 1000 devices: a JSON list, or one JSON object per line (application/x-ndjson).

    All or none, and then the answer names every problem; with `keep_going` those that are right. With
    `dry_run` nothing is stored.
    """
    is_trial = call.flag("dry_run")
    told, problems = each(desk, call, _enrol, "enrolled")
    done = [answer for answer in told if answer is not None]
    return {
        "devices": [] if is_trial else list(done),
        "created": sum(answer["created"] is True for answer in done),
        "known": sum(answer["created"] is False for answer in done),
        "problems": list(problems),
    }


def publish_many(desk: Desk, call: Call) -> Answer:
    """Publish a control in each of the `groups` of each item of a list, up to 1000 in all. All or none."""
    if _places(call.body) > MOST_ITEMS:
        raise BadRequest(f"groups: more than {MOST_ITEMS} in all items", "send several requests for more")
    told, problems = each(desk, call, _publish, "published")
    return {
        "controls": [control for found in told if found is not None for control in found],
        "problems": list(problems),
    }


def change_members(desk: Desk, call: Call) -> Answer:
    """Add devices to a group and take others out of it, up to 1000 with one call; all or none."""
    asked = read(ChangeMembers, call.body)
    group = desk.group(call.names["group"])
    added, removed = [], []
    if len(asked.add) + len(asked.remove) > MOST_ITEMS:
        raise BadRequest(f"add: more than {MOST_ITEMS} devices", "send them in several requests")
    for name in asked.remove:
        client = desk.client(name)
        if programs.is_member(desk, group, client):
            programs.unassign(desk, group, client)
            removed.append(client.name)
    for name in asked.add:
        client = desk.client(name)
        if not programs.is_member(desk, group, client):
            programs.assign(desk, group, client)
            added.append(client.name)
    return {"group": group.name, "added": list(added), "removed": list(removed)}


def _enrol(desk: Desk, item: object) -> Callable[[], dict[str, Json]]:
    told = enrol_one(desk, read(EnrolDevice, item))
    kept = ("name", "lFDI", "created", "pIN", "findings")
    return lambda: {name: told[name] for name in kept if name in told}


def _places(body: object) -> int:
    """How many controls the items of a body ask for, one in each of their groups."""
    items = body if isinstance(body, list) else []
    groups = [item.get("groups") for item in items if isinstance(item, dict)]
    return sum(len(names) for names in groups if isinstance(names, list))


def _publish(desk: Desk, item: object) -> Callable[[], list[dict[str, Json]]]:
    asked = read(BulkControl, item)
    twice = next((name for name, times in Counter(asked.groups).items() if times > 1), None)
    if twice is not None:
        raise BadRequest(f"groups: {twice[:40]!r} is named twice", "name each group once in an item")
    places = [(name, desk.program(desk.group(name), asked.program)) for name in asked.groups]
    stored = [(name, program, store_one(desk, program, asked)) for name, program in places]
    return lambda: [
        {"group": name, **told(desk, desk.settled(row), program)} for name, program, row in stored
    ]


def each(
    desk: Desk, call: Call, act: Act[T], done: str
) -> tuple[Sequence[T | None], Sequence[dict[str, Json]]]:
    """Act on each item of a body: what came of it, and what is wrong. BadRequest where all stop."""
    if not isinstance(call.body, list) or not 0 < len(call.body) <= MOST_ITEMS:
        raise BadRequest(f"body: not a list of 1 to {MOST_ITEMS}", "send several requests for more")
    try:
        results, problems = _tried(desk, call.body, act, _attempt_quickly, is_trial=call.flag("dry_run"))
    except _Entangled:
        results, problems = _tried(desk, call.body, act, _attempt, is_trial=call.flag("dry_run"))
    if problems and not call.flag("keep_going") and not call.flag("dry_run"):
        raise BadRequest(
            f"{len(problems)} of {len(call.body)} cannot be {done}; none was",
            "correct them, or use keep_going=true for the others",
            problems,
        )
    return results, problems


def _tried(
    desk: Desk,
    items: list[object],
    act: Act[T],
    attempt: Callable[[Desk], AbstractContextManager[None]],
    *,
    is_trial: bool,
) -> tuple[list[T | None], list[dict[str, Json]]]:
    """What came of all items, in one attempt; a trial leaves nothing behind."""
    gathered = Gathered()
    desk = replace(desk, gathered=gathered)
    tells: list[Callable[[], T] | None] = []
    results: list[T | None] = []
    problems: list[dict[str, Json]] = []
    with contextlib.suppress(_Undo), desk.transaction.attempt():
        for number, item in enumerate(items, 1):
            gathered.begin()
            try:
                with attempt(desk):
                    tells.append(act(desk, item))
            except Refusal as flaw:
                gathered.reopen()
                tells.append(None)
                problems.append({"item": number, "detail": flaw.detail, "hint": flaw.hint})
        desk.settle()
        results += [None if tell is None else tell() for tell in tells]
        _undo(is_trial=is_trial)
    return results, problems


def _attempt(desk: Desk) -> AbstractContextManager[None]:
    return desk.transaction.attempt()


@contextlib.contextmanager
def _attempt_quickly(desk: Desk) -> Iterator[None]:
    """Without a savepoint: _Entangled where a refused item has written something."""
    unit = desk.transaction.unit
    before = unit.writes
    try:
        yield
    except Refusal as flaw:
        if unit.writes != before:
            raise _Entangled from flaw
        raise


def _undo(*, is_trial: bool) -> None:
    if is_trial:
        raise _Undo
