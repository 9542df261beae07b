"""Levels: SIMPLE, and others by a table of the programme. A level sheds load, never generation."""

from decimal import Decimal

from openadr_ven.to_sep2.amounts import floor, output_w, towards_zero
from openadr_ven.to_sep2.fleet import DERS, GENERATES, STORES, Device, Envelope, Kind, Motion
from openadr_ven.to_sep2.programme import LevelAction, LevelTable, TargetMode
from openadr_ven.to_sep2.replies import Verdict, each, note, refused
from openadr_ven.to_sep2.wishes import Ask, Duty, Limit, LimitKind, Note, Reduction, Reply, Shift, Target

NO_CHARGE_LIMIT = "its charge cannot be limited: no rate is known, or generation would be curtailed"


def simple(ask: Ask) -> Reply:
    """SIMPLE: 0 asks nothing and so ends what was asked; batteries stop charging, loads run less."""
    return _by(ask, ask.programme.simple_levels, int(ask.number), is_shed=True)


def _action(ask: Ask, device: Device, number: int) -> LevelAction | None:
    """What a level of SIMPLE asks of a device: by its resource, else by its kind, else for all."""
    programme = ask.programme
    own = programme.simple_by_resource.get(device.resource, {})
    return own.get(number) or programme.simple_by_kind.get(device.kind, programme.simple_levels).get(number)


def by_table(ask: Ask, name: str) -> Reply:
    """What the programme's table of this name says of a level."""
    table = ask.programme.tables.get(name)
    number = ask.number
    if table is None or number != int(number) or (number and int(number) not in table):
        return refused(ask, f"the programme has no table {name!r} with {number}")
    return _by(ask, table, int(number), is_shed=False)


def _by(ask: Ask, table: LevelTable, number: int, *, is_shed: bool) -> Reply:
    notes: list[Note] = []

    def verdict(device: Device) -> Verdict:
        action = _action(ask, device, number) if is_shed else table.get(number)
        if action is None:
            return None
        found = _of_der(ask, device, action, notes) if device.kind in DERS else None
        return found or _of_load(device, action)

    reply = each(ask, verdict)
    return Reply(actions=reply.actions, refusals=reply.refusals, notes=tuple(notes))


def _of_load(device: Device, action: LevelAction) -> Duty | Shift | Reduction | None:
    """What a load does; nothing for what is no load."""
    if device.kind in STORES | GENERATES:
        return None
    if action.offset_tenths is not None and device.kind is Kind.THERMOSTAT:
        return Shift(cooling=action.offset_tenths, heating=action.offset_tenths)
    if action.reduction_w is not None:
        return Reduction(power_w=action.reduction_w)
    return None if action.duty_pct is None else Duty(normalValue=action.duty_pct)


def _of_der(ask: Ask, device: Device, action: LevelAction, notes: list[Note]) -> Target | Limit | None:
    """What a DER does: a dispatch if the table has one, else a battery charges less."""
    if action.dispatch is not None and device.kind is not Kind.GENERATION:
        return _dispatch(device, action.dispatch)
    if action.charge_share is None or device.kind not in STORES:
        return None
    most = charge_limit(device, action.charge_share, TargetMode.TARGET_W)
    if most is None:
        notes.append(note(ask, device.name, NO_CHARGE_LIMIT))
    elif most.kind is LimitKind.CHARGE and device.motion is not Motion.CHARGING:
        notes.append(note(ask, device.name, "a battery that does not charge is left alone"))
    return most


def _dispatch(device: Device, share: Decimal) -> Target | None:
    """A part of the rating, load positive in the table as on the wire of OpenADR."""
    most = device.most_out_w if share < 0 else device.most_in_w
    return None if most is None else Target(output_w=towards_zero(output_w(share * most)))


def charge_limit(device: Device, share: Decimal, mode: TargetMode) -> Limit | None:
    """The most that a battery may charge with, as a part of its rate; None if that cannot be said.

    CSIP-AUS limits the import instead, which leaves the discharge alone. Without it a battery behind the
    inverter of a generator is left alone: a set point of both would curtail the generation. A limit of 0
    needs no rate.
    """
    if device.kind is Kind.COMBINED and device.envelope is Envelope.CSIP:
        return None
    rate = device.most_in_w if share else 0
    if rate is None:
        return None
    most = floor(share * rate)
    if device.envelope is Envelope.CSIP_AUS:
        return Limit(kind=LimitKind.IMPORT, most=most)
    return Limit(kind=LimitKind.CHARGE, most=most, mode=mode)
