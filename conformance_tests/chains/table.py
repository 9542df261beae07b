"""The table of chains: what each is, whether a peer must take it, and how it is made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from conformance_tests.case import Level
from conformance_tests.chains import make

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance_tests.chains.ca import Identity, IssuingRoot

COMM_004: Final = "COMM-004"
PROFILE: Final = "6.11"
PATH: Final = "RFC 5280, 6.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """One chain: `id` in ids of cases, `what` it is in words, `is_right` where a peer must take it."""

    id: str
    what: str
    clause: str
    make: Callable[[IssuingRoot], Identity]
    is_right: bool = False
    level: Level = Level.MUST
    is_of_device: bool = True
    is_of_server: bool = True


CHAINS: Final = (
    Chain(id="two", what="root, leaf", clause=f"{COMM_004} A", make=make.two, is_right=True),
    Chain(id="three", what="root, MICA, leaf", clause=f"{COMM_004} B", make=make.three, is_right=True),
    Chain(id="four", what="root, MCA, MICA, leaf", clause=f"{COMM_004} C", make=make.four, is_right=True),
    Chain(
        id="mica-purpose",
        what="a MICA with a critical ExtendedKeyUsage",
        clause=f"{COMM_004} D",
        make=make.mica_purpose,
    ),
    Chain(
        id="mica-name-constraints",
        what="a MICA with name constraints that are not critical",
        clause=f"{COMM_004} E",
        make=make.mica_name_constraints,
    ),
    Chain(
        id="mica-policy-mappings",
        what="a MICA with policy mappings that are not critical",
        clause=f"{COMM_004} F",
        make=make.mica_policy_mappings,
    ),
    Chain(
        id="self-signed",
        what="a certificate that is signed by itself",
        clause=f"{COMM_004} G",
        make=make.self_signed,
    ),
    Chain(
        id="mca-name-constraints",
        what="an MCA with critical name constraints",
        clause=PROFILE,
        make=make.mca_name_constraints,
    ),
    Chain(
        id="mca-policy-mappings",
        what="an MCA with policy mappings",
        clause=PROFILE,
        make=make.mca_policy_mappings,
    ),
    Chain(
        id="unknown-critical-in-leaf",
        what="a leaf with a critical extension that nobody knows",
        clause=PROFILE,
        make=make.unknown_critical_in_leaf,
    ),
    Chain(
        id="unknown-critical-in-mica",
        what="a MICA with a critical extension that nobody knows",
        clause=PROFILE,
        make=make.unknown_critical_in_mica,
    ),
    Chain(id="expired-leaf", what="a leaf that is over", clause=PATH, make=make.expired_leaf),
    Chain(id="expired-mica", what="a MICA that is over", clause=PATH, make=make.expired_mica),
    Chain(id="early-leaf", what="a leaf that begins tomorrow", clause=PATH, make=make.early_leaf),
    Chain(id="rsa-key", what="a leaf with an RSA key", clause=PROFILE, make=make.rsa_key, is_of_server=False),
    Chain(id="p384-key", what="a leaf with a key on P-384", clause=PROFILE, make=make.p384_key),
    Chain(id="p384-mica", what="a MICA with a key on P-384", clause=PROFILE, make=make.p384_mica),
    Chain(
        id="stranger",
        what="a chain to another root of the same name",
        clause=PATH,
        make=make.stranger,
    ),
    Chain(
        id="forged",
        what="a leaf that names the MICA as its issuer, signed with another key",
        clause=PATH,
        make=make.forged,
    ),
    Chain(
        id="issued-by-device",
        what="a leaf that was signed with the key of a device",
        clause=PATH,
        make=make.issued_by_device,
    ),
    Chain(id="mica-no-ca", what="a MICA that is no CA", clause=PATH, make=make.mica_no_ca),
    Chain(
        id="mica-cannot-sign",
        what="a MICA whose KeyUsage has no keyCertSign",
        clause=PATH,
        make=make.mica_cannot_sign,
    ),
    Chain(
        id="path-too-long",
        what="a CA below a MICA whose path length is 0",
        clause=PATH,
        make=make.path_too_long,
    ),
    Chain(id="five", what="five certificates", clause=PROFILE, make=make.five),
    Chain(id="leaf-ca", what="a leaf that is a CA", clause=PROFILE, make=make.leaf_ca),
    Chain(
        id="gap",
        what="a leaf without the MICA that signed it",
        clause=PATH,
        make=make.gap,
    ),
    Chain(
        id="unreadable",
        what="a MICA with a SubjectAltName that is no ASN.1",
        clause="RFC 5280, 4.1",
        make=make.unreadable,
    ),
    Chain(
        id="none",
        what="no certificate",
        clause="COMM-003",
        make=make.nothing,
        is_of_server=False,
    ),
)
