"""Whether an event can be carried out, resource by resource, before anybody opts in.

OpenADR 2.0b, R48, R109, R111, R112. The same rows of the table answer here and in the translation.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from openadr_ven.events import Code, Event, Interval, Profile, Refusal, Signal, Value
from openadr_ven.to_sep2.asking import answer, baseline_of, devices_of
from openadr_ven.to_sep2.fleet import Device, Fleet, Live
from openadr_ven.to_sep2.programme import Programme
from openadr_ven.to_sep2.wishes import Ask


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Why resources cannot carry out an event. `refusal` is that of all of it, None if some can.

    With `refusal` None, those in `refusals` are told by an oadrCreateOpt beside the optIn.
    """

    refusal: Refusal | None = None
    refusals: Mapping[str, Refusal] = field(default_factory=dict)

    @property
    def code(self) -> Code:
        """The code of the eventResponse."""
        return Code.OK if self.refusal is None else self.refusal.code


def judge(
    event: Event,
    resources: Sequence[str],
    fleet: Fleet,
    programmes: Mapping[str, Programme],
) -> Judgement:
    """What would be refused of an event for these resources."""
    programme = programmes.get(event.marketContext)
    if programme is None:
        text = f"unknown market context {event.marketContext!r}"
        return Judgement(refusal=Refusal(code=Code.TARGET_MISMATCH, text=text))
    behind = fleet.by_resource()
    refusals: dict[str, Refusal] = {}
    for name in resources:
        if name not in behind:
            text = f"nothing stands behind resource {name!r}"
            refusals[name] = Refusal(code=Code.DEPLOYMENT_OTHER, text=text)
    known = [name for name in resources if name in behind]
    verdicts = [_verdicts(event, signal, known, behind, programme) for signal in event.signals]
    for name in known:
        found = [verdict[name] for verdict in verdicts if name in verdict]
        refused = [one for one in found if one is not None]
        is_out = bool(refused) if event.profile is Profile.V20B else len(refused) == len(found)
        if refused and is_out:
            refusals[name] = refused[0]
        elif not found and event.signals:
            text = f"no device of resource {name!r} is of the classes"
            refusals[name] = Refusal(code=Code.TARGET_MISMATCH, text=text)
    is_none_left = bool(refusals) and len(refusals) == len(set(resources))
    return Judgement(refusal=next(iter(refusals.values())) if is_none_left else None, refusals=refusals)


def nothing_live() -> Mapping[str, Live]:
    """Devices that told nothing."""
    return {}


def judge_of(
    fleet: Fleet, programmes: Mapping[str, Programme], live: Callable[[], Mapping[str, Live]] = nothing_live
) -> Callable[[Event, tuple[str, ...]], Refusal | None]:
    """The judge that a state machine of events asks: why nothing of an event can be done, or None.

    `live` says what devices told lately.
    """

    def verdict(event: Event, resources: tuple[str, ...]) -> Refusal | None:
        return judge(event, resources, fleet.with_live(live()), programmes).refusal

    return verdict


def _verdicts(
    event: Event,
    signal: Signal,
    resources: Sequence[str],
    behind: Mapping[str, Sequence[Device]],
    programme: Programme,
) -> dict[str, Refusal | None]:
    """For each resource that the signal is for: why none of its devices does it, None if one does."""
    parts = {name: devices_of(signal, [name], behind) for name in resources}
    devices = tuple(device for held in parts.values() for device in held)
    refused: dict[str, Refusal] = {}
    start = event.start or 0
    for interval in signal.intervals if devices else ():
        for values in _values(interval):
            ask = Ask(
                event=event,
                signal=signal,
                values=values,
                devices=devices,
                programme=programme,
                start=start,
                end=None if interval.duration_s is None else start + max(1, interval.duration_s),
                baseline_w=baseline_of(event, start, interval.start or start),
            )
            refused |= _refusals(ask)
    return {
        name: refused[held[0].name] if all(device.name in refused for device in held) else None
        for name, held in parts.items()
        if held
    }


def _refusals(ask: Ask) -> dict[str, Refusal]:
    try:
        return dict(answer(ask).refusals)
    except (ValueError, ArithmeticError) as error:
        refusal = Refusal(code=Code.INVALID_DATA, text=str(error))
        return {device.name: refusal for device in ask.devices}


def _values(interval: Interval) -> list[tuple[Value, ...]]:
    """Each value of a series by itself; points and texts together."""
    numbers = [value for value in interval.values if not isinstance(value, str | bool)]
    is_series = len(numbers) == len(interval.values) and all(not hasattr(one, "x") for one in numbers)
    return [(value,) for value in interval.values] if is_series else [interval.values]
