"""Meaning of the numbers: one enumeration per code table; members of a bitmap are bit numbers.

Unknown numbers are legal on the wire and stay plain integers.
"""

from enum import IntEnum


class OpState(IntEnum):
    """Operating state of a device."""

    UNKNOWN = 0
    NOT_OPERATING = 1
    OPERATING = 2
    STARTING_UP = 3
    SHUTTING_DOWN = 4
    AT_DISCONNECT_LEVEL = 5
    KW_RAMPING = 6
    KVAR_RAMPING = 7


class TemperatureSubject(IntEnum):
    """What a temperature is of."""

    ENCLOSURE = 0
    TRANSFORMER = 1
    HEATSINK = 2


class Encoding(IntEnum):
    """Encoding of notifications."""

    APPLICATION_PER_SEP_XML = 0
    APPLICATION_PER_SEP_EXI = 1


class NotificationStatus(IntEnum):
    """Why a notification was sent."""

    DEFAULT = 0
    CANCELED = 1
    MOVED = 2
    DEFINITION_CHANGED = 3
    DELETED = 4


class FunctionsImplemented(IntEnum):
    """Bits of functionsImplemented: client function sets of a device."""

    DEVICE_CAPABILITY = 0
    SELF_DEVICE_RESOURCE = 1
    END_DEVICE_RESOURCE = 2
    FUNCTION_SET_ASSIGNMENTS = 3
    SUBSCRIPTION_PER_NOTIFICATION_MECHANISM = 4
    RESPONSE = 5
    TIME = 6
    DEVICE_INFORMATION = 7
    POWER_STATUS = 8
    NETWORK_STATUS = 9
    LOG_EVENT = 10
    CONFIGURATION_RESOURCE = 11
    SOFTWARE_DOWNLOAD = 12
    DRLC = 13
    METERING = 14
    PRICING = 15
    MESSAGING = 16
    BILLING = 17
    PREPAYMENT = 18
    FLOW_RESERVATION = 19
    DER_CONTROL = 20


class BatteryStatus(IntEnum):
    """State of the battery of a device."""

    UNKNOWN = 0
    NORMAL = 1
    LOW = 2
    DEPLETED = 3
    NOT_APPLICABLE = 4


class PowerSourceType(IntEnum):
    """Source of power."""

    NONE = 0
    MAINS = 1
    BATTERY = 2
    LOCAL_GENERATION = 3
    EMERGENCY = 4
    UNKNOWN = 5


class LinkLayerType(IntEnum):
    """Kind of link layer."""

    UNSPECIFIED = 0
    IEEE_802_3 = 1
    IEEE_802_11 = 2
    IEEE_802_15 = 3
    IEEE_1901 = 4


class FileLoadStatus(IntEnum):
    """How far a device is with a file."""

    IDLE = 0
    LOADING = 1
    LOAD_FAILED = 2
    VERIFYING = 3
    VERIFICATION_FAILED = 4
    WAITING_TO_ACTIVATE = 5
    ACTIVATION_FAILED = 6
    ACTIVATING = 7
    ACTIVE = 8


class DERType(IntEnum):
    """Kind of a DER."""

    NOT_APPLICABLE = 0
    VIRTUAL_OR_MIXED_DER = 1
    RECIPROCATING_ENGINE = 2
    FUEL_CELL = 3
    PHOTOVOLTAIC_SYSTEM = 4
    COMBINED_HEAT_AND_POWER = 5
    OTHER_GENERATION_SYSTEM = 6
    OTHER_STORAGE_SYSTEM = 80
    ELECTRIC_VEHICLE = 81
    EVSE = 82
    COMBINED_PV_AND_STORAGE = 83


class AbnormalCategory(IntEnum):
    """IEEE 1547-2018 abnormal operating category."""

    NOT_SPECIFIED = 0
    CATEGORY_I = 1
    CATEGORY_II = 2
    CATEGORY_III = 3


class NormalCategory(IntEnum):
    """IEEE 1547-2018 normal operating category."""

    NOT_SPECIFIED = 0
    CATEGORY_A = 1
    CATEGORY_B = 2


class DERControlType(IntEnum):
    """Bits of modesSupported and modesEnabled (2018 numbering), each named as its mode."""

    CHARGE = 0
    DISCHARGE = 1
    opModConnect = 2
    opModEnergize = 3
    opModFixedPFAbsorbW = 4
    opModFixedPFInjectW = 5
    opModFixedVar = 6
    opModFixedW = 7
    opModFreqDroop = 8
    opModFreqWatt = 9
    opModHFRTMayTrip = 10
    opModHFRTMustTrip = 11
    opModHVRTMayTrip = 12
    opModHVRTMomentaryCessation = 13
    opModHVRTMustTrip = 14
    opModLFRTMayTrip = 15
    opModLFRTMustTrip = 16
    opModLVRTMayTrip = 17
    opModLVRTMomentaryCessation = 18
    opModLVRTMustTrip = 19
    opModMaxLimW = 20
    opModTargetVar = 21
    opModTargetW = 22
    opModVoltVar = 23
    opModVoltWatt = 24
    opModWattPF = 25
    opModWattVar = 26


