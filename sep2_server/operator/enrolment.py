"""Operations on devices that act: enrol, remove, and the post rate."""

from collections.abc import Iterable

from cryptography import x509

from certs import LFDI, CertsError, Kind, check, is_valid_pin, lfdi_of, make_pin, parse_lfdi
from schemas import EndDevice, MirrorUsagePoint, Registration
from sep2_server.end_devices import Enrolment, add_end_device, put_end_device, remove_end_device
from sep2_server.operator import programs
from sep2_server.operator.desk import Desk, require_name
from sep2_server.operator.devices import summary
from sep2_server.operator.errors import BadRequest, Conflict
from sep2_server.operator.requests import EnrolDevice, SetPostRate
from sep2_server.operator.router import Answer, Call
from sep2_server.operator.shape import read
from sep2_server.rows import Client, Role, Row


def enrol(desk: Desk, call: Call) -> Answer:
    """Enrol a device with all that hangs on it; a repetition answers what there is, `created` tells which.

    `pIN` is in the answer only where the server made it, and never again; `findings` say what is wrong with
    the certificate, for which the handshake may refuse the device. CSIP 1.5.
    """
    asked = read(EnrolDevice, call.body)
    return enrol_one(desk, asked)


def enrol_one(desk: Desk, asked: EnrolDevice) -> Answer:
    """Enrol what is asked, or tell what there is."""
    lfdi = identity_of(asked.certificate, asked.lfdi)
    known = desk.reader.client(lfdi)
    if known is not None:
        return {**summary(desk, _same(desk, asked, known)), "created": False}
    return enrol_new(desk, asked, lfdi)


def enrol_new(desk: Desk, asked: EnrolDevice, lfdi: LFDI) -> Answer:
    """Enrol a device whose LFDI is not known yet."""
    require_name(asked.name, lfdi)
    if desk.reader.client_named(asked.name) is not None:
        raise Conflict(f"name: another device is named {asked.name!r}", "choose a name that is free")
    pin = checked_pin(desk, asked.pin) if asked.pin is not None else make_pin(desk.random_below)
    row = add_end_device(desk.transaction, desk.environment, _enrolment(desk, asked, lfdi, pin), desk.now)
    if asked.post_rate_s is not None:
        put_post_rate(desk, desk.client(asked.name), asked.post_rate_s)
    for name in asked.groups or ():
        group = desk.group(name)
        if not programs.is_member(desk, group, desk.client(asked.name)):
            programs.assign(desk, group, desk.client(asked.name))
    shown: Answer = {} if asked.pin is not None else {"pIN": pin}
    told = {"href": row.href, "created": True, **shown, **_findings(asked)}
    return {**summary(desk, desk.client(asked.name)), **told}


def remove(desk: Desk, call: Call) -> Answer:
    """Remove a device: its EndDevice, memberships, reports and right to connect. IEEE 2030.5-2018, 10.

    With `managed` the devices that it speaks for go too; with `if_exists` one that is not there is fine.
    """
    name = call.names["device"]
    if call.flag("if_exists") and not desk.has_client(name):
        return {"name": name, "lFDI": None, "removed": []}
    client = desk.client(name)
    managed = desk.reader.managed(client.end_device_id)
    if managed and not call.flag("managed"):
        raise Conflict(
            f"{client.name} speaks for {len(managed)} devices", "remove those first, or all with managed=true"
        )
    gone = [other for number in managed if (other := desk.reader.client_of(number))]
    for one in (*gone, client):
        remove_end_device(desk.transaction, desk.end_device(one), later=bool(managed))
    return {"name": client.name, "lFDI": client.lfdi, "removed": [one.name for one in (*gone, client)]}


def set_post_rate(desk: Desk, call: Call) -> Answer:
    """Tell a device how often to post its data and its mirror readings, s. IEEE 2030.5-2018, 6 (postRate)."""
    asked = read(SetPostRate, call.body)
    client = desk.client(call.names["device"])
    if asked.post_rate_s is None and asked.mirror_post_rate_s is None:
        raise BadRequest("body: nothing to set", "give postRate or MirrorUsagePoint")
    if asked.post_rate_s is not None:
        put_post_rate(desk, client, asked.post_rate_s)
    mirrors = put_mirror_rates(desk, _mirrors(desk, client), asked.mirror_post_rate_s)
    rate = desk.resource(desk.end_device(client), EndDevice).postRate
    return {"name": client.name, "postRate": rate, "mirrors": mirrors}


