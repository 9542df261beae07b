"""Types without children: the simple types of the schema and the complex types that only rename one.

HexBinary values stay text as written (compare without regard to case); numbers are `int`.
"""

from typing import Annotated

from schemas import codes as c
from schemas import codes_metering as m
from schemas.fields import Codes, Default, Scalar

Boolean = Annotated[bool, Scalar("xs:boolean", "xs:boolean")]
String = Annotated[str, Scalar("xs:string", "xs:string")]
AnyURI = Annotated[str, Scalar("xs:anyURI", "xs:anyURI")]

String6 = Annotated[str, Scalar("String6", "xs:string", max_length=6)]
String16 = Annotated[str, Scalar("String16", "xs:string", max_length=16)]
String20 = Annotated[str, Scalar("String20", "xs:string", max_length=20)]
String32 = Annotated[str, Scalar("String32", "xs:string", max_length=32)]
String42 = Annotated[str, Scalar("String42", "xs:string", max_length=42)]
String192 = Annotated[str, Scalar("String192", "xs:string", max_length=192)]
HexBinary8 = Annotated[str, Scalar("HexBinary8", "xs:hexBinary", max_length=1)]
HexBinary16 = Annotated[str, Scalar("HexBinary16", "xs:hexBinary", max_length=2)]
HexBinary32 = Annotated[str, Scalar("HexBinary32", "xs:hexBinary", max_length=4)]
HexBinary48 = Annotated[str, Scalar("HexBinary48", "xs:hexBinary", max_length=6)]
HexBinary64 = Annotated[str, Scalar("HexBinary64", "xs:hexBinary", max_length=8)]
HexBinary128 = Annotated[str, Scalar("HexBinary128", "xs:hexBinary", max_length=16)]
HexBinary160 = Annotated[str, Scalar("HexBinary160", "xs:hexBinary", max_length=20)]
Int8 = Annotated[int, Scalar("Int8", "xs:byte")]
Int16 = Annotated[int, Scalar("Int16", "xs:short")]
Int32 = Annotated[int, Scalar("Int32", "xs:int")]
Int48 = Annotated[int, Scalar("Int48", "xs:long", low=-140_737_488_355_328, high=140_737_488_355_328)]
Int64 = Annotated[int, Scalar("Int64", "xs:long")]
UInt8 = Annotated[int, Scalar("UInt8", "xs:unsignedByte")]
UInt16 = Annotated[int, Scalar("UInt16", "xs:unsignedShort")]
UInt32 = Annotated[int, Scalar("UInt32", "xs:unsignedInt")]
UInt40 = Annotated[int, Scalar("UInt40", "xs:unsignedLong", high=281_474_976_710_655)]
UInt48 = Annotated[int, Scalar("UInt48", "xs:unsignedLong", high=281_474_976_710_655)]
UInt64 = Annotated[int, Scalar("UInt64", "xs:unsignedLong")]

