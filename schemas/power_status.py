"""PowerStatus of a device and of a plug-in vehicle."""

from typing import Annotated

from schemas import codes as c
from schemas.fields import Attr, Codes, Unit, resource
from schemas.quantities import ActivePower, RealEnergy
from schemas.resources import Resource
from schemas.types import PerCent, PollRate, PowerSourceType, TimeType, UInt8, UInt32


@resource
class PEVInfo:
    """Charging state and wishes of a plug-in vehicle."""

    chargingPowerNow: ActivePower
    energyRequestNow: RealEnergy
    maxForwardPower: ActivePower
    minimumChargingDuration: Annotated[UInt32, Unit("s")]
    targetStateOfCharge: Annotated[PerCent, Unit("0.01 %")]
    timeChargeIsNeeded: TimeType
    timeChargingStatusPEV: TimeType


@resource
class PowerStatus(Resource):
    """Power supply and battery of a device."""

    pollRate: Attr[PollRate] | None = None
    batteryStatus: Annotated[UInt8, Codes(c.BatteryStatus)]
    changedTime: TimeType
    currentPowerSource: PowerSourceType
    estimatedChargeRemaining: Annotated[PerCent, Unit("0.01 %")] | None = None
    estimatedTimeRemaining: Annotated[UInt32, Unit("s")] | None = None
    PEVInfo_: PEVInfo | None = None
    sessionTimeOnBattery: Annotated[UInt32, Unit("s")] | None = None
    totalTimeOnBattery: Annotated[UInt32, Unit("s")] | None = None
