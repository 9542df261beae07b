"""Configuration of a device: locale, time, power and price response."""

from dataclasses import field
from typing import Annotated

from schemas.fields import Attr, Unit, resource
from schemas.links_metering import PriceResponseCfgListLink, RateComponentLink
from schemas.resources import List, Resource, SubscribableResource
from schemas.types import DstRuleType, Int32, LocaleType, PollRate, String32, TimeOffsetType, TimeType, UInt32


@resource
class PowerConfiguration:
    """Settings of the battery of a device."""

    batteryInstallTime: TimeType | None = None
    lowChargeThreshold: UInt32 | None = None


@resource
class TimeConfiguration:
    """Time zone and daylight saving rules of a device."""

    dstEndRule: DstRuleType
    dstOffset: Annotated[TimeOffsetType, Unit("s")]
    dstStartRule: DstRuleType
    tzOffset: Annotated[TimeOffsetType, Unit("s")]


@resource
class Configuration(SubscribableResource):
    """Settings of a device that others may read and change."""

    pollRate: Attr[PollRate] | None = None
    currentLocale: LocaleType
    PowerConfiguration_: PowerConfiguration | None = None
    PriceResponseCfgListLink_: PriceResponseCfgListLink | None = None
    TimeConfiguration_: TimeConfiguration | None = None
    userDeviceName: String32


@resource
class PriceResponseCfg(Resource):
    """Prices at which a device begins to save and to consume."""

    consumeThreshold: Int32
    maxReductionThreshold: Int32
    RateComponentLink_: RateComponentLink


@resource
class PriceResponseCfgList(List):
    """Page of price response settings."""

    PriceResponseCfg_: list[PriceResponseCfg] = field(default_factory=list)
