"""What steps are at a publisher: those of one kind together, in the words of `function_sets.Publisher`."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from function_sets import Publisher, Refused, ToCancel, ToDefault, ToPublish
from openadr_ven.to_sep2.building import program_of, reading_type
from openadr_ven.to_sep2.changing import Cancel, Create, Ensure, Remove, SetDefault, Step
from openadr_ven.to_sep2.publication import Home, Publication
from openadr_ven.to_sep2.wishes import Flow
from schemas import ConsumptionTariffInterval, wire_name

REASON: Final = "OpenADR event ended"
DEFAULT: Final = "default"
REMOVAL: Final = "removal of a curve"
ALONE: Final = frozenset({REMOVAL})
"""What is a call of its own each; all else goes together."""


def stage_of(step: Step) -> tuple[int, str]:
    """When a step comes, and what it is about: those that are equal may be taken at once.

    What hangs below something comes after that, and what is new before the old goes.
    """
    match step:
        case Ensure(home=home):
            return int(home.parent is not None), home.kind
        case Create(publication=one):
            return (2 if one.end is None else 3), what_of(step)
        case SetDefault():
            return 4, DEFAULT
        case Cancel():
            return 5, what_of(step)
        case Remove():
            return 6, REMOVAL


def what_of(step: Step) -> str:
    """What a step is about."""
    match step:
        case Ensure(home=home):
            return home.kind
        case Create(publication=one):
            return wire_name(type(one.value))
        case SetDefault():
            return DEFAULT
        case Cancel():
            return "cancellation"
        case Remove():
            return REMOVAL


async def perform(publisher: Publisher, steps: Sequence[Step]) -> Sequence[Refused | None]:
    """Steps of one stage, or why each was refused. What is raised concerns all of them."""
    items = [item for step in steps if (item := _published(step)) is not None]
    if items:
        return await publisher.publish(items)
    gone = [_cancelled(step) for step in steps if isinstance(step, Cancel)]
    if gone:
        return await publisher.cancel(gone)
    defaults = [_defaulted(step) for step in steps if isinstance(step, SetDefault)]
    if defaults:
        return await publisher.set_defaults(defaults)
    return [await _removed(publisher, step) for step in steps if isinstance(step, Remove)]


def _published(step: Step) -> ToPublish | None:
    match step:
        case Ensure(home=home):
            return _home(home)
        case Create(publication=one):
            return _publication(one)
    return None


def _home(home: Home) -> ToPublish:
    if home.parent is None:
        return ToPublish(value=program_of(home), group=home.group)
    kind = reading_type(home.flow or Flow.CONSUMPTION)
    return ToPublish(value=program_of(home), home=home.parent.mRID, below=(kind,))


def _publication(one: Publication) -> ToPublish:
    value = replace(one.value, mRID=one.mRID)  # type: ignore[call-arg]
    prices = tuple(item for item in one.below if isinstance(item, ConsumptionTariffInterval))
    return ToPublish(value=value, home=one.home.mRID, below=prices, curves=one.curves)


def _cancelled(step: Cancel) -> ToCancel:
    return ToCancel(mRID=step.record.mRID, is_randomized=step.is_randomized, reason=REASON)


def _defaulted(step: SetDefault) -> ToDefault:
    return ToDefault(program=step.home.mRID, base=None if step.default is None else step.default.base)


async def _removed(publisher: Publisher, step: Remove) -> Refused | None:
    try:
        await publisher.remove_curve(step.record.mRID)
    except Refused as flaw:
        return flaw
    return None
