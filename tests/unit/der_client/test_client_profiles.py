from pathlib import Path

import pytest

from der_client import ClientSettings, ReportSettings, ServerSettings, SettingsError
from der_client.device import Nameplate
from der_client.dns_records import types_for, uri_of
from der_client.member import rules_of
from der_client.profiles import PROFILES, profile_named, version_of
from der_client.report_extensions import extended
from der_client.report_ratings import capability_of, settings_of
from schemas import BASE, DERCapability, Profile, csip_aus
from tests.unit.der_client.plates import PV, STORAGE

V1_3, V1_2 = csip_aus.CSIP_AUS_V1_3, csip_aus.CSIP_AUS_V1_2
NS = "https://csipaus.org/ns"


def settings(
    profile: str,
    report: ReportSettings | None = None,
    *,
    uri: str = "https://server/dcap",
    dns_sd: tuple[str, ...] = (),
) -> ClientSettings:
    path = Path("x.pem")
    server = ServerSettings(uri=uri, dns_sd=dns_sd, certificate=path, key=path, roots=path)
    return ClientSettings(profile=profile, server=server, report=report or ReportSettings())


@pytest.mark.parametrize(
    ("profile", "is_managed", "expected"),
    [
        ("base", True, (7, 7)),
        ("csip", False, (7, 7)),
        ("csip", True, (14, 7)),
        ("csip_aus_v1.2", True, (7, 7)),
    ],
)
def test_the_profile_says_how_an_event_that_lost_is_answered(
    profile: str, is_managed: bool, expected: tuple[int, int]
) -> None:
    """CSIP BASIC-021 to 023, AGG-007 to 009."""
    rules = rules_of(settings(profile), is_managed=is_managed)

    assert (rules.other_program_before_start, rules.other_program_after_start) == expected


def test_codes_that_are_set_win_over_those_of_the_profile() -> None:
    report = ReportSettings(other_program_before_start=7, other_program_after_start=14)
    rules = rules_of(settings("csip", report), is_managed=True)

    assert (rules.other_program_before_start, rules.other_program_after_start) == (7, 14)


def test_a_profile_that_is_not_known_is_a_setting_to_correct() -> None:
    with pytest.raises(SettingsError, match="profile: 'sep1' is none of base, csip"):
        settings("sep1")


def test_a_server_without_uri_needs_interfaces_to_be_looked_for() -> None:
    assert settings("csip", uri="", dns_sd=("192.0.2.1",)).server.dns_sd == ("192.0.2.1",)
    with pytest.raises(SettingsError, match=r"server\.uri"):
        settings("csip", uri="")


def listed(entries: object) -> dict[str, object]:
    return {"supportedSchemaVersions": entries}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (listed({NS: {"dcap": ["/a"]}, f"{NS}/v1.3": {"dcap": ["/b", "/c"]}}), (V1_3, "/b")),
        (listed({NS: {"dcap": ["/a"]}, f"{NS}/v99.99": {"dcap": ["/b"]}}), (V1_2, "/a")),
        (listed({NS: {"dcap": ["/a"]}, f"{NS}/v1.3": {"dcap": []}}), (V1_2, "/a")),
        (listed({f"{NS}/v1.3": {"dcap": [None, 7]}}), None),
        (listed({f"{NS}/v1.3": None}), None),
        (listed({f"{NS}/v99.99": {"dcap": ["/b"]}}), None),
        (listed(["x"]), None),
        ({}, None),
        (None, None),
    ],
)
def test_the_best_version_that_both_have_is_chosen(document: object, expected: object) -> None:
    """CSIP-AUS SDVN-01."""
    assert version_of(document, profile_named("csip_aus").versions) == expected


def test_profiles_have_the_elements_of_their_version() -> None:
    assert PROFILES["csip"].schema is BASE
    assert PROFILES["csip_aus_v1.2"].versions == ()
    assert PROFILES["csip_aus_v1.3"].schema is V1_3


@pytest.mark.parametrize(
    ("plate", "schema", "doe", "vpp"),
    [(PV, V1_2, "05", None), (PV, V1_3, "05", "00"), (STORAGE, V1_3, "0F", "01")],
)
def test_ratings_tell_the_modes_of_operating_envelopes(
    plate: Nameplate, schema: Profile, doe: str, vpp: str | None
) -> None:
    """CSIP-AUS ALL-09, STO-02: bit 0 export, 1 import, 2 generation, 3 load."""
    made = extended(capability_of(plate), plate, schema, 10.0)

    assert isinstance(made, csip_aus.DERCapabilityV12)
    assert made.doeModesSupported == doe
    assert getattr(made, "vppModesSupported", None) == vpp
    assert made.rtgMaxW == capability_of(plate).rtgMaxW


def test_settings_tell_the_energy_that_is_kept() -> None:
    made = extended(settings_of(STORAGE, now=5), STORAGE, V1_3, 10.0)

    assert isinstance(made, csip_aus.DERSettingsV13)
    assert made.setMinWh is not None
    assert made.setMinWh.value * 10**made.setMinWh.multiplier == 1_000
    assert made.updatedTime == 5


def test_without_extensions_ratings_are_the_standards() -> None:
    assert type(extended(capability_of(PV), PV, BASE, 10.0)) is DERCapability


TXT = {b"txtvers": b"1", b"dcap": b"/dcap", b"https": b"8443", b"level": b"-S1"}


@pytest.mark.parametrize(
    ("address", "txt", "expected"),
    [
        ("192.0.2.7", TXT, "https://192.0.2.7:8443/dcap"),
        ("192.0.2.7", {**TXT, b"https": b""}, "https://192.0.2.7/dcap"),
        ("192.0.2.7", {**TXT, b"https": None}, "https://192.0.2.7/dcap"),
        ("2001:db8::7", TXT, "https://[2001:db8::7]:8443/dcap"),
        ("192.0.2.7", {**TXT, b"txtvers": b"2"}, None),
        ("192.0.2.7", {**TXT, b"dcap": b"dcap"}, None),
        ("192.0.2.7", {**TXT, b"https": b"x"}, None),
        ("192.0.2.7", {b"txtvers": b"1", b"dcap": b"/dcap"}, None),
    ],
)
def test_a_record_tells_where_device_capability_is(
    address: str, txt: dict[bytes, bytes | None], expected: str | None
) -> None:
    assert uri_of(address, txt) == expected


def test_servers_where_the_device_is_registered_are_looked_for_first() -> None:
    assert types_for(6_726_121_139) == (
        "_edev-006726121139._sub._smartenergy._tcp.local.",
        "_smartenergy._tcp.local.",
    )
