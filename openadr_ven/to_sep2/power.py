"""Set points of active power: LOAD_DISPATCH, DISPATCH_SETPOINT and what is computed like them.

All sums are in W, output positive, once `output_w` has been asked.
"""

from collections.abc import Sequence
from decimal import Decimal

from openadr_ven.events import Code, Refusal, Unit
from openadr_ven.to_sep2.amounts import FULL, Part, output_w, quantum_w, split, towards_zero, whole
from openadr_ven.to_sep2.fleet import DERS, Device
from openadr_ven.to_sep2.levels import by_table
from openadr_ven.to_sep2.programme import TargetMode
from openadr_ven.to_sep2.replies import Verdict, each, joined, note, power_of, refusal, refused
from openadr_ven.to_sep2.wishes import Ask, Note, Reduction, Reply, Shift, Target

NO_UNIT = "without a unit of active power"
NO_POWER = "the baseline of the event is no active power"


def setpoint(ask: Ask) -> Reply:
    """A power to hold, split over the DERs; where there are none, loads reduce to it."""
    load = power_of(ask)
    if load is None:
        return refused(ask, NO_UNIT)
    ders = [device for device in ask.devices if device.kind in DERS]
    if ders:
        rated = [one for one in ders if not _is_unrated(ask, one)]
        refusals = tuple((one.name, _unrated(ask)) for one in ders if _is_unrated(ask, one))
        unrated = Reply(refusals=refusals)
        return joined((unrated, _targets(ask, rated, output_w(load)), _idle_loads(ask)))
    return _reductions(ask, output_w(load))


def delta(ask: Ask) -> Reply:
    """A power to hold beside the baseline; loads reduce by it, or run more."""
    load = power_of(ask)
    if load is None:
        return refused(ask, NO_UNIT)
    if _is_strange(ask):
        return refused(ask, NO_POWER)
    shares = _split_signed(ask, ask.devices, whole(output_w(load)))
    bases = _bases(ask)

    def verdict(device: Device) -> Verdict:
        change = shares[device.name]
        if device.kind not in DERS:
            return _reduction(change)
        if _is_unrated(ask, device):
            return _unrated(ask)
        base = bases.get(device.name)
        if base is None:
            return refusal(ask, "neither the event nor the device has a baseline", Code.DEPLOYMENT_OTHER)
        return Target(output_w=_within(device, towards_zero(base) + change))

    return each(ask, verdict, _clamped(ask, bases, shares))


def multiplier(ask: Ask) -> Reply:
    """A part of the baseline to hold; loads shift by what is missing from 1, or is more."""
    factor = ask.number
    if _is_strange(ask):
        return refused(ask, NO_POWER)
    bases = _bases(ask)

    def verdict(device: Device) -> Verdict:
        if device.kind not in DERS:
            off = whole((1 - factor) * FULL)
            return Shift(load=min(abs(off), FULL), is_forward=off < 0)
        if _is_unrated(ask, device):
            return _unrated(ask)
        base = bases.get(device.name)
        if base is None:
            return refusal(ask, "neither the event nor the device has a baseline", Code.DEPLOYMENT_OTHER)
        return Target(output_w=_within(device, towards_zero(factor * base)))

    return each(ask, verdict)


def level(ask: Ask) -> Reply:
    """What the table of the programme says; without one it is not supported."""
    return by_table(ask, "LOAD_DISPATCH level")


def by_table_or_left_out(ask: Ask) -> Reply:
    """What the table of the programme says; without one nothing, and a note."""
    name = ask.signal.signalName
    if name in ask.programme.tables:
        return by_table(ask, name)
    return Reply(notes=(note(ask, "", "the programme has no table for it: left out"),))


def _targets(ask: Ask, ders: Sequence[Device], total: Decimal) -> Reply:
    """Set points of DERs whose sum is the total."""
    power = whole(total)
    able = [one for one in ders if not power or _most(one, power) != 0]
    shares = _split_signed(ask, able, power)
    notes: list[Note] = []
    done = sum(shares.values())
    if ask.programme.is_split and done != power:
        notes.append(note(ask, "", f"clamped to ratings: {done} W of {power} W"))
    notes += [note(ask, one.name, "cannot go that way: left out") for one in ders if one.name not in shares]
    if not ask.programme.is_split:
        notes += [
            note(ask, one.name, f"clamped to its rating: {shares[one.name]} W of {power} W")
            for one in able
            if shares[one.name] != power
        ]
    actions = tuple((one.name, Target(output_w=shares[one.name])) for one in able)
    if actions:
        return Reply(actions=actions, notes=tuple(notes))
    return Reply(refusals=tuple((one.name, refusal(ask, "no DER can go that way")) for one in ders))


