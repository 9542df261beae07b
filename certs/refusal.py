"""What a TLS peer must refuse although the path validates, and what holds a chain together.

A chain is a sequence of certificates: the peer's own first, the root last. IEEE 2030.5-2018, 6.11, and
the CSIP Conformance Test Procedures v1.3, COMM-004.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from certs import anatomy, problems
from certs.errors import UnreadableError
from certs.findings import CLAUSE, Finding, broken
from certs.problems import Problem
from certs.reading import require_readable

Chain = Sequence[x509.Certificate]

SHORTEST_CHAIN: Final = 2
LONGEST_CHAIN: Final = 4
COMM_004: Final = "CSIP Conformance Test Procedures v1.3, COMM-004"

_KNOWN_IN_CA: Final = frozenset(
    {
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.CERTIFICATE_POLICIES,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.SUBJECT_KEY_IDENTIFIER,
    }
)
_KNOWN_IN_LEAF: Final = _KNOWN_IN_CA | {
    ExtensionOID.EXTENDED_KEY_USAGE,
    ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
}


def _whole(chain: Chain) -> Chain:
    return chain


def _leaf(chain: Chain) -> Chain:
    return chain[:1]


def _below_root(chain: Chain) -> Chain:
    return chain[: max(1, len(chain) - 1)]


def _intermediates(chain: Chain) -> Chain:
    return chain[1:-1]


def _issuers(chain: Chain) -> Chain:
    return chain[1:]


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason to refuse: which certificates of the chain it looks at, and the question it asks each."""

    id: str
    part: Callable[[Chain], Chain]
    wants: str
    problem: Problem
    clause: str = CLAUSE


REFUSALS: Final = (
    Refusal("key-p256", _whole, "keys on the curve P-256", problems.wrong_key),
    Refusal("signature-ecdsa-sha256", _below_root, "ecdsa-with-SHA256", problems.wrong_signature),
    Refusal("issuer-is-ca", _issuers, "CA certificates above the peer's own", problems.not_ca),
    Refusal("leaf-not-ca", _leaf, "a peer whose certificate is no CA", problems.is_ca),
    Refusal(
        "mica-extended-key-usage",
        _intermediates,
        "no critical ExtendedKeyUsage in a CA",
        problems.critical(x509.ExtendedKeyUsage, "ExtendedKeyUsage"),
        clause=f"{COMM_004} D",
    ),
    Refusal(
        "no-name-constraints",
        _below_root,
        "no name constraints, critical or not",
        problems.present(frozenset({ExtensionOID.NAME_CONSTRAINTS}), "a name constraint"),
        clause=f"{COMM_004} E",
    ),
    Refusal(
        "no-policy-mappings",
        _below_root,
        "no policy mappings, critical or not",
        problems.present(frozenset({ExtensionOID.POLICY_MAPPINGS}), "a policy mapping"),
        clause=f"{COMM_004} F",
    ),
    Refusal(
        "unknown-critical-extension",
        _intermediates,
        "no critical extension outside the profile",
        problems.unexpected(_KNOWN_IN_CA, critical=True),
    ),
    Refusal(
        "unknown-critical-extension",
        _leaf,
        "no critical extension outside the profile",
        problems.unexpected(_KNOWN_IN_LEAF, critical=True),
    ),
)


def refusal(chain: Chain, *, allow_self_signed: bool = False) -> Finding | None:
    """First reason to refuse a peer whose chain already passed path validation, or None.

    `chain` is the verified one, the peer's certificate first and the trusted root last. Trust, dates
    and signatures are not looked at again. IEEE 2030.5-2018, 6.11; CSIP COMM-004 D to G.
    """
    try:
        for certificate in chain:
            require_readable(certificate)
    except UnreadableError as error:
        return broken("readable", f"{error}; wanted: certificates that can be read", "RFC 5280, 4.1")
    return _length_refusal(chain, allow_self_signed=allow_self_signed) or next(_refusals(chain), None)


def path_findings(chain: Chain) -> list[Finding]:
    """What keeps the certificates from being a path, each signed by the next; the root may be left out.

    IEEE 2030.5-2018, 6.11.
    """
    findings = [_link_finding(number, *pair) for number, pair in enumerate(pairwise(chain), start=1)]
    if len(chain) > LONGEST_CHAIN:
        findings.append(broken("chain-length", f"{len(chain)} certificates; wanted: 2 to 4"))
    return [finding for finding in findings if finding is not None]


def _length_refusal(chain: Chain, *, allow_self_signed: bool) -> Finding | None:
    if len(chain) == 1 and anatomy.is_self_signed(chain[0]):
        text = "the peer's certificate is self-signed; wanted: one signed by a CA"
        return None if allow_self_signed else broken("self-signed", text, f"{COMM_004} G")
    if SHORTEST_CHAIN <= len(chain) <= LONGEST_CHAIN:
        return None
    return broken(
        "chain-length", f"the chain has {len(chain)} certificates; wanted: 2 to 4, root included", CLAUSE
    )


def _refusals(chain: Chain) -> Iterator[Finding]:
    for reason in REFUSALS:
        for certificate in reason.part(chain):
            if (wrong := reason.problem(certificate)) is not None:
                place = f"certificate {chain.index(certificate) + 1} of {len(chain)}"
                yield broken(reason.id, f"{place}: {wrong}; wanted: {reason.wants}", reason.clause)


def _link_finding(number: int, certificate: x509.Certificate, issuer: x509.Certificate) -> Finding | None:
    place = f"certificate {number}"
    if certificate.issuer != issuer.subject:
        text = f"{place}: issuer is not the subject of certificate {number + 1}; wanted: equal names"
        return broken("issuer-is-signer", text)
    authority = anatomy.authority_key_identifier(certificate)
    if authority is not None and authority != anatomy.subject_key_identifier(issuer):
        text = (
            f"{place}: AuthorityKeyIdentifier is {authority.hex().upper()}; wanted: that of the signer's key"
        )
        return broken("authority-key-of-signer", text, "RFC 5280, 4.2.1.1")
    if not anatomy.is_issued_by(certificate, issuer):
        text = f"{place}: not signed with the key of certificate {number + 1}; wanted: a chain of signatures"
        return broken("signed-by-next", text, "RFC 5280, 6.1.3")
    return None
