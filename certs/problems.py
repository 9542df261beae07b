"""Questions that the rules of the profile ask a certificate. Each answers with what is wrong, or None."""

from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from certs import anatomy, oids
from certs.errors import HardwareNameError

Problem = Callable[[x509.Certificate], str | None]
Extensions = frozenset[x509.ObjectIdentifier]

NO_EXPIRY: Final = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
SERIAL_NUMBER_BITS: Final = 159


def wrong_version(certificate: x509.Certificate) -> str | None:
    """Version other than 3."""
    return None if certificate.version is x509.Version.v3 else f"version is {certificate.version.name}"


def wrong_serial_number(certificate: x509.Certificate) -> str | None:
    """Serial number that is not positive or longer than 20 octets."""
    number = certificate.serial_number
    if 0 < number < 2**SERIAL_NUMBER_BITS:
        return None
    return "serial number is zero, negative or longer than 20 octets"


def wrong_key(certificate: x509.Certificate) -> str | None:
    """Key other than P-256."""
    return None if anatomy.is_p256(certificate) else f"key is {anatomy.key_description(certificate)}"


def wrong_signature(certificate: x509.Certificate) -> str | None:
    """Signature algorithm other than ecdsa-with-SHA256."""
    algorithm = certificate.signature_algorithm_oid
    return (
        None if algorithm == oids.ECDSA_WITH_SHA256 else f"signature algorithm is {algorithm.dotted_string}"
    )


def expires(certificate: x509.Certificate) -> str | None:
    """A notAfter other than the last second of the year 9999."""
    not_after = certificate.not_valid_after_utc
    return None if not_after == NO_EXPIRY else f"notAfter is {not_after:%Y-%m-%dT%H:%M:%SZ}"


def validity_reversed(certificate: x509.Certificate) -> str | None:
    """A notBefore later than notAfter."""
    in_order = certificate.not_valid_before_utc <= certificate.not_valid_after_utc
    return None if in_order else "notBefore is later than notAfter"


def subject_empty(certificate: x509.Certificate) -> str | None:
    """Subject without any name."""
    return None if len(certificate.subject) else "subject is empty"


def subject_present(certificate: x509.Certificate) -> str | None:
    """Subject with a name in it."""
    return f"subject is {certificate.subject.rfc4514_string()}" if len(certificate.subject) else None


def issuer_empty(certificate: x509.Certificate) -> str | None:
    """Issuer without any name."""
    return None if len(certificate.issuer) else "issuer is empty"


def self_signed(certificate: x509.Certificate) -> str | None:
    """Signed with its own key."""
    return "certificate is signed with its own key" if anatomy.is_self_signed(certificate) else None


def not_self_signed(certificate: x509.Certificate) -> str | None:
    """Not signed with its own key."""
    return None if anatomy.is_self_signed(certificate) else "certificate is not signed with its own key"


def missing(kind: type[x509.ExtensionType], name: str) -> Problem:
    """Whether the extension is absent."""

    def problem(certificate: x509.Certificate) -> str | None:
        return None if anatomy.extension_of(certificate, kind) else f"{name} is absent"

    return problem


def present(kinds: Extensions, name: str) -> Problem:
    """Whether one of the extensions is there."""

    def problem(certificate: x509.Certificate) -> str | None:
        found = any(extension.oid in kinds for extension in certificate.extensions)
        return f"{name} is there" if found else None

    return problem


def not_critical(kind: type[x509.ExtensionType], name: str) -> Problem:
    """Whether the extension is there, but not critical."""

    def problem(certificate: x509.Certificate) -> str | None:
        found = anatomy.extension_of(certificate, kind)
        return f"{name} is not critical" if found and not found.critical else None

    return problem


def critical(kind: type[x509.ExtensionType], name: str) -> Problem:
    """Whether the extension is there and critical."""

    def problem(certificate: x509.Certificate) -> str | None:
        found = anatomy.extension_of(certificate, kind)
        return f"{name} is critical" if found and found.critical else None

    return problem


def key_usage_other_than(wanted: Collection[str]) -> Problem:
    """Whether KeyUsage differs from exactly these uses."""

    def problem(certificate: x509.Certificate) -> str | None:
        usages = anatomy.key_usages(certificate)
        return None if usages == frozenset(wanted) else f"KeyUsage is {_listed(usages)}"

    return problem


def cannot_sign(certificate: x509.Certificate) -> str | None:
    """KeyUsage that does not allow to sign a handshake, or that allows to sign certificates."""
    usages = anatomy.key_usages(certificate)
    if "digitalSignature" in usages and not usages & {"keyCertSign", "cRLSign"}:
        return None
    return f"KeyUsage is {_listed(usages)}"


