"""EndDevices with everything that hangs on them: made when a device is enrolled, removed with it.

IEEE 2030.5-2018, 10 (EndDevice and Registration); CSIP 1.5.
"""

from dataclasses import dataclass
from typing import Final

from certs import LFDI, sfdi_of
from function_sets import sort_key
from schemas import (
    DER,
    AssociatedDERProgramListLink,
    DERAvailabilityLink,
    DERCapabilityLink,
    DERSettingsLink,
    DERStatusLink,
    EndDevice,
    Link,
    Registration,
    RegistrationLink,
)
from sep2_server.access import scope_of
from sep2_server.below import below
from sep2_server.environment import Environment
from sep2_server.errors import StoreError
from sep2_server.extra_routes import CONNECTION_POINT
from sep2_server.notifications.ending import forget_device
from sep2_server.orders import ordered
from sep2_server.removal import remove_below
from sep2_server.rows import EVERYBODY, Client, Role, Row, Span
from sep2_server.run_time import post_rate_of
from sep2_server.shown_to import POINT_LISTS
from sep2_server.transaction import Transaction
from sep2_server.tree import remove_tree
from sep2_server.uris import route_named

MOST_FILES: Final = 2**31
"""More than are for one device."""
_LISTS: Final = ("FunctionSetAssignmentsList", "DERList", "LogEventList", "SubscriptionList")
"""Lists that every device has from the start; the others are there with their first item."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """A device to enrol. `pin` has its check digit; None: the device gets no Registration.

    `aggregator_id` is the EndDevice of the aggregator that speaks for it; `ders` is how many DERs it has,
    `category` its deviceCategory.
    """

    lfdi: LFDI
    name: str
    role: Role = Role.DEVICE
    pin: int | None = None
    aggregator_id: int | None = None
    ders: int = 1
    category: str | None = None
    certificate: str | None = None


def add_end_device(tx: Transaction, environment: Environment, enrolment: Enrolment, now: int) -> Row:
    """Store an EndDevice, its Registration, lists and DERs, and the client that it stands for."""
    number = tx.next_id()
    tx.put_client(
        Client(
            enrolment.lfdi,
            sfdi_of(enrolment.lfdi),
            enrolment.name,
            enrolment.role,
            number,
            enrolment.aggregator_id,
            enrolment.certificate,
            now,
        )
    )
    row = _add_row(tx, environment, enrolment, number, now)
    for kind in _LISTS:
        tx.insert(Row(tx.next_id(), environment.uris.of(kind, (number,)), kind, owner_id=number))
    if enrolment.pin is not None:
        _add_registration(tx, environment, number, enrolment.pin, now)
    for _ in range(enrolment.ders):
        add_der(tx, environment, number)
    return row


def add_der(tx: Transaction, environment: Environment, end_device_id: int) -> Row:
    """Store one more DER of an EndDevice. IEEE 2030.5-2018, 10.10."""
    number = tx.next_id()
    parts = (end_device_id, number)
    of = environment.uris.of
    der = DER(
        href=of("DER", parts),
        AssociatedDERProgramListLink_=AssociatedDERProgramListLink(
            href=of("AssociatedDERProgramList", parts)
        ),
        DERAvailabilityLink_=DERAvailabilityLink(href=of("DERAvailability", parts)),
        DERCapabilityLink_=DERCapabilityLink(href=of("DERCapability", parts)),
        DERSettingsLink_=DERSettingsLink(href=of("DERSettings", parts)),
        DERStatusLink_=DERStatusLink(href=of("DERStatus", parts)),
    )
    list_row = tx.by_href(of("DERList", (end_device_id,)))
    if list_row is None:
        raise StoreError(f"EndDevice {end_device_id} has no DERList")
    row = Row(
        number,
        der.href or "",
        "DER",
        list_id=list_row.id,
        sort_key=sort_key(route_named("DERList"), der),
        owner_id=end_device_id,
        body=environment.codec.fragment(der),
    )
    kind = "AssociatedDERProgramList"
    tx.insert(Row(tx.next_id(), of(kind, parts), kind, owner_id=end_device_id))
    return tx.insert(row)


def remove_end_device(tx: Transaction, row: Row, *, later: bool = False) -> None:
    """Remove an EndDevice, what hangs on it, what was for it alone and its rights. IEEE 2030.5-2018, 10.

    What is in lists at the root goes at once, and the first of what hangs on it, unless all is for `later`.
    The rest follows, and nobody sees it from now on.
    """
    for assignment in tx.assignments_of_device(row.id):
        tx.delete_assignment(assignment)
    forget_device(tx, row.id)
    for of_files in reversed(_files_for(tx, row.id)):
        tx.delete(of_files)
    for listed in POINT_LISTS:
        for item in _in_list(tx, listed, row):
            tx.delete(item)
    tx.delete(row)
    remove_below(tx, row.id, later=later)
    tx.delete_reports_of(row.id)
    if tx.is_disabled(row.id):
        tx.put_disabled(row.id, is_disabled=False)
    tx.delete_client(row.id)


def _in_list(tx: Transaction, kind: str, end_device: Row) -> list[Row]:
    """The items of an EndDevice in a list at the root."""
    listed = tx.of_kind(kind, limit=1)
    return tx.points_of(end_device.id, listed[0].id) if listed else []


def _files_for(tx: Transaction, end_device_id: int) -> list[Row]:
    """The Files that are for an EndDevice alone, each with where its octets are."""
    listed = tx.of_kind("FileList", limit=1)
    files = tx.page(Span(list_id=listed[0].id, scope=end_device_id), limit=MOST_FILES) if listed else []
    return [row for file in files for row in sorted({file, *tx.of_owner(file.id)})]


def put_registration(tx: Transaction, environment: Environment, row: Row, pin: int | None, now: int) -> None:
    """Give an EndDevice a Registration with another PIN, or none. IEEE 2030.5-2018, 10 (Registration)."""
    href = environment.uris.of("Registration", (row.id,))
    held = tx.by_href(href)
    if held is not None:
        tx.delete(held)
    if pin is not None:
        _add_registration(tx, environment, row.id, pin, now)
    current = tx.by_id(row.id) or row
    end_device: EndDevice = environment.codec.decode_fragment(current.body, EndDevice)
    end_device.RegistrationLink_ = None if pin is None else RegistrationLink(href=href)
    end_device.changedTime = now
    put_end_device(tx, environment, current, end_device)


def remove_der(tx: Transaction, environment: Environment, der: Row) -> None:
    """Remove a DER of an EndDevice with what it reported. IEEE 2030.5-2018, 10.10."""
    remove_tree(tx, environment.uris, der)


def devices_of(tx: Transaction, environment: Environment, end_device_id: int) -> int:
    """How many EndDevices a client is, or speaks for, by the EndDevice that it is: kept, not counted."""
    listed = tx.by_href(environment.uris.of("EndDeviceList"))
    return 0 if listed is None else tx.count(Span(list_id=listed.id, scope=end_device_id))


def touch(tx: Transaction, environment: Environment, end_device_id: int, now: int) -> None:
    """Move changedTime: the entry, or what it links to, has changed. IEEE 2030.5-2018, 10."""
    row = tx.by_id(end_device_id)
    if row is not None:
        end_device: EndDevice = environment.codec.decode_fragment(row.body, EndDevice)
        end_device.changedTime = now
        put_end_device(tx, environment, row, end_device)


def put_end_device(tx: Transaction, environment: Environment, row: Row, end_device: EndDevice) -> Row:
    """Store an EndDevice in the place of what was there."""
    key = sort_key(ordered(environment, "EndDeviceList"), end_device)
    return tx.replace(row, row._replace(sort_key=key, body=environment.codec.fragment(end_device)))


def links_of(
    environment: Environment, number: int, *, has_pin: bool, has_subscriptions: bool = True
) -> dict[str, Link]:
    """Links of a new EndDevice by attribute."""
    of, parts = environment.uris.of, (number,)
    links: dict[str, Link] = {
        one.attr: one.link(href=of(one.kind, parts))
        for one in below("EndDevice")
        if (one.is_linked and (has_subscriptions or one.kind != "SubscriptionList"))
        or (has_pin and one.kind == "Registration")
    }
    if has_connection_points(environment):
        links["ConnectionPointLink"] = Link(href=of(CONNECTION_POINT, parts))
    return links


def has_connection_points(environment: Environment) -> bool:
    """Whether one of the profiles knows connection points (CSIP-AUS)."""
    return CONNECTION_POINT in environment.codec.profile.additions


def _add_row(tx: Transaction, environment: Environment, enrolment: Enrolment, number: int, now: int) -> Row:
    cls = environment.codec.profile.resolve(EndDevice)
    end_device = cls(
        href=environment.uris.of("EndDevice", (number,)),
        deviceCategory=enrolment.category,
        lFDI=enrolment.lfdi,
        sFDI=sfdi_of(enrolment.lfdi),
        changedTime=now,
        enabled=True,
        postRate=post_rate_of(tx, environment, "EndDevice"),
        **links_of(
            environment,
            number,
            has_pin=enrolment.pin is not None,
            has_subscriptions=enrolment.aggregator_id is None
            or environment.settings.managed_subscription_lists,
        ),
    )
    client = tx.client_of(number)
    list_row = tx.by_href(environment.uris.of("EndDeviceList"))
    row = Row(
        number,
        end_device.href,
        "EndDevice",
        list_id=list_row.id if list_row else None,
        scope=scope_of(client) if client else EVERYBODY,
        sort_key=sort_key(ordered(environment, "EndDeviceList"), end_device),
        owner_id=number,
        body=environment.codec.fragment(end_device),
    )
    return tx.insert(row)


def _add_registration(
    tx: Transaction, environment: Environment, end_device_id: int, pin: int, now: int
) -> None:
    href = environment.uris.of("Registration", (end_device_id,))
    registration = Registration(href=href, dateTimeRegistered=now, pIN=pin)
    body = environment.codec.fragment(registration)
    tx.insert(Row(tx.next_id(), href, "Registration", owner_id=end_device_id, body=body))