AccumulationBehaviourType = Annotated[
    UInt8, Scalar("AccumulationBehaviourType", wrapped=True), Codes(m.AccumulationBehaviourType)
]
ApplianceLoadReductionType = Annotated[
    UInt8, Scalar("ApplianceLoadReductionType", wrapped=True), Codes(m.ApplianceLoadReductionType)
]
ChargeKind = Annotated[UInt8, Scalar("ChargeKind", wrapped=True), Codes(m.ChargeKind)]
CommodityType = Annotated[UInt8, Scalar("CommodityType", wrapped=True), Codes(m.CommodityType)]
ConsumptionBlockType = Annotated[
    UInt8, Scalar("ConsumptionBlockType", wrapped=True), Codes(m.ConsumptionBlockType)
]
CostKindType = Annotated[UInt8, Scalar("CostKindType", wrapped=True), Codes(m.CostKindType)]
CreditStatusType = Annotated[UInt8, Scalar("CreditStatusType", wrapped=True), Codes(m.CreditStatusType)]
CreditTypeType = Annotated[UInt8, Scalar("CreditTypeType", wrapped=True), Codes(m.CreditTypeType)]
CurrencyCode = Annotated[UInt16, Scalar("CurrencyCode", wrapped=True), Codes(m.CurrencyCode)]
"""Currency, ISO 4217 number."""
DataQualifierType = Annotated[UInt8, Scalar("DataQualifierType", wrapped=True), Codes(m.DataQualifierType)]
DERControlType = Annotated[HexBinary32, Scalar("DERControlType", wrapped=True), Codes(c.DERControlType)]
DERCurveType = Annotated[UInt8, Scalar("DERCurveType", wrapped=True), Codes(c.DERCurveType)]
DERType = Annotated[UInt8, Scalar("DERType", wrapped=True), Codes(c.DERType)]
DERUnitRefType = Annotated[UInt8, Scalar("DERUnitRefType", wrapped=True), Codes(c.DERUnitRefType)]
DeviceCategoryType = Annotated[
    HexBinary32, Scalar("DeviceCategoryType", wrapped=True), Codes(c.DeviceCategoryType)
]
DstRuleType = Annotated[HexBinary32, Scalar("DstRuleType", wrapped=True)]
"""Rule of a daylight saving change, packed in bits."""
FlowDirectionType = Annotated[UInt8, Scalar("FlowDirectionType", wrapped=True), Codes(m.FlowDirectionType)]
KindType = Annotated[UInt8, Scalar("KindType", wrapped=True), Codes(m.KindType)]
LocaleType = Annotated[String42, Scalar("LocaleType", wrapped=True)]
"""Language tag, RFC 4646."""
mRIDType = Annotated[HexBinary128, Scalar("mRIDType", wrapped=True)]
"""Identity of an object for life, up to 16 octets."""
OneHourRangeType = Annotated[Int16, Scalar("OneHourRangeType", wrapped=True)]
"""Seconds, -3600 to 3600."""
PENType = Annotated[UInt32, Scalar("PENType", wrapped=True)]
"""IANA private enterprise number."""
PerCent = Annotated[UInt16, Scalar("PerCent", wrapped=True)]
"""Unsigned percentage, 0.01 %, 0 to 10000 in use."""
PhaseCode = Annotated[UInt8, Scalar("PhaseCode", wrapped=True), Codes(m.PhaseCode)]
PINType = Annotated[UInt32, Scalar("PINType", wrapped=True)]
"""Five digits and a check digit, as a number."""
PowerOfTenMultiplierType = Annotated[Int8, Scalar("PowerOfTenMultiplierType", wrapped=True)]
"""Power of ten, -9 to 9."""
PowerSourceType = Annotated[UInt8, Scalar("PowerSourceType", wrapped=True), Codes(c.PowerSourceType)]
PrepayModeType = Annotated[UInt8, Scalar("PrepayModeType", wrapped=True), Codes(m.PrepayModeType)]
PrimacyType = Annotated[UInt8, Scalar("PrimacyType", wrapped=True)]
"""Rank of a program, the lower number wins."""
PriorityType = Annotated[UInt8, Scalar("PriorityType", wrapped=True), Codes(m.PriorityType)]
RoleFlagsType = Annotated[HexBinary16, Scalar("RoleFlagsType", wrapped=True), Codes(m.RoleFlagsType)]
ServiceKind = Annotated[UInt8, Scalar("ServiceKind", wrapped=True), Codes(m.ServiceKind)]
ServiceStatusType = Annotated[UInt8, Scalar("ServiceStatusType", wrapped=True), Codes(m.ServiceStatusType)]
SFDIType = Annotated[UInt40, Scalar("SFDIType", wrapped=True)]
"""Short-form device identifier with its check digit."""
SignedPerCent = Annotated[Int16, Scalar("SignedPerCent", wrapped=True)]
"""Signed percentage, 0.01 %."""
SubscribableType = Annotated[UInt8, Scalar("SubscribableType"), Codes(c.SubscribableType)]
TimeOffsetType = Annotated[Int32, Scalar("TimeOffsetType", wrapped=True)]
"""Offset from UTC, s."""
TimeType = Annotated[Int64, Scalar("TimeType", wrapped=True)]
"""Seconds since 1970 UTC, without leap seconds."""
TOUType = Annotated[UInt8, Scalar("TOUType", wrapped=True), Codes(m.TOUType)]
UnitType = Annotated[UInt8, Scalar("UnitType", wrapped=True), Codes(m.UnitType)]
UomType = Annotated[UInt8, Scalar("UomType", wrapped=True), Codes(m.UomType)]
VersionType = Annotated[UInt16, Scalar("VersionType", wrapped=True)]
"""Version of an object: 0 at first, +1 with each change."""
PollRate = Annotated[UInt32, Default(900)]
"""How often to ask for a resource and all below it, s; 900 where absent."""
