"""Refusals of a TLS peer, the path of a chain, and issuers known from before: values only, no TLS."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from certs.errors import UnreadableError
from certs.findings import Finding, Severity
from certs.hardware import HardwareModuleName
from certs.identity import lfdi_of
from certs.issue import (
    Signer,
    Template,
    ca_template,
    device_template,
    self_signed_template,
    sign,
)
from certs.oids import DEVICE_GENERIC
from certs.peer import (
    MOST_KNOWN_ISSUERS,
    Admitted,
    KnownIssuers,
    admission,
    peer_identity,
    refuse_reason,
    verified_chain,
)
from certs.reading import require_readable
from certs.refusal import path_findings, refusal

Make = Callable[[Template, Signer | None], x509.Certificate]

CLIENT_AUTH = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.32473.9.9"), b"\x05\x00")
NOT_BEFORE = datetime(2024, 1, 1, tzinfo=UTC)


def device() -> Template:
    return device_template(
        HardwareModuleName(hwType="1.3.6.1.4.1.32473.1", hwSerialNum=b"A1"), [DEVICE_GENERIC]
    )


def chain_below(make: Make, *signers: Signer) -> list[x509.Certificate]:
    return [make(device(), signers[0]), *(signer.certificate for signer in signers)]


def bad_mica(serca: Signer, value: x509.ExtensionType, *, critical: bool) -> Signer:
    key = ec.generate_private_key(ec.SECP256R1())
    template = ca_template("BAD", key, path_length=0).with_extension(value, critical=critical)
    return Signer(certificate=sign(template, key, serca, not_before=NOT_BEFORE, serial_number=5), key=key)


class Session:
    """Handshake that shows a leaf, and its verified chain in the way of Python 3.13."""

    def __init__(self, leaf: bytes | None, chain: list[bytes] | None = None) -> None:
        self.leaf, self.chain = leaf, chain or []

    def getpeercert(self, binary_form: bool, /) -> bytes | None:
        return self.leaf if binary_form else None

    def get_verified_chain(self) -> list[bytes]:
        return self.chain


class BareSession:
    """Handshake of an interpreter that shows the leaf alone."""

    def __init__(self, leaf: bytes) -> None:
        self.leaf = leaf

    def getpeercert(self, binary_form: bool, /) -> bytes | None:
        return self.leaf if binary_form else None


def der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


def test_chains_of_two_three_and_four_certificates_are_fine(
    make: Make, serca: Signer, mca: Signer, mica: Signer
) -> None:
    assert refusal(chain_below(make, serca)) is None
    assert refusal(chain_below(make, mca, serca)) is None
    assert refusal(chain_below(make, mica, mca, serca)) is None


@pytest.mark.parametrize("length", [0, 5])
def test_a_chain_of_no_or_five_certificates_is_refused(make: Make, mica: Signer, length: int) -> None:
    reason = refusal([make(device(), mica), *[mica.certificate] * 4][:length])
    assert reason is not None
    assert (reason.rule, reason.severity) == ("chain-length", Severity.ERROR)
    assert reason.text == f"the chain has {length} certificates; wanted: 2 to 4, root included"


def test_an_issued_certificate_alone_is_no_chain(make: Make, mica: Signer) -> None:
    reason = refusal([make(device(), mica)], allow_self_signed=True)
    assert reason is not None
    assert reason.rule == "chain-length"


def test_a_self_signed_certificate_is_refused_unless_allowed_comm_004_g(make: Make) -> None:
    own = make(self_signed_template("home"), None)
    reason = refusal([own])
    assert reason is not None
    assert reason.rule == "self-signed"
    assert refusal([own], allow_self_signed=True) is None


def test_a_root_is_no_self_signed_client_even_where_those_are_allowed(serca: Signer) -> None:
    reason = refusal([serca.certificate], allow_self_signed=True)
    assert reason is not None
    assert reason.rule == "leaf-not-ca"


@pytest.mark.parametrize(
    ("value", "critical", "rule"),
    [
        (CLIENT_AUTH, True, "mica-extended-key-usage"),
        (CLIENT_AUTH, False, None),
        (UNKNOWN, True, "unknown-critical-extension"),
        (UNKNOWN, False, None),
        (x509.SubjectAlternativeName([x509.DNSName("a")]), True, "unknown-critical-extension"),
        (x509.BasicConstraints(ca=False, path_length=None), True, "issuer-is-ca"),
        (
            x509.PolicyConstraints(require_explicit_policy=0, inhibit_policy_mapping=None),
            True,
            "unknown-critical-extension",
        ),
    ],
)
def test_what_a_mica_holds_decides(
    make: Make, serca: Signer, value: x509.ExtensionType, *, critical: bool, rule: str | None
) -> None:
    reason = refusal(chain_below(make, bad_mica(serca, value, critical=critical), serca))
    assert (reason and reason.rule) == rule


def test_the_reason_says_which_certificate_and_what_is_wanted(make: Make, serca: Signer) -> None:
    reason = refusal(chain_below(make, bad_mica(serca, CLIENT_AUTH, critical=True), serca))
    assert str(reason) == (
        "error: mica-extended-key-usage: certificate 2 of 3: ExtendedKeyUsage is critical; "
        "wanted: no critical ExtendedKeyUsage in a CA [CSIP Conformance Test Procedures v1.3, COMM-004 D]"
    )


def test_a_leaf_with_an_unknown_critical_extension_is_refused(make: Make, serca: Signer) -> None:
    reason = refusal([make(device().with_extension(UNKNOWN, critical=True), serca), serca.certificate])
    assert reason is not None
    assert reason.rule == "unknown-critical-extension"


def test_what_the_root_holds_is_the_business_of_who_trusts_it(make: Make) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    template = ca_template("ROOT", key, path_length=None).with_extension(
        x509.NameConstraints([x509.DNSName("a")], None), critical=True
    )
    root = Signer(certificate=sign(template, key, None, not_before=NOT_BEFORE, serial_number=5), key=key)
    assert refusal(chain_below(make, root)) is None


def unreadable(make: Make, serca: Signer) -> x509.Certificate:
    """Certificate whose SubjectAltName the library loads lazily and then cannot parse."""
    value = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.17"), b"\x01\x02")
    return x509.load_der_x509_certificate(der(make(device().with_extension(value, critical=True), serca)))


def test_a_certificate_with_garbled_parts_is_refused(make: Make, serca: Signer) -> None:
    certificate = unreadable(make, serca)
    with pytest.raises(UnreadableError, match="a part of the certificate cannot be read"):
        require_readable(certificate)
    reason = refusal([certificate, serca.certificate])
    assert reason is not None
    assert reason.rule == "readable"


def test_a_peer_with_garbled_parts_is_refused(make: Make, serca: Signer) -> None:
    session = Session(der(unreadable(make, serca)))
    reason = refuse_reason(session, KnownIssuers([serca.certificate]))
    assert reason is not None
    assert reason.rule == "readable"


def test_a_full_path_has_no_findings_and_may_leave_the_root_out(
    make: Make, serca: Signer, mca: Signer, mica: Signer
) -> None:
    chain = chain_below(make, mica, mca, serca)
    assert path_findings(chain) == []
    assert path_findings(chain[:-1]) == []
    assert path_findings(chain[:1]) == []


def test_a_chain_with_a_gap_is_found(make: Make, serca: Signer, mica: Signer) -> None:
    found = path_findings(chain_below(make, mica, serca))
    assert [finding.rule for finding in found] == ["issuer-is-signer"]


def test_a_signer_of_the_same_name_and_another_key_is_found(make: Make, serca: Signer, mica: Signer) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    impostor = sign(
        ca_template("MICA", key, path_length=0), key, serca, not_before=NOT_BEFORE, serial_number=6
    )
    found = path_findings([make(device(), mica), impostor])
    assert [finding.rule for finding in found] == ["authority-key-of-signer"]


def test_a_signer_with_a_stolen_name_and_key_identifier_is_found(
    make: Make, serca: Signer, mica: Signer
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    stolen = mica.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    template = ca_template("MICA", key, path_length=0).with_extension(stolen, critical=False)
    impostor = sign(template, key, serca, not_before=NOT_BEFORE, serial_number=6)
    found = path_findings([make(device(), mica), impostor])
    assert [finding.rule for finding in found] == ["signed-by-next"]


def test_five_certificates_are_too_many_for_a_path(mca: Signer, serca: Signer) -> None:
    root = serca.certificate
    assert [finding.rule for finding in path_findings([mca.certificate, root, root, root, root])] == [
        "chain-length"
    ]


def test_a_peer_is_who_its_certificate_says(make: Make, serca: Signer) -> None:
    chain = chain_below(make, serca)
    identity = peer_identity(Session(der(chain[0]), [der(link) for link in chain]))
    assert identity is not None
    assert (identity.lfdi, identity.certificate, identity.chain) == (
        lfdi_of(chain[0]),
        chain[0],
        tuple(chain),
    )


def test_an_interpreter_without_chains_falls_back_to_the_leaf_and_known_issuers(
    make: Make, serca: Signer, mca: Signer, mica: Signer
) -> None:
    leaf = make(device(), mica)
    session = BareSession(der(leaf))
    issuers = KnownIssuers([serca.certificate])
    reason = refuse_reason(session, issuers)
    assert verified_chain(session) == ()
    assert reason is not None
    assert reason.rule == "chain-unseen"
    issuers.remember([mica.certificate, mca.certificate])
    assert refuse_reason(session, issuers) is None


def test_a_leaf_is_never_remembered_as_issuer(make: Make, mica: Signer, mca: Signer, serca: Signer) -> None:
    issuers = KnownIssuers([serca.certificate])
    leaf = make(device(), mica)
    issuers.remember([leaf, mca.certificate])
    assert issuers.complete(leaf) == (leaf,)
    assert issuers.complete(mica.certificate) == (mica.certificate, mca.certificate, serca.certificate)


def test_known_issuers_forget_the_oldest_beyond_their_limit(mica: Signer, mca: Signer, serca: Signer) -> None:
    issuers = KnownIssuers([serca.certificate])
    issuers.remember([mca.certificate])
    key = ec.generate_private_key(ec.SECP256R1())
    template = ca_template("MICA", key, path_length=0)
    issuers.remember(
        sign(template, key, serca, not_before=NOT_BEFORE, serial_number=number + 1)
        for number in range(MOST_KNOWN_ISSUERS)
    )
    assert issuers.complete(mica.certificate) == (mica.certificate,)


class Resumed(BareSession):
    """A resumed handshake."""

    session_reused = True


def test_a_peer_that_was_admitted_resumes_without_a_look_at_its_chain(
    make: Make, mca: Signer, serca: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = chain_below(make, mca, serca)
    issuers = KnownIssuers([serca.certificate])
    peer = Admitted(lfdi_of(chain[0]), chain[0].not_valid_after_utc.timestamp())
    assert admission(Session(der(chain[0]), [der(link) for link in chain]), issuers) == peer
    monkeypatch.setattr("certs.peer.judged_peer", None)
    assert admission(Resumed(der(chain[0])), issuers) == peer


def test_a_peer_that_was_admitted_is_looked_at_again_once_other_roots_are_trusted(
    make: Make, mca: Signer, serca: Signer, mica: Signer
) -> None:
    chain = chain_below(make, mca, serca)
    issuers = KnownIssuers([serca.certificate])
    admission(Session(der(chain[0]), [der(link) for link in chain]), issuers)
    issuers.trust([mica.certificate])
    found = admission(Resumed(der(chain[0])), issuers)
    assert isinstance(found, Finding)
    assert found.rule == "chain-unseen"


def test_a_self_signed_peer_is_admitted_only_where_that_is_allowed(make: Make, serca: Signer) -> None:
    own = make(self_signed_template("home"), None)
    issuers = KnownIssuers([serca.certificate], self_signed=[own])
    let_in = admission(Resumed(der(own)), issuers, allow_self_signed=True)
    assert isinstance(let_in, Admitted)
    assert let_in.lfdi == lfdi_of(own)
    assert isinstance(admission(Resumed(der(own)), issuers), Finding)


def test_a_peer_without_certificate_is_nobody(serca: Signer) -> None:
    assert admission(Session(None), KnownIssuers([serca.certificate])) is None


def test_admitted_peers_are_bounded(serca: Signer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("certs.peer.MOST_ADMITTED", 2)
    issuers = KnownIssuers([serca.certificate])
    root = serca.certificate
    peer = Admitted(lfdi_of(root), root.not_valid_after_utc.timestamp())
    for leaf in (b"1", b"2", b"3"):
        issuers.admit(leaf, peer, allow_self_signed=False)
    held = [issuers.admitted(leaf, allow_self_signed=False) is not None for leaf in (b"1", b"2", b"3")]
    assert held == [False, True, True]
