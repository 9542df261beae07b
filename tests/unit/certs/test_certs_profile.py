"""Certificate profile: every rule of the table is kept by our own certificates and seen when broken."""

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from certs import oids
from certs.findings import Kind, Severity
from certs.hardware import HardwareModuleName
from certs.issue import (
    Signer,
    Template,
    aggregator_template,
    ca_template,
    device_template,
    self_signed_template,
    server_template,
    sign,
)
from certs.profile import check, kind_of
from certs.reading import certificate_of
from certs.rules import RULES

Make = Callable[[Template, Signer | None], x509.Certificate]

HARDWARE = HardwareModuleName(hwType="1.3.6.1.4.1.32473.1", hwSerialNum=b"1")
KEY = ec.generate_private_key(ec.SECP256R1())
FINITE = datetime(2030, 1, 1, tzinfo=UTC)
NAMED = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "someone")])
UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.32473.9.9"), b"\x05\x00")
MAPPINGS = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.33"), b"\x30\x00")
CONSTRAINTS = x509.NameConstraints([x509.DNSName("example.org")], None)
RESPONDER = x509.AuthorityInformationAccess(
    [
        x509.AccessDescription(
            AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier("http://example.org")
        )
    ]
)
OTHER_NAME = x509.OtherName(oids.HARDWARE_MODULE_NAME, HARDWARE.to_der())
GARBLED_NAME = x509.OtherName(oids.HARDWARE_MODULE_NAME, b"\x30\x00")
SERVER_AUTH = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
CLIENT_AUTH = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
QUALIFIED = x509.CertificatePolicies(
    [x509.PolicyInformation(oids.DEVICE_GENERIC, ["http://example.org/cps"])]
)


def device() -> Template:
    return device_template(HARDWARE, [oids.DEVICE_GENERIC])


def server() -> Template:
    return server_template("utility", ["der.example.org", "2001:db8::1"])


def aggregator() -> Template:
    return aggregator_template("agg", "Acme", "AU", ["agg.example.org"], HARDWARE)


def ca(path_length: int | None) -> Template:
    return ca_template("CA", KEY, path_length=path_length)


def key_usage(**bits: bool) -> x509.KeyUsage:
    words = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{word: bits.get(word, False) for word in words})


def without(template: Template, kind: type[x509.ExtensionType]) -> Template:
    kept = tuple(pair for pair in template.extensions if pair[0].oid != kind.oid)
    return dataclasses.replace(template, extensions=kept)


def policies(*wanted: x509.ObjectIdentifier) -> x509.CertificatePolicies:
    return x509.CertificatePolicies([x509.PolicyInformation(policy, None) for policy in wanted])


def names(*wanted: x509.GeneralName) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName(wanted)


def rules_broken(certificate: x509.Certificate, kind: Kind) -> list[str]:
    return [finding.rule for finding in check(certificate, kind)]


def test_a_real_device_and_its_root_break_no_rule(vectors: Path) -> None:
    leaf = certificate_of((vectors / "certs" / "epri_pti_dev.x509.der").read_bytes())
    root = certificate_of((vectors / "certs" / "epri_csep_root.pem").read_bytes())
    assert check(leaf, Kind.DEVICE) == []
    assert check(root, Kind.ROOT) == []
    assert (kind_of(leaf), kind_of(root)) == (Kind.DEVICE, Kind.ROOT)


def test_a_real_device_is_no_server_no_aggregator_and_no_ca(vectors: Path) -> None:
    leaf = certificate_of((vectors / "certs" / "epri_pti_dev.x509.der").read_bytes())
    assert rules_broken(leaf, Kind.SERVER) == ["service-subject-named", "server-host-name"]
    assert rules_broken(leaf, Kind.AGGREGATOR) == [
        "service-subject-named",
        "aggregator-san-not-critical",
        "aggregator-host-name",
        "aggregator-policy",
    ]
    assert rules_broken(leaf, Kind.MICA) == [
        "subject-named",
        "subject-key-identifier",
        "ca-key-usage",
        "ca-true",
        "mica-path-length",
        "ca-any-policy",
        "no-critical-extension",
    ]


