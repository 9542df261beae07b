"""Check of one certificate against the profile, and its kind by its looks. IEEE 2030.5-2018, 6.11."""

from collections.abc import Iterator

from cryptography import x509

from certs import problems
from certs.findings import Finding, Kind
from certs.reading import require_readable
from certs.rules import RULES


def check(certificate: x509.Certificate, kind: Kind) -> list[Finding]:
    """Every finding about one certificate of this kind, in the order of the profile; empty when all is well.

    UnreadableError for a certificate with parts that cannot be parsed. IEEE 2030.5-2018, 6.11.
    """
    require_readable(certificate)
    return list(_findings(certificate, kind))


def kind_of(certificate: x509.Certificate) -> Kind:
    """Most likely kind of a certificate, by its shape alone. IEEE 2030.5-2018, 6.11."""
    if problems.is_ca(certificate):
        return _ca_kind(certificate)
    if problems.self_signed(certificate):
        return Kind.SELF_SIGNED_DEVICE
    if not len(certificate.subject):
        return Kind.DEVICE
    return Kind.SERVER if problems.no_hardware_module_name(certificate) else Kind.AGGREGATOR


def _ca_kind(certificate: x509.Certificate) -> Kind:
    if problems.self_signed(certificate):
        return Kind.ROOT
    return Kind.MCA if problems.path_length_below(1)(certificate) is None else Kind.MICA


def _findings(certificate: x509.Certificate, kind: Kind) -> Iterator[Finding]:
    for rule in RULES:
        if kind in rule.kinds and (finding := rule.finding(certificate)):
            yield finding
