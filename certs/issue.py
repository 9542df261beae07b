"""Certificates made to the profile: templates as values, and the signature that turns one into a certificate.

Keys, serial numbers and times are arguments. A template may be changed with `dataclasses.replace` or
`Template.with_extension` to make certificates that a peer must refuse. IEEE 2030.5-2018, 6.11.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from certs import anatomy, oids
from certs.errors import RequestError
from certs.hardware import HardwareModuleName
from certs.problems import NO_EXPIRY

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

NO_NAME: Final = x509.Name([])


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """What neither key nor signer decides of a certificate; extensions with their critical mark."""

    subject: x509.Name
    extensions: tuple[tuple[x509.ExtensionType, bool], ...]
    not_after: datetime = NO_EXPIRY

    def with_extension(self, value: x509.ExtensionType, *, critical: bool) -> Self:
        """Template with this extension in place of any of the same type."""
        kept = tuple(pair for pair in self.extensions if pair[0].oid != value.oid)
        return replace(self, extensions=(*kept, (value, critical)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """CA certificate and its private key. IEEE 2030.5-2018, 6.11."""

    certificate: x509.Certificate
    key: PrivateKey


def sign(
    template: Template,
    key: PrivateKey,
    signer: Signer | None,
    *,
    not_before: datetime,
    serial_number: int,
) -> x509.Certificate:
    """Certificate for the public half of `key`, signed by `signer`, or by `key` itself where that is None.

    Adds the AuthorityKeyIdentifier: the signer's SubjectKeyIdentifier, absent in self-signed ones.
    RequestError if the library refuses a value. IEEE 2030.5-2018, 6.11.
    """
    builder = (
        x509.CertificateBuilder()
        .subject_name(template.subject)
        .issuer_name(signer.certificate.subject if signer else template.subject)
        .public_key(key.public_key())
        .serial_number(serial_number)
        .not_valid_before(not_before)
        .not_valid_after(template.not_after)
    )
    for value, critical in _with_authority(template, signer):
        builder = builder.add_extension(value, critical=critical)
    return builder.sign(signer.key if signer else key, hashes.SHA256())


def ca_template(common_name: str, key: ec.EllipticCurvePrivateKey, *, path_length: int | None) -> Template:
    """Template of a SERCA (path length None), MCA (1) or MICA (0). IEEE 2030.5-2018, 6.11."""
    subject_key = x509.SubjectKeyIdentifier(anatomy.key_identifier(key.public_key()))
    return Template(
        subject=_name(common_name, "Lineside lab PKI"),
        extensions=(
            (x509.BasicConstraints(ca=True, path_length=path_length), True),
            (subject_key, False),
            (_key_usage("key_cert_sign", "crl_sign"), True),
            (_policies([oids.ANY_POLICY]), True),
        ),
    )


def device_template(name: HardwareModuleName, policies: Sequence[x509.ObjectIdentifier]) -> Template:
    """Template of a device, which has no name but its hardwareModuleName. IEEE 2030.5-2018, 6.11.7.4."""
    return Template(
        subject=NO_NAME,
        extensions=(
            (_key_usage("digital_signature", "key_agreement"), True),
            (x509.SubjectAlternativeName([_other_name(name)]), True),
            (_policies(policies), True),
        ),
    )


def self_signed_template(common_name: str) -> Template:
    """Template of a client that signs its own certificate: policy .2.2. IEEE 2030.5-2018, 6.11.7.3."""
    return Template(
        subject=_name(common_name, None),
        extensions=(
            (_key_usage("digital_signature", "key_agreement"), True),
            (_policies([oids.SELF_SIGNED_CLIENT]), True),
        ),
    )


def server_template(common_name: str, hosts: Sequence[str]) -> Template:
    """Template of a utility server with its DNS names and IP addresses, critical. IEEE 2030.5-2018, 6.11.

    RequestError for a host that is neither.
    """
    return Template(
        subject=_name(common_name, None),
        extensions=(
            (_key_usage("digital_signature", "key_agreement"), True),
            (x509.SubjectAlternativeName(names_of(hosts)), True),
            (_policies([oids.DEVICE_GENERIC, oids.COMMERCIAL]), False),
        ),
    )


def names_of(hosts: Sequence[str]) -> list[x509.GeneralName]:
    """DNS names and IP addresses as certificates have them. RequestError for a host that is neither."""
    return [_host_name(host) for host in hosts]


def modbus_template(common_name: str, hosts: Sequence[str], role: x509.ExtensionType | None) -> Template:
    """Template of a peer of Modbus/TCP Security: a device with its hosts, or a client with its role.

    RequestError for a host that is none. MODBUS/TCP Security Protocol Specification v36, 8.
    """
    purpose = ExtendedKeyUsageOID.SERVER_AUTH if hosts else ExtendedKeyUsageOID.CLIENT_AUTH
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (_key_usage("digital_signature", "key_agreement"), True),
        (x509.ExtendedKeyUsage([purpose]), False),
    ]
    if hosts:
        extensions.append((x509.SubjectAlternativeName([_host_name(host) for host in hosts]), False))
    if role is not None:
        extensions.append((role, False))
    return Template(subject=_name(common_name, None), extensions=tuple(extensions))


def aggregator_template(
    common_name: str, organization: str, country: str, hosts: Sequence[str], name: HardwareModuleName
) -> Template:
    """Template of an aggregator: named, commercial, a client and, for notifications, a server.

    The shape is that of the Australian PKI. `country` is a two-letter code. RequestError for a host or
    country that is none.
    """
    names = [*(_host_name(host) for host in hosts), _other_name(name)]
    purposes = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
    return Template(
        subject=_name(common_name, organization, country),
        extensions=(
            (_key_usage("digital_signature", "key_agreement"), True),
            (x509.SubjectAlternativeName(names), False),
            (x509.ExtendedKeyUsage(purposes), False),
            (_policies([oids.DEVICE_GENERIC, oids.COMMERCIAL]), False),
        ),
    )


def _with_authority(template: Template, signer: Signer | None) -> tuple[tuple[x509.ExtensionType, bool], ...]:
    identifier = anatomy.subject_key_identifier(signer.certificate) if signer else None
    if identifier is None:
        return template.extensions
    return ((x509.AuthorityKeyIdentifier(identifier, None, None), False), *template.extensions)


def _name(common_name: str, organization: str | None, country: str | None = None) -> x509.Name:
    parts = (
        (NameOID.COUNTRY_NAME, country),
        (NameOID.ORGANIZATION_NAME, organization),
        (NameOID.COMMON_NAME, common_name),
    )
    try:
        return x509.Name([x509.NameAttribute(oid, text) for oid, text in parts if text is not None])
    except ValueError as error:
        raise RequestError(f"subject: {error}") from error


def _key_usage(*allowed: str) -> x509.KeyUsage:
    words = (*anatomy.KEY_USAGES, "encipher_only", "decipher_only")
    return x509.KeyUsage(**{word: word in allowed for word in words})


def _policies(policies: Sequence[x509.ObjectIdentifier]) -> x509.CertificatePolicies:
    return x509.CertificatePolicies([x509.PolicyInformation(policy, None) for policy in policies])


def _other_name(name: HardwareModuleName) -> x509.OtherName:
    return x509.OtherName(oids.HARDWARE_MODULE_NAME, name.to_der())


def _host_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        return x509.DNSName(host)
    except ValueError as error:
        raise RequestError(f"host: {host[:60]!r} is no IP address and no DNS name: {error}") from error
