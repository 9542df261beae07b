"""A certificate in words for a person at a terminal: lines of text. No files, no printing.

Names may hold anything: a line with what is not printable is escaped.
"""

from collections.abc import Iterator, Sequence

from cryptography import x509

from certs import anatomy, oids, problems
from certs.errors import HardwareNameError
from certs.findings import Kind
from certs.identity import display_lfdi, display_sfdi, lfdi_of, sfdi_of
from certs.line import one_line
from certs.profile import check, kind_of
from certs.refusal import path_findings


def describe_chain(chain: Sequence[x509.Certificate]) -> list[str]:
    """Lines about each certificate of a chain, its own first, and about how they hang together."""
    lines: list[str] = []
    for number, certificate in enumerate(chain, start=1):
        lines.append(f"certificate {number} of {len(chain)}")
        lines += [f"  {line}" for line in describe(certificate)]
    links = [one_line(str(finding)) for finding in path_findings(chain)]
    return [*lines, *(links or ["chain: each certificate is signed by the next"] * (len(chain) > 1))]


def describe(certificate: x509.Certificate, kind: Kind | None = None) -> list[str]:
    """Lines about one certificate and every finding against the profile; its kind by its looks unless given.

    UnreadableError for a certificate with parts that cannot be parsed.
    """
    kind = kind or kind_of(certificate)
    findings = [str(finding) for finding in check(certificate, kind)]
    lines = [*_facts(certificate, kind), *(findings or ["findings    none"])]
    return [one_line(line) for line in lines]


def _facts(certificate: x509.Certificate, kind: Kind) -> Iterator[str]:
    lfdi = lfdi_of(certificate)
    yield f"kind        {kind}"
    yield f"LFDI        {display_lfdi(lfdi)}"
    yield f"SFDI        {display_sfdi(sfdi_of(lfdi))}"
    yield f"subject     {certificate.subject.rfc4514_string() or '(empty)'}"
    yield f"issuer      {certificate.issuer.rfc4514_string() or '(empty)'}"
    yield f"hardware    {_hardware(certificate)}"
    yield f"hosts       {', '.join(anatomy.host_names(certificate)) or '(none)'}"
    for policy in anatomy.policies_of(certificate):
        oid = policy.policy_identifier
        yield f"policy      {oid.dotted_string}  {oids.POLICY_MEANINGS.get(oid, '(not of IEEE 2030.5)')}"
    yield f"not before  {certificate.not_valid_before_utc:%Y-%m-%d %H:%M:%S} UTC"
    yield f"not after   {_not_after(certificate)}"
    yield f"key         {anatomy.key_description(certificate)}, {_usages(certificate)}"


def _not_after(certificate: x509.Certificate) -> str:
    not_after = certificate.not_valid_after_utc
    return "never" if not_after == problems.NO_EXPIRY else f"{not_after:%Y-%m-%d %H:%M:%S} UTC"


def _usages(certificate: x509.Certificate) -> str:
    return "for " + (" + ".join(sorted(anatomy.key_usages(certificate))) or "any use")


def _hardware(certificate: x509.Certificate) -> str:
    try:
        name = anatomy.hardware_module_name(certificate)
    except HardwareNameError as error:
        return f"(cannot be read: {error})"
    if name is None:
        return "(none)"
    serial = name.hwSerialNum
    text = f" {serial.decode('ascii')!r}" if serial.isascii() and serial.decode("ascii").isprintable() else ""
    return f"type {name.hwType}, serial number {serial.hex().upper()}{text}"
