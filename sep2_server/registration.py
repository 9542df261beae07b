"""In-band registration: a client posts, changes or deletes an EndDevice. IEEE 2030.5-2018, 10; CSIP 1.5."""

import logging
import secrets

from certs import LFDI, CertsError, make_pin, parse_lfdi, sfdi_of
from schemas import EndDevice
from sep2_server.action import Action, put_value
from sep2_server.end_devices import Enrolment, add_end_device, devices_of, remove_end_device
from sep2_server.errors import BadRequest, Duplicate, Forbidden, LimitReached
from sep2_server.membership import has_room, join
from sep2_server.messages import NO_CONTENT, Answer, created, updated
from sep2_server.rows import Role
from sep2_server.run_time import has_in_band_registration

log = logging.getLogger(__name__)


def post_end_device(action: Action) -> Answer:
    """Register the client itself, or a device that an aggregator speaks for."""
    _require_in_band(action)
    posted: EndDevice = action.value
    lfdi = _claimed_lfdi(action, posted)
    _require_sfdi(action, posted.sFDI, sfdi_of(lfdi))
    known = action.tx.client(lfdi)
    if known is not None:
        return _repeated(action, known.end_device_id)
    aggregator_id = _aggregator_for(action, lfdi)
    enrolment = Enrolment(
        lfdi=lfdi,
        name=lfdi,
        role=Role.DEVICE,
        pin=_pin(action),
        aggregator_id=aggregator_id,
        ders=action.environment.rules.registration_ders,
        category=posted.deviceCategory,
    )
    row = add_end_device(action.tx, action.environment, enrolment, action.now)
    _join_groups(action, lfdi)
    return created(row.href)


def put_end_device(action: Action) -> Answer:
    """Change what a client may say of an EndDevice: its category and the postRate that it proposes."""
    _require_in_band(action)
    _require_enabled(action)
    row, posted = action.row, action.value
    stored: EndDevice = action.environment.codec.decode_fragment(row.body, EndDevice)
    if posted.lFDI is not None and posted.lFDI.upper() != stored.lFDI:
        raise Forbidden("the LFDI is not that of the EndDevice")
    _require_sfdi(action, posted.sFDI, stored.sFDI)
    stored.deviceCategory = posted.deviceCategory
    stored.postRate = posted.postRate or stored.postRate
    stored.changedTime = action.now
    put_value(action, row, stored)
    return NO_CONTENT


def delete_end_device(action: Action) -> Answer:
    """Remove an EndDevice and all that hangs on it. CSIP MAINT-002."""
    _require_in_band(action)
    _require_enabled(action)
    row = action.row
    if devices_of(action.tx, action.environment, row.id) > 1:
        raise BadRequest("the EndDevice speaks for others; delete those first")
    remove_end_device(action.tx, row)
    return NO_CONTENT


def _require_sfdi(action: Action, claimed: int, sfdi: int) -> None:
    """Raise what the profile has for an sFDI that is not that of the LFDI."""
    if claimed != sfdi:
        is_forbidden = action.environment.rules.wrong_sfdi_status == Forbidden.status
        text = f"sFDI {claimed} is not that of the LFDI"
        raise Forbidden(text) if is_forbidden else BadRequest(text)


def _require_in_band(action: Action) -> None:
    if not has_in_band_registration(action.tx, action.environment):
        raise Forbidden("EndDevices are registered out of band here")


def _require_enabled(action: Action) -> None:
    """Raise Forbidden for an EndDevice that is disabled: who removes it could register it anew."""
    if action.tx.is_disabled(action.row.id):
        raise Forbidden("the EndDevice is disabled; its operator alone changes and removes it")


def _pin(action: Action) -> int | None:
    """The PIN of a device that registers itself; None: it gets no Registration. IEEE 2030.5-2018, 10."""
    rule = action.environment.rules.registration_pin
    if rule == "none":
        return None
    return make_pin(secrets.randbelow) if rule == "random" else int(rule)


def _join_groups(action: Action, lfdi: LFDI) -> None:
    """Make a new device a member of the groups of `registration_groups`; those not there are logged."""
    tx, environment = action.tx, action.environment
    client = tx.client(lfdi)
    for name in environment.rules.registration_groups:
        group = tx.group_named(name)
        if group is None or client is None:
            log.warning("registration_groups: there is no group %s", name)
        elif has_room(tx, environment, client):
            join(tx, environment, group, client, action.now, secrets.randbelow)
        else:
            log.warning("registration_groups: a device takes no more than those before %s", name)


def _require_pen(action: Action, lfdi: LFDI) -> None:
    """Raise BadRequest for a managed device whose LFDI does not end with its aggregator's PEN."""
    pen = action.environment.settings.aggregator_pens.get(action.viewer.lfdi)
    if action.environment.rules.pen_suffix and pen is not None and lfdi[-8:] != f"{pen:08d}":
        raise BadRequest(f"the LFDI of a managed device has to end with {pen:08d}")


def _claimed_lfdi(action: Action, posted: EndDevice) -> LFDI:
    """LFDI that a client may register: that of its certificate, or any if it is an aggregator."""
    viewer = action.viewer
    if posted.lFDI is None:
        if viewer.is_aggregator or action.environment.rules.lfdi_required == "all":
            raise BadRequest("an EndDevice without lFDI")
        return parse_lfdi(viewer.lfdi)
    try:
        lfdi = parse_lfdi(posted.lFDI)
    except CertsError as flaw:
        raise BadRequest(str(flaw)) from flaw
    if lfdi != viewer.lfdi and not viewer.is_aggregator:
        raise Forbidden("lFDI is not that of the certificate")
    return lfdi


def _aggregator_for(action: Action, lfdi: LFDI) -> int | None:
    """EndDevice of the aggregator that registers a device that is not known; None for one that is itself."""
    client = action.viewer.client
    if client is None:
        return None
    _require_pen(action, lfdi)
    managed = devices_of(action.tx, action.environment, client.end_device_id) - 1
    if managed >= action.environment.settings.end_devices_per_aggregator:
        raise LimitReached(f"{managed} EndDevices of this aggregator")
    return client.end_device_id


def _repeated(action: Action, end_device_id: int) -> Answer:
    """The answer to an EndDevice that is known. The standard says fine, CSIP-AUS S-ALL-51 says no."""
    client = action.tx.client_of(end_device_id)
    own = action.viewer.client
    is_mine = (
        own is not None and client is not None and own.end_device_id in {end_device_id, client.aggregator_id}
    )
    if not is_mine:
        raise Forbidden("the EndDevice is another client's")
    if action.environment.rules.duplicate_end_device_status == Duplicate.status:
        raise Duplicate("an EndDevice with this LFDI is there")
    href = action.environment.uris.of("EndDevice", (end_device_id,))
    return Answer(action.environment.rules.duplicate_end_device_status, updated(href).headers)
