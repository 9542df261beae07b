"""The role in a certificate of Modbus/TCP Security."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from certs import ModbusRole, Pki, issue, modbus_role_of, modbus_role_of_peer
from certs.errors import RequestError
from certs.files import read_chain, read_key
from certs.issue import Signer
from certs.modbus import role_extension
from certs.oids import MODBUS_ROLE


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki.create(tmp_path_factory.mktemp("modbus") / "pki", depth=2)


def leaf(pki: Pki, name: str) -> x509.Certificate:
    return read_chain(pki.folder / name / "cert.pem")[0]


class Session:
    """A TLS session whose peer showed these octets."""

    def __init__(self, octets: bytes | None) -> None:
        self.octets = octets

    def getpeercert(self, binary_form: bool, /) -> bytes | None:
        return self.octets


def test_role_is_a_utf8_string_under_its_oid() -> None:
    extension = role_extension(ModbusRole.READ_ONLY)
    assert extension.oid.dotted_string == "1.3.6.1.4.1.50316.802.1"
    assert extension.value == b"\x0c\x0fReadOnlySunSpec"


def test_client_bears_its_role_and_is_for_clients(pki: Pki) -> None:
    pki.issue_modbus("controller", role=ModbusRole.GRID_SERVICE)
    certificate = leaf(pki, "controller")
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert modbus_role_of(certificate) == "GridServiceSunSpec"
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    session = Session(certificate.public_bytes(Encoding.DER))
    assert modbus_role_of_peer(session) == "GridServiceSunSpec"


def test_device_bears_its_hosts_and_no_role(pki: Pki) -> None:
    pki.issue_modbus("inverter", hosts=["inverter.example", "192.0.2.7"])
    certificate = leaf(pki, "inverter")
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["inverter.example"]
    assert modbus_role_of(certificate) is None


@pytest.mark.parametrize("octets", [None, b"no certificate"])
def test_peer_without_a_certificate_that_can_be_read_has_no_role(octets: bytes | None) -> None:
    assert modbus_role_of_peer(Session(octets)) is None


@pytest.mark.parametrize("role", ["", "x" * 128])
def test_role_that_does_not_fit_is_refused(role: str) -> None:
    with pytest.raises(RequestError, match="must have 1 to 127 octets"):
        role_extension(role)


@pytest.mark.parametrize("value", [b"", b"\x0c", b"\x0c\x05Read", b"\x13\x04Read"])
def test_role_in_another_form_is_none(pki: Pki, value: bytes) -> None:
    signer = Signer(
        certificate=read_chain(pki.folder / "ca" / "serca" / "cert.pem")[0],
        key=read_key(pki.folder / "ca" / "serca" / "key.pem"),
    )
    template = issue.modbus_template("odd", (), x509.UnrecognizedExtension(MODBUS_ROLE, value))
    made = issue.sign(
        template,
        signer.key,
        signer,
        not_before=signer.certificate.not_valid_before_utc,
        serial_number=1,
    )
    assert modbus_role_of(made) is None