def _is_unrated(ask: Ask, device: Device) -> bool:
    """Whether a percentage is to be set of a rating that nobody knows."""
    is_percent = ask.programme.target_mode is TargetMode.FIXED_W
    return is_percent and (device.most_in_w is None or device.most_out_w is None)


def _unrated(ask: Ask) -> Refusal:
    return refusal(ask, "a percentage needs ratings that are not known", Code.DEPLOYMENT_OTHER)


def _idle_loads(ask: Ask) -> Reply:
    loads = [device.name for device in ask.devices if device.kind not in DERS]
    return Reply(notes=tuple(note(ask, name, "DERs hold the set point: loads do not") for name in loads))


def _reductions(ask: Ask, total: Decimal) -> Reply:
    """What loads alone are to do for a set point: the way from their baseline to it."""
    if _is_strange(ask):
        return refused(ask, NO_POWER)
    bases = _bases(ask)
    if any(device.name not in bases for device in ask.devices):
        text = "a reduction needs a baseline, of the event or measured"
        return refused(ask, text, Code.DEPLOYMENT_OTHER)
    if not ask.programme.is_split:
        return each(ask, lambda device: _reduction(whole(total - bases[device.name])))
    shares = _split_signed(ask, ask.devices, whole(total - sum(bases.values())))
    return each(ask, lambda device: _reduction(shares[device.name]))


def _reduction(change_w: int) -> Reduction:
    """More output of a load is less of its consumption."""
    return Reduction(power_w=abs(change_w), is_forward=change_w < 0)


def _split_signed(ask: Ask, devices: Sequence[Device], power_w: int) -> dict[str, int]:
    """A power by device: its part, or all of it where the programme does not split; never above a rating."""
    if not ask.programme.is_split:
        return {device.name: _within(device, power_w) for device in devices}
    sign = -1 if power_w < 0 else 1
    given = split(abs(power_w), [_part(device, power_w) for device in devices])
    return {device.name: sign * amount for device, amount in zip(devices, given, strict=True)}


def _part(device: Device, power_w: int) -> Part:
    most = _most(device, power_w)
    weight = device.share if device.share is not None else Decimal(most if most is not None else 1)
    if device.kind not in DERS:
        return Part(weight=weight)
    return Part(weight=weight, most_w=most, step_w=quantum_w(abs(power_w) if most is None else most))


def _most(device: Device, power_w: int) -> int | None:
    """The most that a device can do in the direction of a power, W; None if that is not known."""
    if device.kind not in DERS:
        return None
    return device.most_out_w if power_w > 0 else device.most_in_w


def _within(device: Device, power_w: int) -> int:
    most = _most(device, power_w)
    size = abs(power_w) if most is None else min(abs(power_w), most)
    size -= size % quantum_w(size)
    return size if power_w > 0 else -size


def _is_strange(ask: Ask) -> bool:
    """Whether the event gives a baseline that is no power in W: to start from another would be wrong."""
    return ask.event.baseline is not None and ask.event.baseline.unit is not Unit.W


def _bases(ask: Ask) -> dict[str, Decimal]:
    """The baseline of each device: its part of the event's, else its measured mean, W output positive."""
    if ask.baseline_w is None:
        return {one.name: one.power_w for one in ask.devices if one.power_w is not None}
    base = whole(output_w(ask.baseline_w))
    return {name: Decimal(part) for name, part in _split_signed(ask, ask.devices, base).items()}


def _clamped(ask: Ask, bases: dict[str, Decimal], shares: dict[str, int]) -> list[Note]:
    wanted = {name: towards_zero(base) + shares[name] for name, base in bases.items()}
    return [
        note(ask, one.name, f"clamped to its rating: {_within(one, wanted[one.name])} W")
        for one in ask.devices
        if one.kind in DERS and one.name in wanted and _within(one, wanted[one.name]) != wanted[one.name]
    ]
