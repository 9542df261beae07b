"""The server as a device: SelfDevice with its DeviceInformation and DeviceStatus, made at read.

IEEE 2030.5-2018, 10 (SelfDevice). It links to what the server serves about itself and to nothing else.
"""

from functools import cache
from importlib.metadata import version
from typing import Final

from certs import LFDI, parse_lfdi, sfdi_of
from schemas import (
    DeviceInformation,
    DeviceInformationLink,
    DeviceStatus,
    DeviceStatusLink,
    SelfDevice,
    TimeLink,
)
from schemas.codes import PowerSourceType
from sep2_server.environment import Environment
from sep2_server.extra_routes import SELF_INFORMATION, SELF_STATUS

MODEL: Final = "Lineside"
IS_OPERATING: Final = 2
"""DeviceStatus.opState."""

Own = SelfDevice | DeviceInformation | DeviceStatus


def own_resource(environment: Environment, kind: str) -> Own | None:
    """What a URI of the server's own device holds; None where its certificate is not known."""
    if environment.lfdi is None:
        return None
    lfdi = parse_lfdi(environment.lfdi)
    if kind == SELF_INFORMATION:
        return _information(environment, lfdi)
    return _status(environment) if kind == SELF_STATUS else _device(environment, lfdi)


def _device(environment: Environment, lfdi: LFDI) -> SelfDevice:
    of = environment.uris.of
    return SelfDevice(
        href=of("SelfDevice"),
        DeviceInformationLink_=DeviceInformationLink(href=of(SELF_INFORMATION)),
        DeviceStatusLink_=DeviceStatusLink(href=of(SELF_STATUS)),
        lFDI=lfdi,
        sFDI=sfdi_of(lfdi),
    )


def _information(environment: Environment, lfdi: LFDI) -> DeviceInformation:
    return DeviceInformation(
        href=environment.uris.of(SELF_INFORMATION),
        lFDI=lfdi,
        mfDate=0,
        mfHwVer="",
        mfID=environment.settings.pen,
        mfModel=MODEL,
        mfSerNum=str(sfdi_of(lfdi)),
        primaryPower=PowerSourceType.UNKNOWN,
        secondaryPower=PowerSourceType.UNKNOWN,
        swActTime=environment.started,
        swVer=_version(),
    )


def _status(environment: Environment) -> DeviceStatus:
    of = environment.uris.of
    return DeviceStatus(
        href=of(SELF_STATUS),
        changedTime=environment.started,
        opState=IS_OPERATING,
        TimeLink_=TimeLink(href=of("Time")),
    )


@cache
def _version() -> str:
    return version("lineside")
