"""DERCapability and DERSettings with the elements of CSIP-AUS. Pure. CSIP-AUS 2.2 (SA TS 5573)."""

from typing import Final, TypeVar

from der_client.desired import modes_able
from der_client.device import Nameplate
from der_client.fixed_point import bits_hex
from der_client.report_ratings import watt_hours
from schemas import DERCapability, DERSettings, Profile, Resource, csip_aus, spec_of

R = TypeVar("R", bound=Resource)

SUPPORTED: Final = {
    "doeModesSupported": csip_aus.DOEControlType,
    "vppModesSupported": csip_aus.VPPControlType,
}
ENABLED: Final = {"doeModesEnabled": csip_aus.DOEControlType, "vppModesEnabled": csip_aus.VPPControlType}
OCTETS: Final = 1


def extended(resource: R, nameplate: Nameplate, schema: Profile, reserve_pct: float) -> R:
    """The resource as a profile has it: with the modes of operating envelopes and power plants, and setMinWh.

    `reserve_pct` is the state of charge that is kept, %. Without extensions it stays as it is.
    """
    plain: type = type(resource)
    cls = schema.resolve(plain)
    if cls is plain or not isinstance(resource, DERCapability | DERSettings):
        return resource
    own = {field.attr for field in spec_of(cls)}
    values: dict[str, object] = {field.attr: getattr(resource, field.attr) for field in spec_of(plain)}
    able = modes_able(nameplate)
    for name, bits in {**SUPPORTED, **ENABLED}.items():
        if name in own:
            values[name] = bits_hex({int(bit) for bit in bits if bit.name in able}, OCTETS)
    if "setMinWh" in own and nameplate.capacity_wh:
        values["setMinWh"] = watt_hours(nameplate.capacity_wh * reserve_pct / 100.0)
    made: R = cls(**values)
    return made
