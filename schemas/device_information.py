"""DeviceInformation: what a device is, who made it, what it can do."""

from dataclasses import field
from typing import Annotated

from schemas import codes as c
from schemas import codes_metering as m
from schemas.fields import Attr, Codes, resource
from schemas.links import SupportedLocaleListLink
from schemas.quantities import ActivePower, GPSLocationType, RealEnergy
from schemas.resources import List, Resource
from schemas.types import (
    HexBinary32,
    HexBinary64,
    HexBinary160,
    LocaleType,
    PENType,
    PollRate,
    PowerSourceType,
    String32,
    TimeType,
)


@resource
class DRLCCapabilities:
    """What a device can do for demand response."""

    averageEnergy: RealEnergy
    maxDemand: ActivePower
    optionsImplemented: Annotated[HexBinary32, Codes(m.DRLCOptions)]


@resource
class DeviceInformation(Resource):
    """Maker, model, versions and abilities of a device."""

    pollRate: Attr[PollRate] | None = None
    DRLCCapabilities_: DRLCCapabilities | None = None
    functionsImplemented: Annotated[HexBinary64, Codes(c.FunctionsImplemented)] | None = None
    gpsLocation: GPSLocationType | None = None
    lFDI: HexBinary160
    mfDate: TimeType
    mfHwVer: String32
    mfID: PENType
    mfInfo: String32 | None = None
    mfModel: String32
    mfSerNum: String32
    primaryPower: PowerSourceType
    secondaryPower: PowerSourceType
    SupportedLocaleListLink_: SupportedLocaleListLink | None = None
    swActTime: TimeType
    swVer: String32


@resource
class SupportedLocale(Resource):
    """A language that a device can show."""

    locale: LocaleType


@resource
class SupportedLocaleList(List):
    """Page of supported locales."""

    SupportedLocale_: list[SupportedLocale] = field(default_factory=list)
