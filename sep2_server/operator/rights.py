"""Operations on who may connect, and on settings at run time. For admins."""

from typing import Final

from schemas import Json
from sep2_server.operator.desk import Desk
from sep2_server.operator.enrolment import identity_of
from sep2_server.operator.errors import BadRequest, Conflict
from sep2_server.operator.requests import BlockCertificate, ChangeSettings
from sep2_server.operator.router import Answer, Call
from sep2_server.operator.shape import read
from sep2_server.rows import Blocked
from sep2_server.run_time import (
    IN_BAND,
    NO,
    OUTAGE,
    SET_AT_RUN_TIME,
    TIME_OFFSET,
    TIME_QUALITY,
    YES,
    run_time_of,
)

_KEYS: Final = {TIME_QUALITY: "timeQuality", TIME_OFFSET: "timeOffset", OUTAGE: "outage"}


def list_blocked(desk: Desk, _: Call) -> Answer:
    """The certificates that are refused, whatever they ask."""
    return {"blocked": [_told(desk, blocked) for blocked in desk.reader.blocked()]}


def block(desk: Desk, call: Call) -> Answer:
    """Refuse a certificate from now on: 403 to every request, on open connections too, enrolled or not."""
    asked = read(BlockCertificate, call.body)
    lfdi = identity_of(asked.certificate, asked.lfdi)
    known = desk.reader.block_of(lfdi)
    blocked = known or Blocked(lfdi, asked.reason, desk.now)
    if known is None:
        desk.transaction.put_blocked(blocked)
    return _told(desk, blocked)


def unblock(desk: Desk, call: Call) -> Answer:
    """No longer refuse a certificate; a repetition changes nothing."""
    lfdi = identity_of(None, call.names["lfdi"])
    return {"lFDI": lfdi, "removed": desk.transaction.delete_blocked(lfdi)}


def show_settings(desk: Desk, _: Call) -> Answer:
    """What may be set at run time, as it is now."""
    now = run_time_of(desk.reader.options(), desk.environment)
    return {
        "inBandRegistration": now.in_band_registration,
        "timeQuality": now.time_quality,
        "timeOffset": now.time_offset_s,
        "outage": now.is_out,
        "testBench": desk.environment.settings.test_bench,
    }


def change_settings(desk: Desk, call: Call) -> Answer:
    """Set what is given from now on, on every worker and over restarts."""
    asked = read(ChangeSettings, call.body)
    given: dict[str, str | None] = {
        IN_BAND: _text(asked.in_band_registration),
        TIME_QUALITY: None if asked.time_quality is None else str(asked.time_quality),
        TIME_OFFSET: None if asked.time_offset_s is None else str(asked.time_offset_s),
        OUTAGE: _text(asked.outage),
    }
    wanted = {name: value for name, value in given.items() if value is not None}
    if not wanted:
        raise BadRequest("body: nothing to set", "give inBandRegistration or another setting")
    for name in wanted:
        if name in _KEYS and not desk.environment.settings.test_bench:
            raise Conflict(
                f"{_KEYS[name]}: only a test bench may change it", "set test_bench = true in server.toml"
            )
    for name, value in wanted.items():
        desk.transaction.put_option(name, value)
    return show_settings(desk, call)


def reset_settings(desk: Desk, call: Call) -> Answer:
    """Go back to the settings of the file."""
    for name in SET_AT_RUN_TIME:
        desk.transaction.delete_option(name)
    return show_settings(desk, call)


def _text(value: bool | None) -> str | None:
    return None if value is None else YES if value else NO


def _told(desk: Desk, blocked: Blocked) -> dict[str, Json]:
    client = desk.reader.client(blocked.lfdi)
    return {
        "lFDI": blocked.lfdi,
        "device": client.name if client else None,
        "reason": blocked.reason,
        "since": blocked.since,
    }
