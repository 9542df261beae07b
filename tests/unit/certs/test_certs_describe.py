"""Certificates in words, certificates out of bytes, and requests that make none."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from certs.describe import describe, describe_chain
from certs.errors import RequestError, UnreadableError
from certs.findings import Kind
from certs.hardware import HardwareModuleName
from certs.issue import Signer, Template, aggregator_template, device_template, server_template
from certs.oids import DEVICE_GENERIC, HARDWARE_MODULE_NAME
from certs.reading import certificate_of, chain_of

Make = Callable[[Template, Signer | None], x509.Certificate]


def device() -> Template:
    return device_template(
        HardwareModuleName(hwType="1.3.6.1.4.1.32473.1", hwSerialNum=b"A1"), [DEVICE_GENERIC]
    )


def chain_below(make: Make, *signers: Signer) -> list[x509.Certificate]:
    return [make(device(), signers[0]), *(signer.certificate for signer in signers)]


def test_a_description_says_everything_a_person_asks(make: Make, mica: Signer) -> None:
    certificate = make(device(), mica)
    lines = describe(certificate)
    assert lines[0] == "kind        device"
    assert lines[3:] == [
        "subject     (empty)",
        "issuer      CN=MICA,O=Lineside lab PKI",
        "hardware    type 1.3.6.1.4.1.32473.1, serial number 4131 'A1'",
        "hosts       (none)",
        "policy      1.3.6.1.4.1.40732.1.1  device type: generic",
        "not before  2024-05-06 07:08:09 UTC",
        "not after   never",
        "key         EC secp256r1, for digitalSignature + keyAgreement",
        "findings    none",
    ]


def test_findings_close_the_description(make: Make, mica: Signer) -> None:
    garbled = x509.SubjectAlternativeName([x509.OtherName(HARDWARE_MODULE_NAME, b"\x30\x00")])
    lines = describe(make(device().with_extension(garbled, critical=True), mica))
    assert [line for line in lines if line.startswith("hardware")] == [
        "hardware    (cannot be read: HardwareModuleName: no value with tag 0x06 where one is due)"
    ]
    assert lines[-1].startswith("error: san-hardware-module-name: hardwareModuleName cannot be read")


@pytest.mark.parametrize("kind", [Kind.DEVICE, Kind.SERVER, Kind.ROOT])
def test_names_of_strangers_neither_steer_the_terminal_nor_begin_a_line(make: Make, kind: Kind) -> None:
    nasty = "x\x1b[2J\nfindings    none"
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, nasty)])
    host = x509.SubjectAlternativeName([x509.DNSName("a\x1b[31m\nfindings    none")])
    template = replace(device(), subject=name).with_extension(host, critical=False)
    certificate = make(template, None)
    lines = describe(certificate, kind) + describe_chain([certificate, certificate])
    assert [line for line in lines if not line.isprintable()] == []
    assert any(r"\x1b[2J\nfindings    none" in line for line in lines)


def test_a_kind_that_is_given_is_the_one_that_is_checked(make: Make, mica: Signer) -> None:
    lines = describe(make(device(), mica), Kind.SERVER)
    assert lines[0] == "kind        server"
    assert [line.split(": ")[1] for line in lines[-2:]] == ["service-subject-named", "server-host-name"]


def test_a_server_is_described_with_its_hosts(make: Make, mica: Signer) -> None:
    lines = describe(make(server_template("utility", ["der.example.org", "192.0.2.1"]), mica))
    assert "hosts       der.example.org, 192.0.2.1" in lines
    assert "hardware    (none)" in lines


def test_a_chain_is_described_certificate_by_certificate(make: Make, mica: Signer, mca: Signer) -> None:
    chain = chain_below(make, mica, mca)
    lines = describe_chain(chain)
    assert [line for line in lines if not line.startswith("  ")] == [
        "certificate 1 of 3",
        "certificate 2 of 3",
        "certificate 3 of 3",
        "chain: each certificate is signed by the next",
    ]
    assert describe_chain(chain[:1])[-1] == "  findings    none"
    assert describe_chain([chain[0], chain[2]])[-1].startswith("error: issuer-is-signer")


def test_pem_text_holds_a_chain_and_der_one_certificate(make: Make, mica: Signer, mca: Signer) -> None:
    chain = chain_below(make, mica, mca)
    pem = b"text before\n" + b"".join(link.public_bytes(Encoding.PEM) for link in chain)
    assert chain_of(pem) == tuple(chain)
    assert chain_of(chain[0].public_bytes(Encoding.DER)) == (chain[0],)
    assert certificate_of(pem) == chain[0]


@pytest.mark.parametrize(
    "encoded", [b"", b"\x30", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_bytes_without_certificate_are_unreadable(encoded: bytes) -> None:
    with pytest.raises(UnreadableError, match="no certificate that can be read"):
        chain_of(encoded)


def test_a_host_that_is_no_name_and_a_country_that_is_none_are_refused() -> None:
    hardware = HardwareModuleName(hwType="1.3.6.1", hwSerialNum=b"1")
    with pytest.raises(RequestError, match="host: 'gr\xfcn' is no IP address and no DNS name"):
        server_template("utility", ["gr\xfcn"])
    with pytest.raises(RequestError, match="subject: "):
        aggregator_template("agg", "Acme", "Australia", [], hardware)
