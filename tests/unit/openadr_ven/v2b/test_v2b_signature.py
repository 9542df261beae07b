"""XML signatures: both kinds of keys, both directions of time, and everything that must not be taken."""

import shutil
import subprocess
import time
from base64 import b64encode
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from signxml.verifier import SignatureConfiguration, XMLVerifier

from certs import fingerprint_of
from openadr_ven.iso8601 import instant
from openadr_ven.v2b import messages as m
from openadr_ven.v2b.document import MOST_OCTETS, canonical, message_of, parsed
from openadr_ven.v2b.errors import Malformed, Untrusted
from openadr_ven.v2b.exchange import stamp
from openadr_ven.v2b.reading import message as read_message
from openadr_ven.v2b.replay import ReplayGuard
from openadr_ven.v2b.signature import Signer, Verifier
from openadr_ven.v2b.writing import enveloped, signed_object, write
from tests.unit.openadr_ven.v2b.conversations import NOW
from tests.unit.openadr_ven.v2b.keys import Identity, certificate_of, identity

POLL = m.Poll(venID="ven-1")
KINDS = pytest.mark.parametrize("kind", ["ec", "rsa"])


def signed(who: Identity, message: m.Message = POLL, at: float = NOW, nonce: str = "n1") -> bytes:
    text = signed_object(message)
    return enveloped(text, who.signer().sign(text, stamp(at), nonce))


def taken(verifier: Verifier, data: bytes, now: float = NOW, peer: bytes | None = None) -> m.Message:
    return read_message(message_of(verifier.verified(parsed(data), now, peer)))


def verifier_of(who: Identity, window_s: float = 30.0) -> Verifier:
    return Verifier(ReplayGuard(window_s), {who.fingerprint})


@KINDS
def test_signed_message_is_valid_by_the_schema_and_holds(kind: str) -> None:
    who = identity("ven", kind)

    assert taken(verifier_of(who), signed(who)) == POLL


def test_certificate_of_the_connection_may_sign_where_no_fingerprint_is_configured() -> None:
    who = identity("ven")

    assert taken(Verifier(ReplayGuard()), signed(who), peer=who.der) == POLL


@pytest.mark.parametrize("peer", [None, identity("other").der], ids=["no TLS", "another peer"])
def test_any_other_certificate_may_not(peer: bytes | None) -> None:
    with pytest.raises(Untrusted, match="whom nobody expects"):
        taken(Verifier(ReplayGuard()), signed(identity("ven")), peer=peer)


def test_message_of_another_signer_is_refused() -> None:
    with pytest.raises(Untrusted, match="whom nobody expects") as caught:
        taken(verifier_of(identity("ven")), signed(identity("other")))

    assert caught.value.code == 463


def test_r514_unsigned_message_is_refused_where_signatures_are_configured() -> None:
    with pytest.raises(Untrusted, match="the message is not signed"):
        taken(verifier_of(identity("ven")), write(POLL))


def test_r516_certificate_that_is_over_is_refused() -> None:
    who = identity("old", days=-1)

    with pytest.raises(Untrusted, match="not valid now"):
        taken(verifier_of(who), signed(who))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"ven-1", b"ven-2"),
        (b"<dsp:nonce>n1", b"<dsp:nonce>n2"),
        (b"<dsp:timestamp>2027", b"<dsp:timestamp>2028"),
        (b"#ecdsa-sha256", b"#rsa-sha256"),
    ],
    ids=["message", "nonce", "timestamp", "method"],
)
def test_message_that_was_changed_is_refused(old: bytes, new: bytes) -> None:
    who = identity("ven")
    data = signed(who)
    assert old in data

    with pytest.raises(Untrusted):
        taken(verifier_of(who), data.replace(old, new, 1))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"xmldsig-more#ecdsa-sha256", b"xmldsig-more#ecdsa-sha1"),
        (b"2001/04/xmlenc#sha256", b"2000/09/xmldsig#sha1"),
        (b'URI="#oadrSignedObject"', b'URI="#properties"'),
        (b'URI="#oadrSignedObject"', b'URI=""'),
        (b'URI="#properties"', b'URI="http://example.com/"'),
    ],
    ids=["SHA-1 signature", "SHA-1 digest", "only the properties", "enveloped", "elsewhere"],
)
def test_signature_of_another_form_is_refused(old: bytes, new: bytes) -> None:
    who = identity("ven")
    data = signed(who)
    assert old in data

    with pytest.raises((Untrusted, Malformed)):
        taken(verifier_of(who), data.replace(old, new, 1))


def test_signed_message_inside_of_another_is_refused() -> None:
    """Signature wrapping: the schema has no place for a second object, and IDs are unique."""
    who = identity("ven")
    evil = signed_object(m.Poll(venID="evil"))
    data = signed(who)
    at = data.index(b"<oadr:oadrSignedObject")

    with pytest.raises(Malformed):
        taken(verifier_of(who), data[:at] + evil.encode() + data[at:])