def put_mirror_rates(desk: Desk, mirrors: Iterable[Row], post_rate_s: int | None) -> int:
    """Store another postRate in MirrorUsagePoints; how many there were. IEEE 2030.5-2018, 10.11."""
    count = 0
    for row in mirrors if post_rate_s is not None else ():
        mirror = desk.resource(row, MirrorUsagePoint)
        mirror.postRate = post_rate_s
        desk.transaction.replace(row, row._replace(body=desk.environment.codec.fragment(mirror)))
        count += 1
    return count


def _mirrors(desk: Desk, client: Client) -> list[Row]:
    return desk.reader.owned(client.end_device_id, "MirrorUsagePoint")


def identity_of(certificate: str | None, lfdi: str | None) -> LFDI:
    """The LFDI that is given, or that of the certificate. IEEE 2030.5-2018, 6.3.4."""
    if (certificate is None) == (lfdi is None):
        raise BadRequest("lFDI: give either certificate or lFDI", "allowed: one of certificate, lFDI")
    try:
        if lfdi is not None:
            return parse_lfdi(lfdi)
        return lfdi_of(x509.load_pem_x509_certificate((certificate or "").encode()))
    except (CertsError, ValueError, x509.InvalidVersion) as flaw:
        raise BadRequest(f"certificate: {flaw}", "give a certificate as PEM text, or 40 hex digits") from flaw


def _findings(asked: EnrolDevice) -> Answer:
    """What is wrong with the certificate that is given. IEEE 2030.5-2018, 6.11."""
    if asked.certificate is None:
        return {}
    kind = Kind.AGGREGATOR if asked.role == Role.AGGREGATOR else Kind.DEVICE
    certificate = x509.load_pem_x509_certificate(asked.certificate.encode())
    try:
        return {"findings": [str(finding) for finding in check(certificate, kind)]}
    except CertsError as flaw:
        raise BadRequest(f"certificate: {flaw}", "ask the maker of the device for a sound one") from flaw


def checked_pin(desk: Desk, pin: int) -> int:
    """A PIN with its check digit; a test bench may use any. IEEE 2030.5-2018, 6.3.5."""
    if not is_valid_pin(pin) and not desk.environment.settings.test_bench:
        raise BadRequest("pIN: the check digit is wrong", "make it with: lineside certs pin 12345")
    return pin


def _enrolment(desk: Desk, asked: EnrolDevice, lfdi: LFDI, pin: int) -> Enrolment:
    role = Role(asked.role)
    ders = asked.ders if asked.ders is not None else int(role is Role.DEVICE)
    return Enrolment(
        lfdi=lfdi,
        name=asked.name,
        role=role,
        pin=pin,
        aggregator_id=aggregator_id_of(desk, asked.aggregator, asked.name, asked.role),
        ders=ders,
        category=asked.device_category,
        certificate=asked.certificate,
    )


def aggregator_id_of(desk: Desk, name: str | None, device: str, role: str) -> int | None:
    """EndDevice of the aggregator with a name, which is to speak for a device. Conflict where it cannot."""
    if name is None:
        return None
    aggregator = desk.client(name)
    if aggregator.role != Role.AGGREGATOR or role == Role.AGGREGATOR:
        raise Conflict(
            f"aggregator: {aggregator.name} cannot speak for {device}",
            "an aggregator speaks for devices; enrol it with role aggregator",
        )
    return aggregator.end_device_id


def _same(desk: Desk, asked: EnrolDevice, known: Client) -> Client:
    """The client that is enrolled already, if what is asked is what there is."""
    if asked.name != known.name:
        raise Conflict(f"lFDI: it is enrolled as {known.name!r}", "use that name, or remove the device first")
    if asked.pin is not None and asked.pin != _pin_of(desk, known):
        raise Conflict("pIN: the device is enrolled with another", "remove the device, then enrol it again")
    return known


def _pin_of(desk: Desk, client: Client) -> int | None:
    row = desk.beside(desk.end_device(client), "Registration")
    return None if row is None else desk.resource(row, Registration).pIN


def put_post_rate(desk: Desk, client: Client, post_rate_s: int) -> None:
    """Store another postRate of a device, s."""
    row = desk.end_device(client)
    end_device = desk.resource(row, EndDevice)
    end_device.postRate = post_rate_s
    end_device.changedTime = desk.now
    put_end_device(desk.transaction, desk.environment, row, end_device)
