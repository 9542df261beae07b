"""Operations that make a device what it is to be: ensure, change; each changes only what differs."""

from collections.abc import Callable, Mapping
from typing import Final

from schemas import EndDevice, Registration
from sep2_server.access import scope_of
from sep2_server.end_devices import add_der, put_end_device, put_registration, remove_der, touch
from sep2_server.notifications.handing_over import hand_over
from sep2_server.operator.desk import Desk, require_bounds, require_name
from sep2_server.operator.devices import summary
from sep2_server.operator.enrolment import aggregator_id_of, checked_pin, enrol_new, identity_of
from sep2_server.operator.errors import BadRequest, Conflict
from sep2_server.operator.requests import NAME, ChangeDevice, EnrolDevice, EnsureDevice
from sep2_server.operator.router import Answer, Call
from sep2_server.operator.shape import read
from sep2_server.rows import Client, Role, Row

MOST_DERS: Final = 255


def ensure(desk: Desk, call: Call) -> Answer:
    """Make sure that a device is there and as it is to be; `changed` names what was not so."""
    asked = read(EnsureDevice, call.body)
    name = asked.name or call.names["device"]
    lfdi = identity_of(asked.certificate, asked.lfdi)
    known = desk.reader.client(lfdi)
    shown: Answer = {}
    if known is None or known.name != name:
        require_bounds(name, NAME, "name")
    if known is None:
        new = EnrolDevice(
            name=name,
            certificate=asked.certificate,
            lfdi=asked.lfdi,
            pin=asked.pin,
            role=asked.role or "device",
            aggregator=asked.aggregator or None,
            ders=asked.ders,
        )
        shown = enrol_new(desk, new, lfdi)
    client = desk.reader.client(lfdi)
    if client is None:
        raise Conflict(f"{name} cannot be enrolled", "try again")
    changed = apply(desk, client, asked, name)
    told = {**summary(desk, desk.client(lfdi)), "created": known is None}
    pin = {"pIN": shown["pIN"]} if "pIN" in shown and asked.registration is not False else {}
    return {**told, "changed": [] if known is None else list(changed), **pin}


def change(desk: Desk, call: Call) -> Answer:
    """Change what is given of a device: name, role, aggregator, PIN, DERs, category, post rate, enabled."""
    asked = read(ChangeDevice, call.body)
    client = desk.client(call.names["device"])
    changed = apply(desk, client, asked, asked.name or client.name)
    return {**summary(desk, desk.client(client.lfdi)), "created": False, "changed": list(changed)}


def apply(desk: Desk, client: Client, asked: ChangeDevice, name: str) -> list[str]:
    """Change a device in what differs from what is asked; the names of what did."""
    changed = [field for field, step in _STEPS.items() if step(desk, client, asked)]
    if name != client.name:
        require_name(name, client.lfdi)
        if desk.reader.client_named(name) is not None:
            raise Conflict(f"name: another device is named {name!r}", "choose a name that is free")
        desk.transaction.put_client(_now(desk, client)._replace(name=name))
        changed.insert(0, "name")
    return changed


def _now(desk: Desk, client: Client) -> Client:
    return desk.client(client.lfdi)


def _role(desk: Desk, client: Client, asked: ChangeDevice) -> bool:
    if asked.role is None or asked.role == client.role:
        return False
    managed = len(desk.reader.managed(client.end_device_id))
    if managed or client.aggregator_id is not None:
        held = f"speaks for {managed} devices" if managed else "is spoken for by an aggregator"
        raise Conflict(f"role: {client.name} {held}", "change that first")
    desk.transaction.put_client(client._replace(role=Role(asked.role)))
    return True


def _aggregator(desk: Desk, client: Client, asked: ChangeDevice) -> bool:
    """Let another client speak for the device: what is its own moves into the lists of that one."""
    if asked.aggregator is None:
        return False
    current = _now(desk, client)
    wanted = aggregator_id_of(desk, asked.aggregator or None, current.name, current.role)
    if wanted == current.aggregator_id:
        return False
    tx = desk.transaction
    moved = current._replace(aggregator_id=wanted)
    tx.put_client(moved)
    for row in tx.scoped_of(client.end_device_id):
        tx.replace(row, row._replace(scope=scope_of(moved)))
    hand_over(tx, desk.environment, moved, current.aggregator_id, desk.now)
    touch(tx, desk.environment, client.end_device_id, desk.now)
    return True


def _pin(desk: Desk, client: Client, asked: ChangeDevice) -> bool:
    row = desk.end_device(client)
    held = desk.beside(row, "Registration")
    if asked.registration is False:
        if asked.pin is not None:
            raise BadRequest("pIN: without a Registration there is none", "leave out pIN or registration")
        if held is None:
            return False
        put_registration(desk.transaction, desk.environment, row, None, desk.now)
        return True
    if asked.pin is None:
        if asked.registration and held is None:
            raise BadRequest("pIN: a Registration needs one", "give pIN")
        return False
    if held is not None and desk.resource(held, Registration).pIN == asked.pin:
        return False
    put_registration(desk.transaction, desk.environment, row, checked_pin(desk, asked.pin), desk.now)
    return True


def _ders(desk: Desk, client: Client, asked: ChangeDevice) -> bool:
    held = desk.items(desk.end_device(client), "DERList", MOST_DERS)
    if asked.ders is None or asked.ders == len(held):
        return False
    for der in sorted(held, key=lambda row: row.id)[asked.ders :]:
        remove_der(desk.transaction, desk.environment, der)
    for _ in range(len(held), asked.ders):
        add_der(desk.transaction, desk.environment, client.end_device_id)
    touch(desk.transaction, desk.environment, client.end_device_id, desk.now)
    return True


def _entry(desk: Desk, client: Client, field: str, value: object) -> bool:
    """Change one field of the EndDevice."""
    row: Row = desk.end_device(client)
    end_device = desk.resource(row, EndDevice)
    if value is None or getattr(end_device, field) == value:
        return False
    setattr(end_device, field, value)
    end_device.changedTime = desk.now
    put_end_device(desk.transaction, desk.environment, row, end_device)
    return True


def _category(desk: Desk, client: Client, asked: ChangeDevice) -> bool:
    category = None if asked.device_category is None else asked.device_category.upper()
    return _entry(desk, client, "deviceCategory", category)


def _post_rate(desk: Desk, client: Client, asked: ChangeDevice) -> bool:
    return _entry(desk, client, "postRate", asked.post_rate_s)


def _enabled(desk: Desk, client: Client, asked: ChangeDevice) -> bool:
    if asked.enabled is None or asked.enabled is not desk.reader.is_disabled(client.end_device_id):
        return False
    desk.transaction.put_disabled(client.end_device_id, is_disabled=not asked.enabled)
    _entry(desk, client, "enabled", asked.enabled)
    return True


_STEPS: Final[Mapping[str, Callable[[Desk, Client, ChangeDevice], bool]]] = {
    "role": _role,
    "aggregator": _aggregator,
    "pIN": _pin,
    "DER": _ders,
    "deviceCategory": _category,
    "postRate": _post_rate,
    "enabled": _enabled,
}