def test_signature_of_one_message_does_not_hold_for_another() -> None:
    who = identity("ven")
    text = signed_object(POLL)
    signature = who.signer().sign(text, stamp(NOW), "n1")

    with pytest.raises(Untrusted, match="does not hold"):
        taken(verifier_of(who), enveloped(signed_object(m.Poll(venID="ven-2")), signature))


@pytest.mark.parametrize("at", [NOW - 31, NOW + 31, NOW - 31_536_000, NOW + 31_536_000])
def test_r514_message_of_another_time_is_refused_in_either_direction(at: int) -> None:
    who = identity("ven")

    with pytest.raises(Untrusted, match="by our clock"):
        taken(verifier_of(who), signed(who, at=at))


@pytest.mark.parametrize("at", [NOW - 29, NOW, NOW + 29])
def test_r514_message_of_about_now_is_taken_once(at: int) -> None:
    who = identity("ven")
    verifier = verifier_of(who)
    data = signed(who, at=at)

    assert taken(verifier, data) == POLL
    with pytest.raises(Untrusted, match="the nonce was used before"):
        taken(verifier, data)
    with pytest.raises(Untrusted, match="the nonce was used before"):
        taken(verifier, data, now=at + 30)


def test_nonce_of_a_message_that_is_not_taken_is_not_remembered() -> None:
    who = identity("ven")
    verifier = verifier_of(who)
    with pytest.raises(Untrusted):
        taken(verifier, signed(who).replace(b"ven-1", b"ven-2"))

    assert taken(verifier, signed(who)) == POLL


def test_memory_of_nonces_is_bounded_and_forgets_what_time_refuses() -> None:
    who = identity("ven")
    verifier = Verifier(ReplayGuard(30.0, most=2), {who.fingerprint})
    taken(verifier, signed(who, nonce="a"))
    taken(verifier, signed(who, nonce="b"))

    with pytest.raises(Untrusted, match="more than 2 messages"):
        taken(verifier, signed(who, nonce="c"))
    assert taken(verifier, signed(who, at=NOW + 61, nonce="a"), now=NOW + 61) == POLL


def test_two_guards_do_not_share_their_nonces() -> None:
    who = identity("ven")
    data = signed(who)

    assert [taken(verifier_of(who), data) for _ in range(2)] == [POLL, POLL]


@pytest.mark.parametrize("which", ["ec", "rsa"])
def test_signatures_of_openleadr_hold_at_their_time(vectors: Path, which: str) -> None:
    folder = vectors / "openadr" / "v20b" / "trace"
    data = (folder / f"signed_{which}_vtn_to_ven_oadrDistributeEvent.xml").read_bytes()
    start, end = data.index(b"X509Certificate>") + 16, data.index(b"</ds:X509Certificate>")
    certificate = x509.load_pem_x509_certificate(
        b"-----BEGIN CERTIFICATE-----\n" + data[start:end].strip() + b"\n-----END CERTIFICATE-----\n"
    )
    start, end = data.index(b"timestamp>") + 10, data.index(b"</dsp:timestamp>")
    at = instant(data[start:end].decode()) or 0

    fingerprint = fingerprint_of(certificate.public_bytes(Encoding.DER))
    message = taken(Verifier(ReplayGuard(), {fingerprint}), data, now=at)

    assert isinstance(message, m.DistributeEvent)


def test_signatures_of_others_are_refused_with_a_reason(vectors: Path) -> None:
    """An enveloped signature with a bare RSA key."""
    path = vectors / "openadr" / "v20b" / "avob" / "xmlsignature" / "signatureOadrPayload.xml"

    with pytest.raises((Untrusted, Malformed)) as caught:
        taken(Verifier(ReplayGuard()), path.read_bytes())

    assert str(caught.value)


