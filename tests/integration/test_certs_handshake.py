"""Mutual TLS between our own two sides: what OpenSSL lets through, what it stops, what we refuse then."""

import dataclasses
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from certs import (
    KnownIssuers,
    client_context,
    peer_identity,
    refuse_reason,
    server_context,
)
from certs.errors import NotThereError, RequestError, UnreadableError
from certs.hardware import HardwareModuleName
from certs.issue import (
    PrivateKey,
    Signer,
    Template,
    ca_template,
    device_template,
    self_signed_template,
    server_template,
    sign,
)
from certs.oids import DEVICE_GENERIC

CCM8 = "ECDHE-ECDSA-AES128-CCM8"
GCM = "ECDHE-ECDSA-AES128-GCM-SHA256"
NOT_BEFORE = datetime(2020, 1, 1, tzinfo=UTC)
PAST = datetime(2021, 1, 1, tzinfo=UTC)
CLIENT_AUTH = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.32473.9.9"), b"\x05\x00")
NAME_CONSTRAINTS = x509.NameConstraints([x509.DNSName("example.org")], None)
POLICY_MAPPINGS = x509.UnrecognizedExtension(
    x509.ObjectIdentifier("2.5.29.33"),
    bytes.fromhex("301a3018060a2b0601040182be1c0101060a2b0601040182be1c0102"),
)

Change = Callable[[Template], Template]


def unchanged(template: Template) -> Template:
    return template


def adding(value: x509.ExtensionType, *, critical: bool) -> Change:
    return lambda template: template.with_extension(value, critical=critical)


def expired(template: Template) -> Template:
    return dataclasses.replace(template, not_after=PAST)


class Lab:
    """Root and MICA of one test, whose certificates may break a rule each, and the files of the peers."""

    def __init__(self, folder: Path, mica: Change = unchanged) -> None:
        self.folder = folder
        root_key, mica_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        root = self.sign(ca_template("SERCA", root_key, path_length=None), root_key, None)
        self.root = Signer(certificate=root, key=root_key)
        mica_certificate = self.sign(mica(ca_template("MICA", mica_key, path_length=0)), mica_key, self.root)
        self.mica = Signer(certificate=mica_certificate, key=mica_key)
        self.root_path = self.write("root.pem", root)

    @staticmethod
    def sign(template: Template, key: PrivateKey, signer: Signer | None) -> x509.Certificate:
        number = x509.random_serial_number()
        return sign(template, key, signer, not_before=NOT_BEFORE, serial_number=number)

    def write(self, name: str, *chain: x509.Certificate) -> Path:
        path = self.folder / name
        path.write_bytes(b"".join(certificate.public_bytes(Encoding.PEM) for certificate in chain))
        return path

    def peer(self, name: str, template: Template, key: PrivateKey | None = None) -> tuple[Path, Path]:
        key = key or ec.generate_private_key(ec.SECP256R1())
        path = self.write(f"{name}.pem", self.sign(template, key, self.mica), self.mica.certificate)
        return path, self.write_key(name, key)

    def self_signed(self, name: str) -> tuple[Path, Path]:
        key = ec.generate_private_key(ec.SECP256R1())
        return self.write(f"{name}.pem", self.sign(self_signed_template(name), key, None)), self.write_key(
            name, key
        )

    def write_key(self, name: str, key: PrivateKey) -> Path:
        path = self.folder / f"{name}.key"
        path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return path

    def server(self, *, strict: bool = False, client_certificate_required: bool = True) -> ssl.SSLContext:
        pair = self.peer("server", server_template("utility", ["127.0.0.1"]))
        return server_context(
            *pair, self.root_path, strict=strict, client_certificate_required=client_certificate_required
        )

    def client(self, template: Template | None = None, key: PrivateKey | None = None) -> ssl.SSLContext:
        return client_context(*self.peer("client", template or device(), key), self.root_path)


def device() -> Template:
    return device_template(
        HardwareModuleName(hwType="1.3.6.1.4.1.32473.1", hwSerialNum=b"1"), [DEVICE_GENERIC]
    )


