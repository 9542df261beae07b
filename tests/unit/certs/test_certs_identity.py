"""LFDI, SFDI and PIN: the rules of IEEE 2030.5-2018, 6.3."""

import json
from pathlib import Path

import pytest

from certs import errors, identity
from certs.identity import LFDI

LFDI_OF_THE_STANDARD = LFDI("3E4F45AB31EDFE5B67E343E5E4562E31984E23E5")


def test_the_standards_example_gives_its_sfdi_6_3_3() -> None:
    assert identity.sfdi_of(LFDI_OF_THE_STANDARD) == 167261211391


def test_every_reference_lfdi_gives_its_sfdi(vectors: Path) -> None:
    pairs = json.loads((vectors / "lfdi_sfdi_pin.json").read_text())["certificates_and_pairs"]
    assert [str(identity.sfdi_of(identity.parse_lfdi(pair["lfdi"]))) for pair in pairs] == [
        pair["sfdi"] for pair in pairs
    ]
    assert [identity.sfdi_dnssd(int(pair["sfdi"])) for pair in pairs] == [
        pair["sfdi_dnssd_12"] for pair in pairs
    ]


def test_the_reference_sfdi_is_its_36_bits_and_a_check_digit(vectors: Path) -> None:
    pairs = json.loads((vectors / "lfdi_sfdi_pin.json").read_text())["certificates_and_pairs"]
    assert [int(pair["sfdi_hex36"], 16) for pair in pairs] == [int(pair["sfdi"]) // 10 for pair in pairs]
    assert [identity.check_digit(int(pair["sfdi_without_check"])) for pair in pairs] == [
        int(pair["sfdi"]) % 10 for pair in pairs
    ]


def test_the_lfdi_is_the_start_of_the_reference_fingerprint(vectors: Path) -> None:
    pairs = json.loads((vectors / "lfdi_sfdi_pin.json").read_text())["certificates_and_pairs"]
    with_fingerprint = [pair for pair in pairs if "certificate_sha256" in pair]
    assert [pair["certificate_sha256"][:40] for pair in with_fingerprint] == [
        p["lfdi"] for p in with_fingerprint
    ]


def test_synthetic_tops_give_their_sfdi(vectors: Path) -> None:
    tops = json.loads((vectors / "lfdi_sfdi_pin.json").read_text())["synthetic_sfdi_tops"]
    lfdis = [identity.parse_lfdi(top["sfdi_hex36"].ljust(40, "0")) for top in tops]
    assert [str(identity.sfdi_of(lfdi)) for lfdi in lfdis] == [top["sfdi"] for top in tops]
    assert [identity.sfdi_dnssd(identity.sfdi_of(lfdi)) for lfdi in lfdis] == [
        top["sfdi_dnssd_12"] for top in tops
    ]
    assert all(identity.is_valid_sfdi(int(top["sfdi"])) for top in tops)


def test_reference_pins_carry_their_check_digit(vectors: Path) -> None:
    pins = json.loads((vectors / "lfdi_sfdi_pin.json").read_text())["pins"]
    assert [f"{identity.pin_with_check(pin['pin5']):06d}" for pin in pins] == [
        pin["pin_displayed"] for pin in pins
    ]
    assert all(identity.is_valid_pin(int(pin["pin_displayed"])) for pin in pins)


def test_reference_numbers_with_a_wrong_check_digit_are_refused(vectors: Path) -> None:
    negative = json.loads((vectors / "lfdi_sfdi_pin.json").read_text())["negative"]
    assert not any(identity.is_valid_sfdi(int(sfdi)) for sfdi in negative["sfdi_bad_check"])
    assert not any(identity.is_valid_pin(int(pin)) for pin in negative["pin_bad_check"])


def test_the_largest_sfdi_is_within_the_schema_limit(vectors: Path) -> None:
    limits = json.loads((vectors / "lfdi_sfdi_pin.json").read_text())["limits"]
    largest = identity.sfdi_of(identity.parse_lfdi("F" * 40))
    assert str(largest) == limits["max_top_FFFFFFFFF_sfdi"]
    assert largest <= limits["SFDIType_max"]


def test_an_aggregators_device_lfdi_has_a_check_digit_too(vectors: Path) -> None:
    example = json.loads((vectors / "lfdi_sfdi_pin.json").read_text())["csip_aus"]["example_lfdi_pen_0"]
    assert identity.sfdi_of(identity.parse_lfdi(example)) == 167261211391


def test_a_real_device_certificate_gives_its_lfdi(vectors: Path) -> None:
    encoded = (vectors / "certs" / "epri_pti_dev.x509.der").read_bytes()
    assert identity.lfdi_of(encoded) == "0671C144D27DC9E612AFE7DC6C79EC089ED3DCC5"


def test_lower_case_is_read_and_upper_case_written() -> None:
    assert identity.parse_lfdi(LFDI_OF_THE_STANDARD.lower()) == LFDI_OF_THE_STANDARD


@pytest.mark.parametrize(
    "text",
    [
        "",
        "3E4F45AB",
        LFDI_OF_THE_STANDARD + "0",
        LFDI_OF_THE_STANDARD + "\n",
        " " + LFDI_OF_THE_STANDARD[1:],
        "G" + LFDI_OF_THE_STANDARD[1:],
        "\u0663" + LFDI_OF_THE_STANDARD[1:],
        "0x" + LFDI_OF_THE_STANDARD[2:],
        "3E4F-45AB-31ED-FE5B-67E3-43E5-E456-2E31-984E-23E5",
        "356103146011471",
    ],
)
def test_text_that_is_not_forty_hex_digits_is_no_lfdi(text: str) -> None:
    with pytest.raises(errors.IdentifierError, match="is not 40 hexadecimal digits"):
        identity.parse_lfdi(text)


def test_bytes_that_are_no_certificate_have_no_lfdi() -> None:
    with pytest.raises(errors.UnreadableError, match="no certificate that can be read"):
        identity.lfdi_of(b"not a certificate")


def test_lfdi_is_displayed_in_groups_of_four() -> None:
    assert identity.display_lfdi(LFDI_OF_THE_STANDARD) == "3E4F-45AB-31ED-FE5B-67E3-43E5-E456-2E31-984E-23E5"


def test_sfdi_is_displayed_in_groups_of_three_with_its_leading_zeros() -> None:
    assert identity.display_sfdi(167261211391) == "167-261-211-391"
    assert identity.display_sfdi(17298934539) == "017-298-934-539"


@pytest.mark.parametrize("sfdi", [-1, -10, 1, 16726121139, 687194767359, 687194767360, 6871947673604])
def test_a_number_that_is_no_sfdi_is_not_displayed(sfdi: int) -> None:
    assert not identity.is_valid_sfdi(sfdi)
    with pytest.raises(errors.IdentifierError, match="is not 36 bits and a digit"):
        identity.display_sfdi(sfdi)


def test_a_negative_number_has_no_check_digit() -> None:
    with pytest.raises(errors.IdentifierError, match="check digit: -1 is negative"):
        identity.check_digit(-1)


@pytest.mark.parametrize(
    "code", ["1234", "123456", "", "12a45", " 1234", "\u0661\u0661\u0661\u0661\u0661", "+1234"]
)
def test_a_code_that_is_not_five_digits_makes_no_pin_and_is_not_repeated(code: str) -> None:
    with pytest.raises(errors.IdentifierError) as refused:
        identity.pin_with_check(code)
    assert str(refused.value) == "PIN: the code is not five decimal digits"


@pytest.mark.parametrize("code", [-1, 100_000])
def test_a_number_outside_five_digits_makes_no_pin(code: int) -> None:
    with pytest.raises(errors.IdentifierError, match="outside 00000 to 99999"):
        identity.pin_with_check(code)


@pytest.mark.parametrize("pin", [-1, -5, 1_000_000, 1_111_114])
def test_a_number_outside_six_digits_is_no_pin(pin: int) -> None:
    assert not identity.is_valid_pin(pin)


def test_a_new_pin_is_the_drawn_code_with_its_check_digit() -> None:
    drawn: list[int] = []

    def draw_below(limit: int) -> int:
        drawn.append(limit)
        return 12345

    assert identity.make_pin(draw_below) == 123455
    assert drawn == [100_000]
