"""Meaning of the numbers of metering, pricing, billing, prepayment, messaging and demand response.

Unknown numbers are legal on the wire and stay plain integers.
"""

from enum import IntEnum


class DRLCOptions(IntEnum):
    """Bits of optionsImplemented."""

    TARGET_KWH = 0
    TARGET_KW = 1
    TARGET_W = 2
    TARGET_M3 = 3
    TARGET_FT3 = 4
    TARGET_US_GL = 5
    TARGET_IMP_GL = 6
    TARGET_BTU = 7
    TARGET_LITER = 8
    TARGET_KPA_GAUGE = 9
    TARGET_KPA_ABSOLUTE = 10
    TARGET_MJ = 11
    TARGET_UNITLESS = 12
    TEMPERATURE_SET_POINT = 16
    TEMPERATURE_OFFSET = 17
    DUTY_CYCLE = 18
    LOAD_ADJUSTMENT_PERCENTAGE = 19
    APPLIANCE_LOAD_REDUCTION = 20


class CostKindType(IntEnum):
    """Kind of environmental cost, per unit."""

    CARBON_DIOXIDE = 0
    SULFUR_DIOXIDE = 1
    NITROGEN_OXIDES = 2
    RENEWABLE_SHARE = 3


class PriorityType(IntEnum):
    """Priority of a text message."""

    LOW = 0
    NORMAL = 1
    HIGH = 2
    CRITICAL = 3


class ChargeKind(IntEnum):
    """Kind of a charge."""

    CONSUMPTION_CHARGE = 0
    REBATE = 1
    AUXILIARY_CHARGE = 2
    DEMAND_CHARGE = 3
    TAX_CHARGE = 4


class PrepayModeType(IntEnum):
    """Mode of a prepaid account."""

    CENTRAL_WALLET = 0
    ESI = 1
    LOCAL = 2
    CREDIT = 3


class CreditStatusType(IntEnum):
    """State of a credit."""

    CREDIT_OK = 0
    CREDIT_LOW = 1
    CREDIT_EXHAUSTED = 2
    CREDIT_NEGATIVE = 3


class CreditTypeType(IntEnum):
    """Kind of a credit."""

    REGULAR = 0
    EMERGENCY = 1
    REGULAR_THEN_EMERGENCY = 2
    EMERGENCY_THEN_REGULAR = 3


class ServiceStatusType(IntEnum):
    """State of a supply."""

    CONNECTED = 0
    DISCONNECTED = 1
    ARMED_FOR_CONNECT = 2
    ARMED_FOR_DISCONNECT = 3
    NO_CONTACTOR = 4
    LOAD_LIMITED = 5


class FlowRequestStatus(IntEnum):
    """State of a flow reservation request."""

    REQUESTED = 0
    CANCELLED = 1


class AccumulationBehaviourType(IntEnum):
    """How a value accumulates."""

    NOT_APPLICABLE = 0
    CUMULATIVE = 3
    DELTADATA = 4
    INDICATING = 6
    SUMMATION = 9
    INSTANTANEOUS = 12


class ApplianceLoadReductionType(IntEnum):
    """Kind of appliance load reduction."""

    DELAY_APPLIANCE_LOAD = 0
    TEMPORARY_APPLIANCE_LOAD_REDUCTION = 1


class CommodityType(IntEnum):
    """What is measured."""

    NOT_APPLICABLE = 0
    ELECTRICITY_SECONDARY_METERED = 1
    ELECTRICITY_PRIMARY_METERED = 2
    AIR = 4
    NATURALGAS = 7
    PROPANE = 8
    POTABLEWATER = 9
    STEAM = 10
    WASTEWATER = 11
    HEATINGFLUID = 12
    COOLINGFLUID = 13


class ConsumptionBlockType(IntEnum):
    """Consumption block."""

    NOT_APPLICABLE = 0
    BLOCK_1 = 1
    BLOCK_2 = 2
    BLOCK_3 = 3
    BLOCK_4 = 4
    BLOCK_5 = 5
    BLOCK_6 = 6
    BLOCK_7 = 7
    BLOCK_8 = 8
    BLOCK_9 = 9
    BLOCK_10 = 10
    BLOCK_11 = 11
    BLOCK_12 = 12
    BLOCK_13 = 13
    BLOCK_14 = 14
    BLOCK_15 = 15
    BLOCK_16 = 16