@KINDS
def test_another_tool_finds_our_signature_good(kind: str, tmp_path: Path) -> None:
    tool = shutil.which("xmlsec1")
    if tool is None:
        pytest.skip("xmlsec1 (Debian package xmlsec1) is not on this machine")
    who = identity("ven", kind)
    (tmp_path / "message.xml").write_bytes(signed(who))
    (tmp_path / "trusted.pem").write_bytes(who.pem)

    done = subprocess.run(
        [
            tool,
            "--verify",
            "--trusted-pem",
            tmp_path / "trusted.pem",
            "--id-attr:Id",
            "http://openadr.org/oadr-2.0b/2012/07:oadrSignedObject",
            tmp_path / "message.xml",
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "OK" in done.stdout + done.stderr


@KINDS
def test_key_is_loaded_once(kind: str) -> None:
    """A poll, signed, and its answer, checked: far below what loading a key each time costs."""
    who = identity("ven", kind)
    verifier = verifier_of(who)
    signer = who.signer()
    text = signed_object(POLL)
    costs = []
    for number in range(20):
        begin = time.process_time()
        data = enveloped(text, signer.sign(text, stamp(NOW), f"n{number}"))
        verifier.verified(parsed(data), NOW, None)
        costs.append(time.process_time() - begin)

    assert min(costs) < 0.010


@pytest.mark.parametrize(
    "key",
    [
        ec.generate_private_key(ec.SECP224R1()),
        rsa.generate_private_key(public_exponent=65537, key_size=1024),  # noqa: S505 - weak is the point
    ],
    ids=["ec", "rsa"],
)
def test_r68_short_keys_neither_sign_nor_are_believed(
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey,
) -> None:
    who = Identity(certificate_of("weak", key), key)
    with pytest.raises(ValueError, match="bits, less than"):
        who.signer()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("openadr_ven.v2b.signature.LEAST_EC", 0)
        patch.setattr("openadr_ven.v2b.signature.LEAST_RSA", 0)
        data = signed(who)

    with pytest.raises(Untrusted, match="bits, less than"):
        taken(verifier_of(who), data)


def test_huge_message_is_not_even_parsed() -> None:
    with pytest.raises(Malformed, match="octets"):
        parsed(signed(identity("ven")) + b" " * MOST_OCTETS)


@pytest.mark.parametrize("stamp_", ["yesterday", "", "9" * 30])
def test_timestamp_that_is_none_is_refused(stamp_: str) -> None:
    who = identity("ven")
    text = signed_object(POLL)

    with pytest.raises((Untrusted, Malformed)):
        taken(verifier_of(who), enveloped(text, who.signer().sign(text, stamp_, "n1")))


def test_signer_of_files_is_that_of_its_certificate(tmp_path: Path) -> None:
    who = identity("ven")
    (tmp_path / "c.pem").write_bytes(who.pem)
    (tmp_path / "k.pem").write_bytes(who.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    signer = Signer.of_files(tmp_path / "c.pem", tmp_path / "k.pem")
    text = signed_object(POLL)

    assert taken(verifier_of(who), enveloped(text, signer.sign(text, stamp(NOW), "n1"))) == POLL


def test_key_of_another_kind_is_not_taken(tmp_path: Path) -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    (tmp_path / "k.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))

    with pytest.raises(TypeError, match="neither an EC nor an RSA key"):
        Signer.of_files(tmp_path / "c.pem", tmp_path / "k.pem")


@pytest.mark.parametrize("certificate", [b"AAAA", b"!!!"])
def test_certificate_that_is_none_is_refused(certificate: bytes) -> None:
    who = identity("ven")
    data = signed(who)
    start, end = data.index(b"<ds:X509Certificate>") + 20, data.index(b"</ds:X509Certificate>")

    with pytest.raises((Untrusted, Malformed)):
        taken(verifier_of(who), data[:start] + certificate + data[end:])


@KINDS
def test_general_verifier_takes_our_signatures(kind: str) -> None:
    who = identity("ven", kind)

    results = XMLVerifier().verify(
        parsed(signed(who)),
        x509_cert=who.certificate,
        expect_config=SignatureConfiguration(location="./", expect_references=2),
    )

    assert isinstance(results, list)
    assert len(results) == 2


def test_signature_of_the_right_key_over_another_form_is_refused() -> None:
    """Properly signed by the right key, but the properties twice and the message not at all."""
    who = identity("ven")
    data = signed(who)
    root = parsed(data)
    start, end = data.index(b"<ds:Reference"), data.index(b"</ds:Reference>") + len(b"</ds:Reference>")
    other = data[end : data.index(b"</ds:SignedInfo>")]
    twice = parsed(data[:start] + other + other + data[data.index(b"</ds:SignedInfo>") :])
    info = next(one for one in twice.iter("{http://www.w3.org/2000/09/xmldsig#}SignedInfo"))
    value = next(one for one in twice.iter("{http://www.w3.org/2000/09/xmldsig#}SignatureValue"))
    assert isinstance(who.key, ec.EllipticCurvePrivateKey)
    r, s = decode_dss_signature(who.key.sign(canonical(info), ec.ECDSA(SHA256())))
    value.text = b64encode(r.to_bytes(32) + s.to_bytes(32)).decode()

    with pytest.raises(Untrusted, match="not one oadrSignedObject and one ReplayProtect"):
        verifier_of(who).verified(twice, NOW, None)
    assert verifier_of(who).verified(root, NOW, None) is not None


def test_a_relative_namespace_that_has_no_canonical_form_is_told() -> None:
    who = identity("ven")
    spoiled = signed(who).replace(b'xmldsig#" xmlns:oadr="http:', b'xmldsig#" xmlns:oadr="#http:')

    with pytest.raises(Malformed, match="no absolute URI"):
        taken(verifier_of(who), spoiled)
