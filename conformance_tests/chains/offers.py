"""The table of offers: versions, suites and curves, and whether a peer must take each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from certs.context import FURTHER_SUITE, MANDATORY_SUITE, Offer, TlsVersion
from conformance_tests.case import Level

CBC: Final = "ECDHE-ECDSA-AES128-SHA"
LIKED_BETTER: Final = "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """One offer: `id` in ids of cases, `what` it is in words, `is_taken` where a peer must take it.

    `is_of_device` where a device offers it to a server under test, `is_of_server` the other way round.
    """

    id: str
    what: str
    offer: Offer
    is_taken: bool = False
    level: Level = Level.MUST
    is_of_device: bool = True
    is_of_server: bool = True


OFFERS: Final = (
    Offered(
        id="suite-mandatory-alone", what="CCM_8 alone", offer=Offer(suites=MANDATORY_SUITE), is_taken=True
    ),
    Offered(
        id="suite-mandatory-last",
        what="CCM_8 after suites that others like better",
        offer=Offer(suites=f"{LIKED_BETTER}:{MANDATORY_SUITE}"),
        is_taken=True,
        level=Level.SHOULD,
        is_of_server=False,
    ),
    Offered(
        id="suite-mandatory-offered",
        what=f"{FURTHER_SUITE} alone",
        offer=Offer(suites=FURTHER_SUITE),
        level=Level.MAY,
        is_of_device=False,
    ),
    Offered(id="suite-cbc", what="a CBC suite alone", offer=Offer(suites=CBC), level=Level.SHOULD),
    Offered(
        id="suite-without-encryption",
        what="suites without encryption alone",
        offer=Offer(suites="ECDHE-ECDSA-NULL-SHA"),
    ),
    Offered(
        id="curve-p384", what="the curve P-384 alone", offer=Offer(curve="secp384r1"), level=Level.SHOULD
    ),
    Offered(
        id="version-1.1",
        what="TLS 1.1 alone",
        offer=Offer(suites=CBC, least=TlsVersion.TLSv1_1, most=TlsVersion.TLSv1_1),
    ),
    Offered(
        id="version-1.0",
        what="TLS 1.0 alone",
        offer=Offer(suites=CBC, least=TlsVersion.TLSv1, most=TlsVersion.TLSv1),
        is_of_server=False,
    ),
)
