"""Which DER of an EndDevice a device is, where the settings name it. IEEE 2030.5-2018, 10.10."""

import pytest

from der_client.der_choice import DerChoice, Places, places_of
from schemas import ActivePower, DERCapability

PV = DERCapability(modesSupported="00", rtgMaxW=ActivePower(multiplier=3, value=10), type=4)
STORAGE = DERCapability(modesSupported="00", rtgMaxW=ActivePower(multiplier=0, value=5_000), type=80)
LISTED = (PV, STORAGE, None)


def test_who_names_nothing_stands_in_the_order_of_the_list() -> None:
    assert places_of({"a": None, "b": None}, LISTED) == Places(places=(0, 1))


@pytest.mark.parametrize(
    "choice",
    [
        DerChoice(index=1),
        DerChoice(type=80),
        DerChoice(rated_w=5_049.0),
        DerChoice(index=1, type=80, rated_w=5_000.0),
    ],
)
def test_a_der_is_found_by_what_is_named_and_the_others_follow_in_order(choice: DerChoice) -> None:
    found = places_of({"battery": choice, "roof": None, "other": None}, LISTED)

    assert found == Places(places=(1, 0, 2))


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        (DerChoice(type=81), "device 'a': der.type 81 fits no DER of the server's DERList"),
        (DerChoice(rated_w=5_100.0), "der.rated_w 5100 fits no DER"),
        (DerChoice(index=3), "(0: type 4, 10000 W; 1: type 80, 5000 W; 2: no DERCapability); name another"),
        (DerChoice(index=0, type=80), "der.index 0, der.type 80 fits no DER"),
    ],
)
def test_what_fits_no_der_is_said_with_what_there_is(choice: DerChoice, words: str) -> None:
    found = places_of({"a": choice, "b": None}, LISTED)

    assert found.places == (None, None)
    assert words in found.flaws[0]


def test_what_fits_several_is_not_guessed() -> None:
    found = places_of({"a": DerChoice(type=4)}, (PV, PV))

    assert found.places == (None,)
    assert "der.type 4 fits the DERs 0, 1 of" in found.flaws[0]


def test_two_devices_are_not_one_der() -> None:
    found = places_of({"a": DerChoice(type=80), "b": DerChoice(index=1)}, LISTED)

    assert found.places == (1, None)
    assert "device 'b': der.index 1 is the DER 1, which another device is" in found.flaws[0]


def test_two_of_one_kind_are_told_apart_by_one_that_is_named_by_its_place() -> None:
    found = places_of({"a": DerChoice(index=0), "b": DerChoice(type=4)}, (PV, PV))

    assert found == Places(places=(0, 1))