class DERCurveType(IntEnum):
    """Kind of a curve, named as the mode that follows it (2018 numbering)."""

    opModFreqWatt = 0
    opModHFRTMayTrip = 1
    opModHFRTMustTrip = 2
    opModHVRTMayTrip = 3
    opModHVRTMomentaryCessation = 4
    opModHVRTMustTrip = 5
    opModLFRTMayTrip = 6
    opModLFRTMustTrip = 7
    opModLVRTMayTrip = 8
    opModLVRTMomentaryCessation = 9
    opModLVRTMustTrip = 10
    opModVoltVar = 11
    opModVoltWatt = 12
    opModWattPF = 13
    opModWattVar = 14


class AlarmStatus(IntEnum):
    """Bits of alarmStatus."""

    OVER_CURRENT = 0
    OVER_VOLTAGE = 1
    UNDER_VOLTAGE = 2
    OVER_FREQUENCY = 3
    UNDER_FREQUENCY = 4
    VOLTAGE_IMBALANCE = 5
    CURRENT_IMBALANCE = 6
    EMERGENCY_LOCAL = 7
    EMERGENCY_REMOTE = 8
    LOW_POWER_INPUT = 9
    PHASE_ROTATION = 10


class DERUnitRefType(IntEnum):
    """What a percentage refers to."""

    NOT_APPLICABLE = 0
    SET_MAX_W = 1
    SET_MAX_VAR = 2
    STAT_VAR_AVAIL = 3
    SET_EFFECTIVE_V = 4
    SET_MAX_CHARGE_RATE_W = 5
    SET_MAX_DISCHARGE_RATE_W = 6
    STAT_W_AVAIL = 7


class ConnectStatusType(IntEnum):
    """Bits of genConnectStatus and storConnectStatus."""

    CONNECTED = 0
    AVAILABLE = 1
    OPERATING = 2
    TEST = 3
    FAULT = 4


class InverterStatusType(IntEnum):
    """State of an inverter."""

    NOT_APPLICABLE = 0
    OFF = 1
    SLEEPING = 2
    STARTING = 3
    TRACKING_MPPT = 4
    DERATING = 5
    SHUTTING_DOWN = 6
    FAULT = 7
    STANDBY = 8
    TEST = 9
    MANUFACTURER_STATUS = 10


class LocalControlModeStatusType(IntEnum):
    """Who controls a DER."""

    LOCAL = 0
    REMOTE = 1


class OperationalModeStatusType(IntEnum):
    """Operational mode of a DER."""

    UNKNOWN = 0
    OFF = 1
    OPERATIONAL = 2
    TEST = 3


class StorageModeStatusType(IntEnum):
    """What a storage does."""

    CHARGING = 0
    DISCHARGING = 1
    HOLDING = 2


class ErrorReason(IntEnum):
    """Why a request failed."""

    INVALID_FORMAT = 0
    INVALID_VALUES = 1
    RESOURCE_LIMIT_REACHED = 2
    CONDITION_NOT_SUPPORTED = 3
    TOO_FREQUENT = 4


class EventState(IntEnum):
    """State of an event (5 and above reserved). IEEE 2030.5-2018, 10.2.3."""

    SCHEDULED = 0
    ACTIVE = 1
    CANCELLED = 2
    CANCELLED_WITH_RANDOMIZATION = 3
    SUPERSEDED = 4


class DeviceCategoryType(IntEnum):
    """Bits of deviceCategory."""

    PROGRAMMABLE_COMMUNICATING_THERMOSTAT = 0
    STRIP_HEATERS = 1
    BASEBOARD_HEATERS = 2
    WATER_HEATER = 3
    POOL_PUMP = 4
    SAUNA = 5
    HOT_TUB = 6
    SMART_APPLIANCE = 7
    IRRIGATION_PUMP = 8
    MANAGED_COMMERCIAL_AND_INDUSTRIAL_LOADS = 9
    SIMPLE_RESIDENTIAL_LOADS = 10
    EXTERIOR_LIGHTING = 11
    INTERIOR_LIGHTING = 12
    LOAD_CONTROL_SWITCH = 13
    ENERGY_MANAGEMENT_SYSTEM = 14
    SMART_ENERGY_MODULE = 15
    ELECTRIC_VEHICLE = 16
    EVSE = 17
    VIRTUAL_OR_MIXED_DER = 18
    RECIPROCATING_ENGINE = 19
    FUEL_CELL = 20
    PHOTOVOLTAIC_SYSTEM = 21
    COMBINED_HEAT_AND_POWER = 22
    COMBINED_PV_AND_STORAGE = 23
    OTHER_GENERATION_SYSTEM = 24
    OTHER_STORAGE_SYSTEM = 25


class SubscribableType(IntEnum):
    """How a resource may be subscribed to."""

    NONE = 0
    UNCONDITIONAL = 1
    CONDITIONAL = 2
    BOTH = 3