def test_a_real_root_is_no_device(vectors: Path) -> None:
    root = certificate_of((vectors / "certs" / "epri_csep_root.pem").read_bytes())
    assert rules_broken(root, Kind.DEVICE) == [
        "device-subject-empty",
        "issued-by-ca",
        "san-present",
        "san-hardware-module-name",
        "authority-key-identifier",
        "device-key-usage",
        "leaf-not-ca",
        "device-type-policy",
    ]


def test_our_own_cas_break_no_rule_and_are_known_by_their_looks(
    serca: Signer, mca: Signer, mica: Signer
) -> None:
    certificates = [signer.certificate for signer in (serca, mca, mica)]
    assert [kind_of(certificate) for certificate in certificates] == [Kind.ROOT, Kind.MCA, Kind.MICA]
    assert [check(certificate, kind_of(certificate)) for certificate in certificates] == [[], [], []]


@pytest.mark.parametrize(
    ("template", "kind"),
    [(device(), Kind.DEVICE), (server(), Kind.SERVER), (aggregator(), Kind.AGGREGATOR)],
    ids=["device", "server", "aggregator"],
)
def test_our_own_leaves_break_no_rule_and_are_known_by_their_looks(
    make: Make, mica: Signer, template: Template, kind: Kind
) -> None:
    certificate = make(template, mica)
    assert kind_of(certificate) is kind
    assert check(certificate, kind) == []


def test_our_own_self_signed_client_breaks_no_rule_of_its_kind(make: Make) -> None:
    certificate = make(self_signed_template("home"), None)
    assert kind_of(certificate) is Kind.SELF_SIGNED_DEVICE
    assert check(certificate, Kind.SELF_SIGNED_DEVICE) == []


EMPTY_SUBJECT = dataclasses.replace(server(), subject=x509.Name([]))
DEVICES = [
    (dataclasses.replace(device(), not_after=FINITE), ["no-expiry"]),
    (dataclasses.replace(device(), subject=NAMED), ["device-subject-empty"]),
    (without(device(), x509.SubjectAlternativeName), ["san-present", "san-hardware-module-name"]),
    (device().with_extension(names(OTHER_NAME), critical=False), ["san-critical"]),
    (device().with_extension(names(x509.DNSName("a")), critical=True), ["san-hardware-module-name"]),
    (device().with_extension(names(OTHER_NAME, OTHER_NAME), critical=True), ["san-hardware-module-name"]),
    (device().with_extension(names(GARBLED_NAME), critical=True), ["san-hardware-module-name"]),
    (
        device().with_extension(x509.SubjectKeyIdentifier(b"12345678"), critical=True),
        ["subject-key-identifier-not-critical"],
    ),
    (
        device().with_extension(key_usage(digital_signature=True, key_agreement=True), critical=False),
        ["key-usage-critical"],
    ),
    (device().with_extension(key_usage(digital_signature=True), critical=True), ["device-key-usage"]),
    (without(device(), x509.KeyUsage), ["device-key-usage"]),
    (
        device().with_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True),
        ["leaf-not-ca"],
    ),
    (
        device().with_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True),
        ["device-constraints-absent"],
    ),
    (device().with_extension(policies(oids.DEVICE_GENERIC), critical=False), ["policies-critical"]),
    (device().with_extension(QUALIFIED, critical=True), ["policies-without-qualifiers"]),
    (device().with_extension(policies(oids.TEST_CERTIFICATE), critical=True), ["device-type-policy"]),
    (without(device(), x509.CertificatePolicies), ["device-type-policy"]),
    (device().with_extension(CONSTRAINTS, critical=False), ["no-name-constraints"]),
    (device().with_extension(MAPPINGS, critical=False), ["no-policy-mappings"]),
    (device().with_extension(RESPONDER, critical=False), ["no-revocation"]),
    (device().with_extension(RESPONDER, critical=True), ["no-revocation", "no-critical-extension"]),
    (device().with_extension(UNKNOWN, critical=True), ["no-critical-extension"]),
    (device().with_extension(UNKNOWN, critical=False), ["no-other-extension"]),
    (device().with_extension(CLIENT_AUTH, critical=False), ["no-other-extension"]),
]