def purpose_lacks(purpose: x509.ObjectIdentifier, name: str) -> Problem:
    """Whether there is an ExtendedKeyUsage that leaves this purpose out."""

    def problem(certificate: x509.Certificate) -> str | None:
        found = anatomy.extension_of(certificate, x509.ExtendedKeyUsage)
        return f"ExtendedKeyUsage lacks {name}" if found and purpose not in found.value else None

    return problem


def not_ca(certificate: x509.Certificate) -> str | None:
    """BasicConstraints absent or CA false."""
    return None if anatomy.is_ca(certificate) else "BasicConstraints do not say CA true"


def is_ca(certificate: x509.Certificate) -> str | None:
    """BasicConstraints with CA true."""
    return "BasicConstraints say CA true" if anatomy.is_ca(certificate) else None


def says_not_ca(certificate: x509.Certificate) -> str | None:
    """BasicConstraints that are there to say CA false."""
    found = anatomy.extension_of(certificate, x509.BasicConstraints)
    return "BasicConstraints are there to say CA false" if found and not found.value.ca else None


def path_length_below(least: int) -> Problem:
    """Whether there is no path length, or one too small for the CAs below."""

    def problem(certificate: x509.Certificate) -> str | None:
        found = anatomy.extension_of(certificate, x509.BasicConstraints)
        length = found.value.path_length if found else None
        return None if length is not None and length >= least else f"path length is {length}"

    return problem


def wrong_subject_key_identifier(certificate: x509.Certificate) -> str | None:
    """SubjectKeyIdentifier that is absent or not the eight octets of method 2."""
    key = certificate.public_key()
    found = anatomy.subject_key_identifier(certificate)
    if found is None:
        return "SubjectKeyIdentifier is absent"
    if isinstance(key, ec.EllipticCurvePublicKey) and found == anatomy.key_identifier(key):
        return None
    return f"SubjectKeyIdentifier is {found.hex().upper()}"


def no_authority_key_identifier(certificate: x509.Certificate) -> str | None:
    """AuthorityKeyIdentifier that is absent or has no keyIdentifier."""
    found = anatomy.authority_key_identifier(certificate)
    return "AuthorityKeyIdentifier has no keyIdentifier" if found is None else None


def not_only_hardware_module_name(certificate: x509.Certificate) -> str | None:
    """SubjectAltName that holds other names than one HardwareModuleName."""
    names = anatomy.alternative_names(certificate)
    return (
        no_hardware_module_name(certificate)
        if len(names) == 1
        else f"SubjectAltName holds {len(names)} names"
    )


def no_hardware_module_name(certificate: x509.Certificate) -> str | None:
    """SubjectAltName without a HardwareModuleName that can be read."""
    try:
        name = anatomy.hardware_module_name(certificate)
    except HardwareNameError as error:
        return f"hardwareModuleName cannot be read ({error})"
    return None if name else "SubjectAltName holds no hardwareModuleName"


def no_host_name(certificate: x509.Certificate) -> str | None:
    """SubjectAltName without DNS name or IP address."""
    return None if anatomy.host_names(certificate) else "SubjectAltName holds no DNS name and no IP address"


def has_qualifiers(certificate: x509.Certificate) -> str | None:
    """Policy with qualifiers."""
    found = [
        policy.policy_identifier for policy in anatomy.policies_of(certificate) if policy.policy_qualifiers
    ]
    return f"policy {found[0].dotted_string} has qualifiers" if found else None


def lacks_policy(wanted: Collection[x509.ObjectIdentifier], name: str) -> Problem:
    """Whether none of these policies is there."""

    def problem(certificate: x509.Certificate) -> str | None:
        found = {policy.policy_identifier for policy in anatomy.policies_of(certificate)}
        return None if found & frozenset(wanted) else f"no policy says {name}"

    return problem


def unexpected(expected: Extensions, *, critical: bool) -> Problem:
    """Whether an extension outside the expected ones is there with this critical mark."""

    def problem(certificate: x509.Certificate) -> str | None:
        others = [found for found in certificate.extensions if found.oid not in expected]
        named = [found.oid.dotted_string for found in others if found.critical == critical]
        return f"{'critical ' * critical}extension {', '.join(named)} is there" if named else None

    return problem


def _listed(words: Collection[str]) -> str:
    return " + ".join(sorted(words)) or "absent or empty"
