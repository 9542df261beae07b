"""CORE-014: settings and ratings that do not fit are told by name."""

from conformance_tests.client.csip.ratings import judged
from schemas import ActivePower, DERCapability, DERSettings, ReactivePower
from schemas.codes import DERControlType, DERType


def power(value: int, multiplier: int = 0) -> ActivePower:
    return ActivePower(multiplier=multiplier, value=value)


def var(value: int) -> ReactivePower:
    return ReactivePower(multiplier=0, value=value)


def bits(*modes: DERControlType) -> str:
    return f"{sum(1 << one for one in modes):08X}"


def wrong(capability: DERCapability, settings: DERSettings) -> list[str]:
    return [one.what for one in judged(capability, settings) if not one.held]


def capability(**given: object) -> DERCapability:
    values: dict[str, object] = {
        "modesSupported": bits(DERControlType.opModMaxLimW),
        "rtgMaxW": power(5, 3),
        "type": DERType.PHOTOVOLTAIC_SYSTEM,
        **given,
    }
    return DERCapability(**values)  # type: ignore[arg-type]  # the values are those of the class


def settings(**given: object) -> DERSettings:
    values: dict[str, object] = {"setGradW": 100, "setMaxW": power(5_000), "updatedTime": 0, **given}
    return DERSettings(**values)  # type: ignore[arg-type]  # the values are those of the class


def test_settings_within_their_ratings_are_right_whatever_the_multiplier() -> None:
    assert wrong(capability(), settings()) == []


def test_a_setting_beyond_its_rating_is_wrong() -> None:
    assert wrong(capability(), settings(setMaxW=power(5_001))) == ["setMaxW <= rtgMaxW"]


def test_reactive_power_that_is_taken_up_is_no_more_than_rated() -> None:
    given = capability(rtgMaxVarNeg=var(-400))
    assert wrong(given, settings(setMaxVarNeg=var(-400))) == []
    assert wrong(given, settings(setMaxVarNeg=var(-401))) == ["setMaxVarNeg >= rtgMaxVarNeg"]


def test_a_mode_of_reactive_power_needs_its_rating_and_setting() -> None:
    given = capability(modesSupported=bits(DERControlType.opModVoltVar))
    assert wrong(given, settings()) == [
        "rtgMaxVar is given, because opModVoltVar is supported",
        "setMaxVar is given, because opModVoltVar is supported",
    ]


def test_storage_says_what_it_charges_and_discharges_with() -> None:
    found = wrong(capability(type=DERType.OTHER_STORAGE_SYSTEM), settings())
    assert "rtgMaxChargeRateW is given, because the DER stores energy" in found
    assert "setMaxDischargeRateW is given, because the DER stores energy" in found


def test_only_supported_modes_are_enabled() -> None:
    enabled = bits(DERControlType.opModMaxLimW, DERControlType.opModFixedW)
    assert wrong(capability(), settings(modesEnabled=enabled)) == ["no mode is enabled that is not supported"]
