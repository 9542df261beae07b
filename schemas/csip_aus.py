"""CSIP-AUS extensions (SA TS 5573) as profiles beside the standard: v1.2, v1.3-beta/storage and v1.3.

Extension elements come last in the type that they extend. v1.3 rests on public test material, not on the
printed specification.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Annotated, Final

from schemas.der import DERCapability, DERControlBase, DERSettings
from schemas.end_device import EndDevice
from schemas.fields import Attr, Codes, addition, extension
from schemas.pricing import (
    ConsumptionTariffIntervalList,
    TariffProfile,
    TimeTariffInterval,
    TimeTariffIntervalList,
)
from schemas.profile import Profile
from schemas.quantities import ActivePower, WattHour
from schemas.resources import Link, ListLink, Resource
from schemas.types import HexBinary8, PollRate, String32


class DOEControlType(IntEnum):
    """Bits of doeModesSupported and doeModesEnabled (by element name)."""

    opModExpLimW = 0
    opModImpLimW = 1
    opModGenLimW = 2
    opModLoadLimW = 3


class VPPControlType(IntEnum):
    """Bits of vppModesSupported and vppModesEnabled."""

    opModStorageTargetW = 0


class TimeUnit(IntEnum):
    """Units of ReadingType.uom that v1.3 adds, for charges by time."""

    SECOND = 27
    MINUTE = 159
    HOUR = 160
    DAY = 195


COMBINED_LINK: Final = "CombinedTimeTariffIntervalListLink"
"""The element of TariffProfile that v1.3 adds."""


@addition
class ConnectionPoint(Resource):
    """Where a device is connected to the network, usually the national metering identifier."""

    connectionPointId: String32


@addition
class ConnectionPointV11(Resource):
    """ConnectionPoint of v1.1a, whose element has another name."""

    id: String32


@extension
class DERControlBaseV12(DERControlBase):
    """Control modes with limits at the connection point and of the device, W as positive magnitudes."""

    opModImpLimW: ActivePower | None = None
    opModExpLimW: ActivePower | None = None
    opModGenLimW: ActivePower | None = None
    opModLoadLimW: ActivePower | None = None


@extension
class DERControlBaseV13(DERControlBaseV12):
    """Control modes with a signed target for the storage, W."""

    opModStorageTargetW: ActivePower | None = None


@extension
class DERCapabilityV12(DERCapability):
    """Nameplate with the dynamic operating envelope modes that the DER knows."""

    doeModesSupported: Annotated[HexBinary8, Codes(DOEControlType)]


@extension
class DERCapabilityV13(DERCapabilityV12):
    """Nameplate with the virtual power plant modes that the DER knows."""

    vppModesSupported: Annotated[HexBinary8, Codes(VPPControlType)] | None = None


@extension
class DERSettingsV12(DERSettings):
    """Settings with the dynamic operating envelope modes in use."""

    doeModesEnabled: Annotated[HexBinary8, Codes(DOEControlType)] | None = None


@extension
class DERSettingsV13(DERSettingsV12):
    """Settings with the virtual power plant modes in use and the least energy to keep."""

    vppModesEnabled: Annotated[HexBinary8, Codes(VPPControlType)] | None = None
    setMinWh: WattHour | None = None


@extension
class EndDeviceV12(EndDevice):
    """EndDevice with its connection point."""

    ConnectionPointLink: Link | None = None


@extension
class DERCapabilityOfAny(DERCapability):
    """Nameplate as clients of any version may give it: those of the standard know no modes."""

    doeModesSupported: Annotated[HexBinary8, Codes(DOEControlType)] | None = None
    vppModesSupported: Annotated[HexBinary8, Codes(VPPControlType)] | None = None


@extension
class TariffProfileV13(TariffProfile):
    """Tariff with one list of the intervals of all its rate components."""

    CombinedTimeTariffIntervalListLink: ListLink | None = None


@extension
class TimeTariffIntervalV13(TimeTariffInterval):
    """Time span of a tariff with its prices in it, and the rate component that it belongs to."""

    ConsumptionTariffIntervalListSummary: ConsumptionTariffIntervalList | None = None
    RateComponentLink: Link | None = None


@extension
class TimeTariffIntervalListV13(TimeTariffIntervalList):
    """Page of intervals with a rate of its own, at which it is polled; the schema knows none."""

    pollRate: Attr[PollRate] | None = None


_V12 = (DERControlBaseV12, DERCapabilityV12, DERSettingsV12, EndDeviceV12)
_V13_STORAGE = (DERControlBaseV13, DERCapabilityV13, DERSettingsV13, EndDeviceV12)
_V13 = (*_V13_STORAGE, TariffProfileV13, TimeTariffIntervalV13, TimeTariffIntervalListV13)
_ALL = tuple(DERCapabilityOfAny if cls is DERCapabilityV13 else cls for cls in _V13)

CSIP_AUS_V1_1A = Profile(
    name="csip_aus_v1.1a",
    extension_namespace="https://csipaus.org/ns",
    prefix="csipaus",
    extensions=_V12,
    additions={"ConnectionPoint": ConnectionPointV11},
)

CSIP_AUS_V1_2 = Profile(
    name="csip_aus_v1.2",
    extension_namespace="https://csipaus.org/ns",
    prefix="csipaus",
    extensions=_V12,
    additions={"ConnectionPoint": ConnectionPoint},
)
CSIP_AUS_V1_3_STORAGE = Profile(
    name="csip_aus_v1.3_storage",
    extension_namespace="https://csipaus.org/ns/v1.3-beta/storage",
    prefix="csipaus",
    extensions=_V13_STORAGE,
    additions={"ConnectionPoint": ConnectionPoint},
)
CSIP_AUS_V1_3 = Profile(
    name="csip_aus_v1.3",
    extension_namespace="https://csipaus.org/ns/v1.3",
    prefix="csipaus",
    extensions=_V13,
    additions={"ConnectionPoint": ConnectionPoint},
)
CSIP_AUS_ALL = Profile(
    name="csip_aus_all",
    extension_namespace="https://csipaus.org/ns/v1.3",
    prefix="csipaus",
    extensions=_ALL,
    additions={"ConnectionPoint": ConnectionPoint},
)
"""Everything that clients of any version may give: what a server stores that serves several."""
