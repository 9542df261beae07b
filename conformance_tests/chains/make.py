"""How each chain is made: a right one of three certificates, changed in the one thing that is to be wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from certs.issue import Signer, Template, ca_template, self_signed_template
from conformance_tests.chains.ca import Identity, identity, new_key

if TYPE_CHECKING:
    from conformance_tests.chains.ca import IssuingRoot

DAY: Final = timedelta(days=1)
UNKNOWN: Final = x509.ObjectIdentifier("1.3.6.1.4.1.32473.1.99")
MAPPINGS: Final = x509.UnrecognizedExtension(
    x509.ObjectIdentifier("2.5.29.33"),
    bytes.fromhex("301a3018060a2b0601040182be1c0101060a2b0601040182be1c0201"),
)
"""The policy mapping 1.3.6.1.4.1.40732.1.1 to .2.1; the library has no such extension. RFC 5280, 4.2.1.5."""
MICA: Final = "conformance MICA"
MCA: Final = "conformance MCA"


def two(ca: IssuingRoot) -> Identity:
    """Root and leaf."""
    return identity(ca.below(ca.leaf(), new_key(), ca.root))


def three(ca: IssuingRoot) -> Identity:
    """Root, MICA, leaf."""
    return _below_mica(ca, ca.ca(MICA, ca.root, path_length=0))


def four(ca: IssuingRoot) -> Identity:
    """Root, MCA, MICA, leaf."""
    mca = ca.ca(MCA, ca.root, path_length=1)
    mica = ca.ca(MICA, mca, path_length=0)
    return identity(ca.below(ca.leaf(), new_key(), mica), mica, mca)


def five(ca: IssuingRoot) -> Identity:
    """One CA more than the longest chain has."""
    top = ca.ca("conformance CA", ca.root, path_length=2)
    mca = ca.ca(MCA, top, path_length=1)
    mica = ca.ca(MICA, mca, path_length=0)
    return identity(ca.below(ca.leaf(), new_key(), mica), mica, mca, top)


def mica_purpose(ca: IssuingRoot) -> Identity:
    """A critical ExtendedKeyUsage in the MICA."""
    purposes = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH])
    return _mica_with(ca, purposes, critical=True)


def mica_name_constraints(ca: IssuingRoot) -> Identity:
    """Name constraints in the MICA, not critical."""
    return _mica_with(ca, _constraints(), critical=False)


def mica_policy_mappings(ca: IssuingRoot) -> Identity:
    """Policy mappings in the MICA, not critical."""
    return _mica_with(ca, MAPPINGS, critical=False)


def mca_name_constraints(ca: IssuingRoot) -> Identity:
    """Critical name constraints in the MCA."""
    return _mca_with(ca, _constraints(), critical=True)


def mca_policy_mappings(ca: IssuingRoot) -> Identity:
    """Policy mappings in the MCA, not critical."""
    return _mca_with(ca, MAPPINGS, critical=False)


def unknown_critical_in_leaf(ca: IssuingRoot) -> Identity:
    """A critical extension of nobody in the leaf."""
    leaf = ca.leaf().with_extension(x509.UnrecognizedExtension(UNKNOWN, b"\x05\x00"), critical=True)
    return _below_mica(ca, ca.ca(MICA, ca.root, path_length=0), leaf)


def unknown_critical_in_mica(ca: IssuingRoot) -> Identity:
    """A critical extension of nobody in the MICA."""
    return _mica_with(ca, x509.UnrecognizedExtension(UNKNOWN, b"\x05\x00"), critical=True)


def self_signed(ca: IssuingRoot) -> Identity:
    """A certificate that no CA signed."""
    return identity(ca.below(self_signed_template("conformance test"), new_key(), None))


def expired_leaf(ca: IssuingRoot) -> Identity:
    """A leaf whose notAfter was yesterday."""
    mica = ca.ca(MICA, ca.root, path_length=0)
    over = replace(ca.leaf(), not_after=ca.now - DAY)
    return identity(ca.below(over, new_key(), mica, not_before=ca.now - 2 * DAY), mica)


def expired_mica(ca: IssuingRoot) -> Identity:
    """A MICA whose notAfter was yesterday."""
    key = new_key()
    over = replace(ca_template(MICA, key, path_length=0), not_after=ca.now - DAY)
    return _below_mica(ca, ca.below(over, key, ca.root, not_before=ca.now - 2 * DAY))


def early_leaf(ca: IssuingRoot) -> Identity:
    """A leaf whose notBefore is tomorrow."""
    mica = ca.ca(MICA, ca.root, path_length=0)
    return identity(ca.below(ca.leaf(), new_key(), mica, not_before=ca.now + DAY), mica)


def rsa_key(ca: IssuingRoot) -> Identity:
    """An RSA key in the leaf."""
    mica = ca.ca(MICA, ca.root, path_length=0)
    return identity(ca.below(ca.leaf(), rsa.generate_private_key(65537, 2048), mica), mica)


def p384_key(ca: IssuingRoot) -> Identity:
    """A key on P-384 in the leaf."""
    mica = ca.ca(MICA, ca.root, path_length=0)
    return identity(ca.below(ca.leaf(), ec.generate_private_key(ec.SECP384R1()), mica), mica)


def p384_mica(ca: IssuingRoot) -> Identity:
    """A key on P-384 in the MICA."""
    key = ec.generate_private_key(ec.SECP384R1())
    return _below_mica(ca, ca.below(ca_template(MICA, key, path_length=0), key, ca.root))


def stranger(ca: IssuingRoot) -> Identity:
    """A right chain to a root that nobody trusts, though it has the name of the trusted one."""
    return three(ca.stranger())


def forged(ca: IssuingRoot) -> Identity:
    """A leaf with the name of the MICA as issuer, signed with a key that is not the MICA's."""
    mica = ca.ca(MICA, ca.root, path_length=0)
    forger = Signer(certificate=mica.certificate, key=new_key())
    return identity(ca.below(ca.leaf(), new_key(), forger), mica)


