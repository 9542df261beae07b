"""Devices through the operator API: enrol, list, show, remove."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtensionOID, NameOID

from certs import Credentials
from schemas import Codec, EndDevice, Registration
from sep2_server import ManualClock
from sep2_server.messages import Answer
from sep2_server.operator import ApiError, OperatorClient
from sep2_server.operator.commands import rows_of
from tests.integration.operator_api.conftest import LiveServer

LFDI = "3E4F45AB31EDFE5B67E343E5E4562E31984E23E5"
NORTH = {"name": "north", "lFDI": LFDI.lower(), "pIN": 111_115}
DeviceRequest = Callable[..., Answer]


def test_a_device_is_enrolled_by_lfdi_and_pin(api: OperatorClient) -> None:
    answer = api.call("POST", ("devices",), NORTH)
    assert answer == {
        "name": "north",
        "role": "device",
        "lFDI": LFDI,
        "sFDI": 167_261_211_391,
        "href": answer["href"],
        "aggregator": None,
        "enabled": True,
        "groups": [],
        "enrolled": 1_700_000_000,
        "created": True,
    }


def test_a_device_is_enrolled_by_its_certificate_and_its_pin_is_shown_once(
    api: OperatorClient, device_credentials: Credentials, device_request: DeviceRequest
) -> None:
    body = {"name": "inverter", "certificate": device_credentials.certificate_path.read_text()}
    first, second = api.call("POST", ("devices",), body), api.call("POST", ("devices",), body)
    assert (first["lFDI"], first["created"], second["created"]) == (device_credentials.lfdi, True, False)
    assert first["findings"] == []
    assert "pIN" not in second
    found = device_request("GET", f"{first['href']}/rg", lfdi=device_credentials.lfdi)
    assert Codec().decode(found.body, Registration).pIN == first["pIN"]


def test_an_enrolled_device_finds_its_end_device(api: OperatorClient, device_request: DeviceRequest) -> None:
    href = api.call("POST", ("devices",), {**NORTH, "postRate": 60, "deviceCategory": "200000"})["href"]
    found = Codec().decode(device_request("GET", str(href)).body, EndDevice)
    assert (found.lFDI, found.postRate, found.deviceCategory) == (LFDI, 60, "200000")


@pytest.mark.parametrize(
    "changes",
    [{"DER": 2}, {"DER": 0}, {"pIN": 123_455}, {"registration": False}, {"deviceCategory": "00000080"}],
)
def test_changed_time_moves_with_what_an_end_device_is_and_links_to(
    api: OperatorClient, device_request: DeviceRequest, clock: ManualClock, changes: dict[str, object]
) -> None:
    href = str(api.call("POST", ("devices",), NORTH)["href"])
    clock.advance(9)
    api.call("PATCH", ("devices", "north"), changes)
    found = Codec().decode(device_request("GET", href).body, EndDevice)
    assert found.changedTime == clock.now()


def test_a_repeated_enrolment_with_another_pin_is_refused(api: OperatorClient) -> None:
    api.call("POST", ("devices",), NORTH)
    with pytest.raises(ApiError, match="pIN: the device is enrolled with another") as caught:
        api.call("POST", ("devices",), {**NORTH, "pIN": 123_455})
    assert caught.value.status == 409


@pytest.mark.parametrize(
    ("change", "status", "detail"),
    [
        ({"pIN": 111_111}, 400, "pIN: the check digit is wrong"),
        ({"certificate": "x"}, 400, "lFDI: give either certificate or lFDI"),
        ({"lFDI": "3E"}, 400, "lFDI: '3E' is not such"),
        ({"DER": 256}, 400, "DER: 256 is outside 0 to 255"),
        ({"aggregator": "nobody"}, 404, "no device is named 'nobody'"),
        ({"deviceCategory": "zz"}, 400, "deviceCategory: 'zz' is not such"),
    ],
)
def test_a_bad_enrolment_is_refused_by_its_field(
    api: OperatorClient, change: dict[str, object], status: int, detail: str
) -> None:
    with pytest.raises(ApiError) as caught:
        api.call("POST", ("devices",), NORTH | change)
    assert (caught.value.status, caught.value.detail) == (status, detail)
    assert caught.value.hint
    assert api.get("devices")["devices"] == []


def test_a_certificate_that_is_none_is_refused(api: OperatorClient) -> None:
    with pytest.raises(ApiError, match=r"^certificate: ") as caught:
        api.call("POST", ("devices",), {"name": "north", "certificate": "no PEM"})
    assert caught.value.status == 400


def test_a_certificate_that_breaks_the_profile_is_enrolled_with_its_findings(
    api: OperatorClient, server_credentials: Credentials
) -> None:
    body = {"name": "north", "certificate": server_credentials.certificate_path.read_text()}
    findings = api.call("POST", ("devices",), body)["findings"]
    assert isinstance(findings, list)
    assert any("hardware" in str(finding).lower() for finding in findings)


def test_a_certificate_with_parts_that_cannot_be_read_is_refused(api: OperatorClient) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "north")])
    garbage = x509.UnrecognizedExtension(ExtensionOID.SUBJECT_ALTERNATIVE_NAME, b"no DER")
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2027, 1, 1, tzinfo=UTC))
        .add_extension(garbage, critical=True)
        .sign(key, hashes.SHA256())
    )
    body = {"name": "north", "certificate": certificate.public_bytes(Encoding.PEM).decode()}
    with pytest.raises(ApiError, match=r"^certificate: ") as caught:
        api.call("POST", ("devices",), body)
    assert (caught.value.status, api.get("devices")["devices"]) == (400, [])


@pytest.fixture
def of_version_7(device_credentials: Credentials) -> str:
    """A certificate whose version no X.509 knows, PEM. RFC 5280, 4.1.2.1."""
    found = x509.load_pem_x509_certificate(device_credentials.certificate_path.read_bytes())
    octets = found.public_bytes(Encoding.DER).replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x06", 1)
    text = base64.encodebytes(octets).decode()
    return f"-----BEGIN CERTIFICATE-----\n{text}-----END CERTIFICATE-----\n"


@pytest.mark.parametrize(
    ("method", "path"), [("POST", ("devices",)), ("PUT", ("devices", "north")), ("POST", ("blocked",))]
)
def test_a_certificate_of_an_unknown_version_is_refused(
    api: OperatorClient, of_version_7: str, method: str, path: tuple[str, ...]
) -> None:
    body = {"certificate": of_version_7} | ({"name": "north"} if path == ("devices",) else {})
    with pytest.raises(ApiError, match=r"^certificate: .*version") as caught:
        api.call(method, path, body)
    assert (caught.value.status, caught.value.hint[:27]) == (400, "give a certificate as PEM t")


def test_a_certificate_of_an_unknown_version_stops_no_other_device(
    api: OperatorClient, of_version_7: str
) -> None:
    items = [{"name": "bad", "certificate": of_version_7}, NORTH]
    told = api.call("POST", ("devices", "bulk"), items, query={"keep_going": "true"})
    assert [problem["item"] for problem in rows_of(told, "problems")] == [1]
    assert [device["name"] for device in rows_of(api.get("devices"), "devices")] == ["north"]


def test_a_name_or_an_lfdi_is_used_once(api: OperatorClient) -> None:
    api.call("POST", ("devices",), NORTH)
    with pytest.raises(ApiError, match="name: another device is named 'north'"):
        api.call("POST", ("devices",), {"name": "north", "lFDI": "AB" * 20})
    with pytest.raises(ApiError, match="lFDI: it is enrolled as 'north'"):
        api.call("POST", ("devices",), {**NORTH, "name": "south"})


OF_ANOTHER = "name: it has the form of an LFDI, and is not that of the device"


@pytest.mark.parametrize("name", [LFDI, LFDI.lower(), "CD" * 20])
def test_the_lfdi_of_another_is_no_name(api: OperatorClient, name: str) -> None:
    """Else what is said to that LFDI would be done to the device with the name."""
    own = "AB" * 20
    api.call("POST", ("devices",), NORTH)
    with pytest.raises(ApiError, match=OF_ANOTHER) as caught:
        api.call("POST", ("devices",), {"name": name, "lFDI": own})
    assert (caught.value.status, caught.value.hint) == (400, f"choose another name, or {own}")
    with pytest.raises(ApiError, match=OF_ANOTHER):
        api.call("PUT", ("devices", name), {"lFDI": own})
    api.call("POST", ("devices",), {"name": "south", "lFDI": own})
    for method, body in (("PATCH", {"name": name}), ("PUT", {"name": name, "lFDI": own})):
        with pytest.raises(ApiError, match=OF_ANOTHER):
            api.call(method, ("devices", "south"), body)
    assert [row["name"] for row in rows_of(api.get("devices"), "devices")] == ["north", "south"]


@pytest.mark.parametrize("name", [LFDI, LFDI.lower()])
def test_a_device_may_be_named_with_its_own_lfdi(api: OperatorClient, name: str) -> None:
    assert api.call("POST", ("devices",), {**NORTH, "name": name})["name"] == name
    assert api.call("PATCH", ("devices", name), {"name": "north"})["changed"] == ["name"]
    assert api.call("PATCH", ("devices", "north"), {"name": name})["changed"] == ["name"]


def test_a_name_of_before_takes_no_call_from_the_device_with_that_lfdi(
    api: OperatorClient, live: LiveServer
) -> None:
    api.call("POST", ("devices",), NORTH)
    api.call("POST", ("devices",), {"name": "south", "lFDI": "AB" * 20})
    store = live.server.store
    south = store.new_reader().client("AB" * 20)
    assert south is not None
    live.run(store.do(lambda tx: tx.put_client(south._replace(name=LFDI))))
    assert api.get("devices", LFDI)["name"] == "north"
    assert api.call("DELETE", ("devices", LFDI))["removed"] == ["north"]
    assert api.get("devices", LFDI)["lFDI"] == "AB" * 20
    assert api.call("PATCH", ("devices", LFDI), {"name": "south"})["changed"] == ["name"]


def test_an_aggregator_speaks_for_devices(api: OperatorClient) -> None:
    api.call("POST", ("devices",), {"name": "acme", "lFDI": "AB" * 20, "role": "aggregator"})
    answer = api.call("POST", ("devices",), {**NORTH, "aggregator": "acme"})
    assert answer["aggregator"] == "acme"
    with pytest.raises(ApiError, match="acme speaks for 1 devices"):
        api.call("DELETE", ("devices", "acme"))


def test_a_device_cannot_speak_for_another(api: OperatorClient) -> None:
    api.call("POST", ("devices",), {"name": "south", "lFDI": "AB" * 20})
    with pytest.raises(ApiError, match="aggregator: south cannot speak for north"):
        api.call("POST", ("devices",), {**NORTH, "aggregator": "south"})


def test_devices_are_listed_by_name_in_pages(api: OperatorClient) -> None:
    for number, name in enumerate(("c", "a", "b")):
        api.call("POST", ("devices",), {"name": name, "lFDI": f"{number:040X}"})
    page = api.get("devices", limit=2)
    assert ([d["name"] for d in rows_of(page, "devices")], page["next"]) == (["a", "b"], "b")
    rest = api.get("devices", limit=2, after="b")
    assert ([d["name"] for d in rows_of(rest, "devices")], rest["next"]) == (["c"], None)


@pytest.mark.parametrize("name", ["north", LFDI, LFDI.lower()])
def test_a_device_is_shown_by_name_or_lfdi(api: OperatorClient, name: str) -> None:
    api.call("POST", ("devices",), NORTH)
    assert api.get("devices", name)["sFDI"] == 167_261_211_391


def test_a_removed_device_is_gone_and_refused(api: OperatorClient, device_request: DeviceRequest) -> None:
    href = api.call("POST", ("devices",), NORTH)["href"]
    assert api.call("DELETE", ("devices", "north")) == {"name": "north", "lFDI": LFDI, "removed": ["north"]}
    assert device_request("GET", str(href)).status in {403, 404}
    with pytest.raises(ApiError, match="no device is named 'north'"):
        api.get("devices", "north")


def test_the_post_rate_is_changed_at_run_time(api: OperatorClient, device_request: DeviceRequest) -> None:
    href = api.call("POST", ("devices",), NORTH)["href"]
    api.call("PUT", ("devices", "north", "rates"), {"postRate": 5})
    assert Codec().decode(device_request("GET", str(href)).body, EndDevice).postRate == 5