class CurrencyCode(IntEnum):
    """Currency, ISO 4217 numbers (any other is fine too)."""

    NOT_APPLICABLE = 0
    AUD = 36
    CAD = 124
    USD = 840
    EUR = 978


class DataQualifierType(IntEnum):
    """What a value stands for."""

    NOT_APPLICABLE = 0
    AVERAGE = 2
    MAXIMUM = 8
    MINIMUM = 9
    NORMAL = 12
    STANDARD_DEVIATION_OF_POPULATION = 29
    STANDARD_DEVIATION_OF_SAMPLE = 30


class FlowDirectionType(IntEnum):
    """Direction of flow, seen from the customer."""

    NOT_APPLICABLE = 0
    FORWARD = 1
    REVERSE = 19


class KindType(IntEnum):
    """Kind of a reading."""

    NOT_APPLICABLE = 0
    CURRENCY = 3
    DEMAND = 8
    ENERGY = 12
    POWER = 37


class PhaseCode(IntEnum):
    """Phase of a reading."""

    NOT_APPLICABLE = 0
    C = 32
    CN = 33
    CA = 40
    B = 64
    BN = 65
    BC = 66
    A = 128
    AN = 129
    AB = 132
    ABC = 224


class RoleFlagsType(IntEnum):
    """Bits of roleFlags."""

    IS_MIRROR = 0
    IS_PREMISES_AGGREGATION_POINT = 1
    IS_PEV = 2
    IS_DER = 3
    IS_REVENUE_QUALITY = 4
    IS_DC = 5
    IS_SUBMETER = 6


class ServiceKind(IntEnum):
    """Kind of service."""

    ELECTRICITY = 0
    GAS = 1
    WATER = 2
    TIME = 3
    PRESSURE = 4
    HEAT = 5
    COOLING = 6


class TOUType(IntEnum):
    """Time-of-use tier."""

    NOT_APPLICABLE = 0
    TOU_A = 1
    TOU_B = 2
    TOU_C = 3
    TOU_D = 4
    TOU_E = 5
    TOU_F = 6
    TOU_G = 7
    TOU_H = 8
    TOU_I = 9
    TOU_J = 10
    TOU_K = 11
    TOU_L = 12
    TOU_M = 13
    TOU_N = 14
    TOU_O = 15


class UnitType(IntEnum):
    """Unit of a target reduction."""

    KWH = 0
    KW = 1
    WATTS = 2
    CUBIC_METERS = 3
    CUBIC_FEET = 4
    US_GALLONS = 5
    IMPERIAL_GALLONS = 6
    BTUS = 7
    LITERS = 8
    KPA_GAUGE = 9
    KPA_ABSOLUTE = 10
    MEGA_JOULE = 11
    UNITLESS = 12


class UomType(IntEnum):
    """Unit of measure (CSIP also uses 33, Hz)."""

    NOT_APPLICABLE = 0
    A = 5
    K = 6
    DEG_C = 23
    V = 29
    J = 31
    W = 38
    M3 = 42
    VA = 61
    VAR = 63
    COS_THETA = 65
    V2 = 67
    A2 = 69
    VAH = 71
    WH = 72
    VARH = 73
    AH = 106
    FT3 = 119
    FT3_PER_H = 122
    M3_PER_H = 125
    US_GL = 128
    US_GL_PER_H = 129
    IMP_GL = 130
    IMP_GL_PER_H = 131
    BTU = 132
    BTU_PER_H = 133
    LITER = 134
    LITER_PER_H = 137
    PA_GAUGE = 140
    PA_ABSOLUTE = 155
    THERM = 169


class QualityFlags(IntEnum):
    """Bits of qualityFlags."""

    VALID = 0
    MANUALLY_EDITED = 1
    ESTIMATED_USING_REFERENCE_DAY = 2
    ESTIMATED_USING_LINEAR_INTERPOLATION = 3
    QUESTIONABLE = 4
    DERIVED = 5
    PROJECTED = 6


class UsagePointStatus(IntEnum):
    """State of a usage point."""

    OFF = 0
    ON = 1