@pytest.mark.parametrize(("template", "broken"), DEVICES)
def test_a_device_certificate_that_breaks_a_rule_is_found(
    make: Make, mica: Signer, template: Template, broken: list[str]
) -> None:
    assert rules_broken(make(template, mica), Kind.DEVICE) == broken


SERVICES = [
    (EMPTY_SUBJECT, Kind.SERVER, ["service-subject-named"]),
    (without(server(), x509.SubjectAlternativeName), Kind.SERVER, ["san-present", "server-host-name"]),
    (server().with_extension(names(x509.DNSName("a")), critical=False), Kind.SERVER, ["server-san-critical"]),
    (server().with_extension(key_usage(key_agreement=True), critical=True), Kind.SERVER, ["leaf-key-usage"]),
    (
        server().with_extension(key_usage(digital_signature=True, key_cert_sign=True), critical=True),
        Kind.SERVER,
        ["leaf-key-usage"],
    ),
    (server().with_extension(CLIENT_AUTH, critical=False), Kind.SERVER, ["server-purpose"]),
    (server().with_extension(SERVER_AUTH, critical=False), Kind.SERVER, []),
    (aggregator().with_extension(SERVER_AUTH, critical=False), Kind.AGGREGATOR, ["aggregator-purpose"]),
    (
        aggregator().with_extension(names(OTHER_NAME), critical=False),
        Kind.AGGREGATOR,
        ["aggregator-host-name"],
    ),
    (
        aggregator().with_extension(names(x509.DNSName("a")), critical=True),
        Kind.AGGREGATOR,
        ["aggregator-san-not-critical", "aggregator-hardware-module-name"],
    ),
    (
        aggregator().with_extension(policies(oids.DEVICE_GENERIC), critical=False),
        Kind.AGGREGATOR,
        ["aggregator-policy"],
    ),
    (server().with_extension(RESPONDER, critical=False), Kind.SERVER, ["no-other-extension"]),
]


@pytest.mark.parametrize(("template", "kind", "broken"), SERVICES)
def test_a_service_certificate_that_breaks_a_rule_is_found(
    make: Make, mica: Signer, template: Template, kind: Kind, broken: list[str]
) -> None:
    assert rules_broken(make(template, mica), kind) == broken


CAS = [
    (dataclasses.replace(ca(0), not_after=FINITE), ["no-expiry"]),
    (dataclasses.replace(ca(0), subject=x509.Name([])), ["subject-named"]),
    (without(ca(0), x509.SubjectKeyIdentifier), ["subject-key-identifier"]),
    (ca(0).with_extension(x509.SubjectKeyIdentifier(b"A" * 20), critical=False), ["subject-key-identifier"]),
    (ca(0).with_extension(key_usage(key_cert_sign=True), critical=True), ["ca-key-usage"]),
    (without(ca(0), x509.BasicConstraints), ["ca-true", "mica-path-length"]),
    (
        ca(0).with_extension(x509.BasicConstraints(ca=True, path_length=0), critical=False),
        ["ca-constraints-critical"],
    ),
    (ca(None), ["mica-path-length"]),
    (ca(0).with_extension(policies(oids.DEVICE_GENERIC), critical=True), ["ca-any-policy"]),
    (ca(0).with_extension(CONSTRAINTS, critical=True), ["no-name-constraints"]),
    (ca(0).with_extension(MAPPINGS, critical=True), ["no-policy-mappings"]),
    (ca(0).with_extension(CLIENT_AUTH, critical=True), ["no-critical-extension"]),
    (ca(0).with_extension(CLIENT_AUTH, critical=False), ["no-other-extension"]),
]


@pytest.mark.parametrize(("template", "broken"), CAS)
def test_a_mica_that_breaks_a_rule_is_found(serca: Signer, template: Template, broken: list[str]) -> None:
    certificate = sign(template, KEY, serca, not_before=datetime(2024, 1, 1, tzinfo=UTC), serial_number=1)
    assert rules_broken(certificate, Kind.MICA) == broken