def issued_by_device(ca: IssuingRoot) -> Identity:
    """A leaf below a certificate that is a leaf itself."""
    mica = ca.ca(MICA, ca.root, path_length=1)
    named = replace(ca.leaf(), subject=mica.certificate.subject)
    device = ca.below(named, new_key(), mica)
    return identity(ca.below(ca.leaf(), new_key(), device), device, mica)


def mica_no_ca(ca: IssuingRoot) -> Identity:
    """BasicConstraints of the MICA without CA."""
    return _mica_with(ca, x509.BasicConstraints(ca=False, path_length=None), critical=True)


def mica_cannot_sign(ca: IssuingRoot) -> Identity:
    """KeyUsage of the MICA without keyCertSign."""
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    return _mica_with(ca, usage, critical=True)


def path_too_long(ca: IssuingRoot) -> Identity:
    """A CA below a CA whose path length does not allow one."""
    mca = ca.ca(MCA, ca.root, path_length=0)
    mica = ca.ca(MICA, mca, path_length=0)
    return identity(ca.below(ca.leaf(), new_key(), mica), mica, mca)


def leaf_ca(ca: IssuingRoot) -> Identity:
    """A CA certificate in the place of a leaf."""
    mica = ca.ca(MICA, ca.root, path_length=1)
    key = new_key()
    return identity(ca.below(ca_template("conformance leaf", key, path_length=0), key, mica), mica)


def gap(ca: IssuingRoot) -> Identity:
    """The leaf alone, below a MICA that nobody has seen."""
    whole = three(ca)
    return replace(whole, chain=whole.chain[:1])


def unreadable(ca: IssuingRoot) -> Identity:
    """A SubjectAltName of octets that mean nothing, in the MICA: OpenSSL presents no leaf of that kind."""
    key = new_key()
    template = ca_template(MICA, key, path_length=0)
    garbage = x509.UnrecognizedExtension(x509.SubjectAlternativeName.oid, b"\xff\xff\xff")
    shown = ca.below(template.with_extension(garbage, critical=True), key, ca.root)
    return identity(ca.below(ca.leaf(), new_key(), ca.below(template, key, ca.root)), shown)


def nothing(ca: IssuingRoot) -> Identity:
    """No certificate at all."""
    del ca
    return Identity(chain=())


def _below_mica(ca: IssuingRoot, mica: Signer, leaf: Template | None = None) -> Identity:
    return identity(ca.below(leaf or ca.leaf(), new_key(), mica), mica)


def _mica_with(ca: IssuingRoot, extension: x509.ExtensionType, *, critical: bool) -> Identity:
    key = new_key()
    template = ca_template(MICA, key, path_length=0).with_extension(extension, critical=critical)
    return _below_mica(ca, ca.below(template, key, ca.root))


def _mca_with(ca: IssuingRoot, extension: x509.ExtensionType, *, critical: bool) -> Identity:
    key = new_key()
    template = ca_template(MCA, key, path_length=1).with_extension(extension, critical=critical)
    mca = ca.below(template, key, ca.root)
    mica = ca.ca(MICA, mca, path_length=0)
    return identity(ca.below(ca.leaf(), new_key(), mica), mica, mca)


def _constraints() -> x509.NameConstraints:
    return x509.NameConstraints(permitted_subtrees=None, excluded_subtrees=[x509.DNSName("invalid.example")])