def in_memory(
    server: ssl.SSLContext, client: ssl.SSLContext, session: ssl.SSLSession | None = None
) -> tuple[ssl.SSLObject, ssl.SSLObject]:
    """Both ends of a finished handshake without a socket; raises what the end that stops it says."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    at_client = client.wrap_bio(to_client, to_server, session=session)
    at_server = server.wrap_bio(to_server, to_client, server_side=True)
    for end in (at_client, at_server, at_client, at_server, at_client):
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            continue
    return at_server, at_client


def test_a_strict_server_shares_no_suite_with_a_client_of_the_further_one(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    client = lab.client()
    client.set_ciphers(GCM)
    with pytest.raises(ssl.SSLError, match="no shared cipher"):
        in_memory(lab.server(strict=True), client)


def test_both_contexts_offer_the_two_suites_in_order_and_tls_1_2_alone(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    server, client, strict = lab.server(), lab.client(), lab.server(strict=True)
    assert tls_1_2_suites(server) == [CCM8, GCM]
    assert tls_1_2_suites(client) == [CCM8, GCM]
    assert tls_1_2_suites(strict) == [CCM8]
    assert server.minimum_version is server.maximum_version is ssl.TLSVersion.TLSv1_2
    assert client.minimum_version is client.maximum_version is ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize(
    ("leaf", "mica", "says"),
    [
        (adding(UNKNOWN, critical=True), unchanged, "unhandled critical extension"),
        (unchanged, adding(UNKNOWN, critical=True), "unhandled critical extension"),
        (expired, unchanged, "certificate has expired"),
        (unchanged, expired, "certificate has expired"),
        (
            adding(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]), critical=False),
            unchanged,
            "purpose",
        ),
    ],
    ids=["unknown critical", "unknown critical in MICA", "expired", "expired MICA", "other purpose"],
)
def test_openssl_stops_a_client_in_the_handshake(
    tmp_path: Path, leaf: Change, mica: Change, says: str
) -> None:
    bad, good = Lab(tmp_path, mica=mica), Lab(make_folder(tmp_path, "good"))
    server = server_context(*good.peer("server", server_template("utility", ["::1"])), bad.root_path)
    client = client_context(*bad.peer("client", leaf(device())), good.root_path)
    with pytest.raises(ssl.SSLCertVerificationError, match=says):
        in_memory(server, client)


def test_a_client_of_another_root_is_stopped(tmp_path: Path) -> None:
    lab, other = Lab(tmp_path), Lab(make_folder(tmp_path, "other"))
    client = client_context(*other.peer("client", device()), lab.root_path)
    with pytest.raises(ssl.SSLCertVerificationError, match="unable to get local issuer certificate"):
        in_memory(lab.server(), client)


def test_a_server_of_another_root_is_left_by_the_client(tmp_path: Path) -> None:
    lab, other = Lab(tmp_path), Lab(make_folder(tmp_path, "other"))
    with pytest.raises(ssl.SSLCertVerificationError, match="unable to get local issuer certificate"):
        in_memory(other.server(), lab.client())


def test_a_client_without_certificate_is_stopped_where_one_is_required(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    with pytest.raises(ssl.SSLError, match="peer did not return a certificate"):
        in_memory(lab.server(), bare_client(lab))


def test_a_client_without_certificate_has_no_identity_where_none_is_required(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    at_server, _ = in_memory(lab.server(client_certificate_required=False), bare_client(lab))
    assert peer_identity(at_server) is None
    assert refuse_reason(at_server, KnownIssuers.from_files(lab.root_path)) is None


def test_a_client_key_on_another_curve_is_stopped(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    with pytest.raises(ssl.SSLError, match="wrong curve"):
        in_memory(lab.server(), lab.client(key=ec.generate_private_key(ec.SECP384R1())))


@pytest.mark.parametrize(
    "key",
    [ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(65537, 2048)],
    ids=["P-384", "RSA"],
)
def test_a_server_key_other_than_p256_shares_no_suite(tmp_path: Path, key: PrivateKey) -> None:
    lab = Lab(tmp_path)
    pair = lab.peer("server", server_template("utility", ["::1"]), key)
    with pytest.raises(ssl.SSLError, match="no shared cipher"):
        in_memory(server_context(*pair, lab.root_path), lab.client())


def test_an_rsa_client_passes_openssl_and_is_refused_after_the_handshake(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    at_server, _ = in_memory(lab.server(), lab.client(key=rsa.generate_private_key(65537, 2048)))
    reason = refuse_reason(at_server, KnownIssuers.from_files(lab.root_path))
    assert reason is not None
    assert (reason.rule, reason.clause) == ("key-p256", "IEEE 2030.5-2018, 6.11")


BAD_MICAS = [
    pytest.param(adding(CLIENT_AUTH, critical=True), "mica-extended-key-usage", "D", id="COMM-004 D"),
    pytest.param(adding(NAME_CONSTRAINTS, critical=False), "no-name-constraints", "E", id="COMM-004 E"),
    pytest.param(
        adding(NAME_CONSTRAINTS, critical=True), "no-name-constraints", "E", id="critical constraints"
    ),
    pytest.param(adding(POLICY_MAPPINGS, critical=False), "no-policy-mappings", "F", id="COMM-004 F"),
    pytest.param(adding(POLICY_MAPPINGS, critical=True), "no-policy-mappings", "F", id="critical mappings"),
]


@pytest.mark.parametrize(("mica", "rule", "letter"), BAD_MICAS)
def test_a_client_below_a_forbidden_mica_is_refused_after_the_handshake(
    tmp_path: Path, mica: Change, rule: str, letter: str
) -> None:
    bad, good = Lab(tmp_path, mica=mica), Lab(make_folder(tmp_path, "good"))
    server = server_context(*good.peer("server", server_template("utility", ["::1"])), bad.root_path)
    at_server, _ = in_memory(server, client_context(*bad.peer("client", device()), good.root_path))
    reason = refuse_reason(at_server, KnownIssuers.from_files(bad.root_path))
    assert reason is not None
    assert (reason.rule, reason.clause) == (rule, f"CSIP Conformance Test Procedures v1.3, COMM-004 {letter}")


@pytest.mark.parametrize(("mica", "rule", "letter"), BAD_MICAS[1:])
def test_a_server_below_a_forbidden_mica_is_refused_by_the_client(
    tmp_path: Path, mica: Change, rule: str, letter: str
) -> None:
    bad, good = Lab(tmp_path, mica=mica), Lab(make_folder(tmp_path, "good"))
    client = client_context(*good.peer("client", device()), bad.root_path)
    pair = bad.peer("server", server_template("utility", ["::1"]))
    _, at_client = in_memory(server_context(*pair, good.root_path), client)
    reason = refuse_reason(at_client, KnownIssuers.from_files(bad.root_path))
    assert reason is not None
    assert (reason.rule, reason.clause) == (rule, f"CSIP Conformance Test Procedures v1.3, COMM-004 {letter}")


def test_a_refused_client_is_refused_again_when_it_resumes_its_session(tmp_path: Path) -> None:
    bad, good = Lab(tmp_path, mica=adding(CLIENT_AUTH, critical=True)), Lab(make_folder(tmp_path, "good"))
    server = server_context(*good.peer("server", server_template("utility", ["::1"])), bad.root_path)
    client = client_context(*bad.peer("client", device()), good.root_path)
    issuers = KnownIssuers.from_files(bad.root_path)
    first, at_client = in_memory(server, client)
    assert refuse_reason(first, issuers) is not None
    again, _ = in_memory(server, client, at_client.session)
    reason = refuse_reason(again, issuers)
    assert again.session_reused
    assert reason is not None
    assert reason.rule == "chain-unseen"


def test_an_accepted_client_may_resume_its_session(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    server, client = lab.server(), lab.client()
    issuers = KnownIssuers.from_files(lab.root_path)
    first, at_client = in_memory(server, client)
    assert refuse_reason(first, issuers) is None
    again, _ = in_memory(server, client, at_client.session)
    assert again.session_reused
    assert refuse_reason(again, issuers) is None


def test_a_new_process_that_knows_the_cas_accepts_a_resumed_session(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    server, client = lab.server(), lab.client()
    _, at_client = in_memory(server, client)
    again, _ = in_memory(server, client, at_client.session)
    assert refuse_reason(again, KnownIssuers.from_files(lab.root_path, tmp_path / "server.pem")) is None


def test_an_enrolled_self_signed_client_is_refused_unless_the_setting_allows_it(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    own, key = lab.self_signed("home")
    pair = lab.peer("server", server_template("utility", ["::1"]))
    server = server_context(*pair, lab.root_path, allow_self_signed=True, extra_trusted=[own])
    at_server, _ = in_memory(server, client_context(own, key, lab.root_path))
    issuers = KnownIssuers.from_files(lab.root_path)
    assert refuse_reason(at_server, issuers, allow_self_signed=True) is None
    reason = refuse_reason(at_server, issuers)
    assert reason is not None
    assert (reason.rule, reason.clause[-10:]) == ("self-signed", "COMM-004 G")


@pytest.mark.parametrize("allowed", [False, True], ids=["setting off", "not enrolled"])
def test_a_self_signed_client_is_stopped_without_setting_or_enrolment(
    tmp_path: Path, *, allowed: bool
) -> None:
    lab = Lab(tmp_path)
    own, key = lab.self_signed("home")
    enrolled = [lab.self_signed("neighbour")[0]] if allowed else [own]
    pair = lab.peer("server", server_template("utility", ["::1"]))
    server = server_context(*pair, lab.root_path, allow_self_signed=allowed, extra_trusted=enrolled)
    with pytest.raises(ssl.SSLCertVerificationError, match="self-signed certificate"):
        in_memory(server, client_context(own, key, lab.root_path))


def test_a_ca_or_an_issued_certificate_is_never_trusted_by_itself(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    pair = lab.peer("server", server_template("utility", ["::1"]))
    for_ca, for_issued = Lab(make_folder(tmp_path, "other")).root_path, lab.peer("client", device())[0]
    with pytest.raises(RequestError, match="only a self-signed certificate that can sign no other"):
        server_context(*pair, lab.root_path, allow_self_signed=True, extra_trusted=[for_ca])
    with pytest.raises(RequestError, match="only a self-signed certificate that can sign no other"):
        server_context(*pair, lab.root_path, allow_self_signed=True, extra_trusted=[for_issued])


def test_a_key_of_another_certificate_makes_no_context(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    certificate, _ = lab.peer("server", server_template("utility", ["::1"]))
    other = lab.write_key("other", ec.generate_private_key(ec.SECP256R1()))
    with pytest.raises(RequestError, match="no certificate with its private key"):
        server_context(certificate, other, lab.root_path)


def test_missing_and_useless_files_are_named(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    certificate, key = lab.peer("server", server_template("utility", ["::1"]))
    useless = tmp_path / "useless.pem"
    useless.write_text("nothing")
    with pytest.raises(UnreadableError, match=r"useless\.pem: no PEM file of root certificates"):
        server_context(certificate, key, useless)
    with pytest.raises(NotThereError, match=r"absent\.pem: no such file"):
        client_context(tmp_path / "absent.pem", key, lab.root_path)


def test_an_unfinished_handshake_has_no_identity(tmp_path: Path) -> None:
    end = Lab(tmp_path).server().wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_side=True)
    with pytest.raises(ValueError, match="handshake not done yet"):
        peer_identity(end)


def bare_client(lab: Lab) -> ssl.SSLContext:
    """Client context with the root, the suites and no certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(f"{CCM8}:@SECLEVEL=0")
    context.load_verify_locations(lab.root_path)
    return context


def tls_1_2_suites(context: ssl.SSLContext) -> list[str]:
    """Suites of a context that TLS 1.2 can use; OpenSSL lists those of TLS 1.3 whatever the versions."""
    return [suite["name"] for suite in context.get_ciphers() if suite["protocol"] != "TLSv1.3"]


def make_folder(parent: Path, name: str) -> Path:
    """New folder below another."""
    folder = parent / name
    folder.mkdir()
    return folder
