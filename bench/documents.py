"""The bodies that devices send in the benches."""

from __future__ import annotations

from typing import Final

from lineside.fleet.reports import readings as readings_of
from lineside.fleet.reports import status as status_of
from lineside.fleet.reports import usage_point as usage_point_of
from schemas import Codec, DERControlResponse

ENCODE: Final = Codec().encode
START: Final = 1_700_000_000


def status(number: int) -> bytes:
    """DERStatus, another one each time."""
    return ENCODE(status_of(START + number))


def usage_point(lfdi: str) -> bytes:
    """The mirror of a device."""
    return ENCODE(usage_point_of(lfdi, 300))


def readings(lfdi: str, number: int) -> bytes:
    """Two quantities over the next interval."""
    return ENCODE(readings_of(lfdi, START + 300 * number, 300))


def response(lfdi: str, number: int) -> bytes:
    """One Response after the other to the controls of the stand."""
    value = DERControlResponse(
        createdDateTime=START + number,
        endDeviceLFDI=lfdi,
        status=1 + number % 3,
        subject=f"{number // 3 % 100:024X}00007ED9",
    )
    return ENCODE(value)