def test_an_mca_needs_room_for_a_mica_below_it(serca: Signer) -> None:
    certificate = sign(ca(0), KEY, serca, not_before=datetime(2024, 1, 1, tzinfo=UTC), serial_number=1)
    assert rules_broken(certificate, Kind.MCA) == ["mca-path-length"]


def test_a_root_is_signed_with_its_own_key(mca: Signer) -> None:
    assert rules_broken(mca.certificate, Kind.ROOT) == ["own-signature"]


def test_a_self_signed_client_says_so_in_its_policies(make: Make) -> None:
    template = self_signed_template("home").with_extension(policies(oids.DEVICE_GENERIC), critical=True)
    assert rules_broken(make(template, None), Kind.SELF_SIGNED_DEVICE) == ["self-signed-policy"]


def test_a_self_signed_device_is_refused_as_device(make: Make) -> None:
    found = check(make(device(), None), Kind.DEVICE)
    assert [finding.rule for finding in found] == ["issuer-named", "issued-by-ca", "authority-key-identifier"]


def test_key_and_signature_must_be_the_mandatory_ones(serca: Signer) -> None:
    key = ec.generate_private_key(ec.SECP384R1())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(serca.certificate.subject)
        .issuer_name(serca.certificate.subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2024, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2025, 1, 1, tzinfo=UTC))
        .add_extension(x509.AuthorityKeyIdentifier(b"1", None, None), critical=True)
        .sign(key, hashes.SHA384())
    )
    assert [str(finding) for finding in check(certificate, Kind.SELF_SIGNED_DEVICE)][:3] == [
        "error: key-p256: key is EC secp384r1; wanted: a key on the curve P-256 [IEEE 2030.5-2018, 6.11]",
        "error: signature-ecdsa-sha256: signature algorithm is 1.2.840.10045.4.3.3; "
        "wanted: ecdsa-with-SHA256 (1.2.840.10045.4.3.2) [IEEE 2030.5-2018, 6.11]",
        "error: authority-key-identifier-not-critical: AuthorityKeyIdentifier is critical; "
        "wanted: one that is not critical [IEEE 2030.5-2018, 6.11]",
    ]


def spliced(encoded: bytes, start: int, end: int, octets: bytes) -> bytes:
    """DER of a certificate with octets of its first part replaced and the two outer lengths put right."""
    grown = len(octets) - (end - start)
    outer, inner = (int.from_bytes(encoded[at : at + 2], "big") + grown for at in (2, 6))
    head = encoded[:2] + outer.to_bytes(2, "big") + encoded[4:6] + inner.to_bytes(2, "big")
    return head + encoded[8:start] + octets + encoded[end:]


def test_reversed_dates_are_found(vectors: Path) -> None:
    encoded = (vectors / "certs" / "epri_pti_dev.x509.der").read_bytes()
    reversed_dates = encoded.replace(b"130806160638Z", b"490806160638Z").replace(b"99991231", b"20481231")
    assert rules_broken(certificate_of(reversed_dates), Kind.DEVICE) == ["no-expiry", "validity-order"]


def test_version_1_is_found(vectors: Path) -> None:
    encoded = (vectors / "certs" / "epri_pti_dev.x509.der").read_bytes()
    assert rules_broken(certificate_of(spliced(encoded, 8, 13, b"")), Kind.DEVICE) == ["version-3"]


@pytest.mark.parametrize(("octets", "broken"), [(20, []), (21, ["serial-number"])])
def test_a_serial_number_has_at_most_twenty_octets(vectors: Path, octets: int, broken: list[str]) -> None:
    encoded = (vectors / "certs" / "epri_pti_dev.x509.der").read_bytes()
    number = b"\x02" + bytes([octets]) + b"\x7f" * octets
    assert rules_broken(certificate_of(spliced(encoded, 13, 20, number)), Kind.DEVICE) == broken


def test_every_rule_has_a_clause_and_says_what_is_wanted() -> None:
    assert [
        rule.id for rule in RULES if not rule.clause.startswith(("IEEE 2030.5-2018, 6.11", "RFC 5280, 4."))
    ] == []
    assert {rule.severity for rule in RULES} == {Severity.ERROR, Severity.WARNING}
