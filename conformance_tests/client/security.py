"""Certificates and TLS of a client: which servers it must take, and which it must refuse. COMM-004; 6.11."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from certs.context import Offer, probing_server_context
from conformance_tests.case import AnyCase, Need, Role
from conformance_tests.chains import Chain, Offered, Side, rows_of, written
from conformance_tests.client.csip.site import site_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from certs import TlsContext
    from conformance_tests.client.bench import ClientBench

WATCHED_S: Final = 30.0
"""How long after its first try a client is watched, s of the stage: it may try again."""
LASTS_S: Final = 60.0
BOUND_S: Final = 1200.0


async def chain_is_judged(bench: ClientBench, chain: Chain) -> None:
    """Present a chain of the table."""
    if bench.ca is None or bench.tls is None:
        bench.trial.skip(f"needs {Need.TEST_CA}")
    issuer = replace(bench.ca, hosts=(bench.host,))
    with written(chain.make(issuer)) as files:
        certificate, key = files or (None, None)
        context = probing_server_context(Offer(certificate=certificate, key=key), bench.tls.roots)
        await _judged(bench, context, chain.what, taken=chain.is_right)


async def offer_is_judged(bench: ClientBench, offered: Offered) -> None:
    """Offer versions, suites or a curve with the right certificate."""
    if bench.tls is None:
        bench.trial.skip("the files of the scripted server are not known")
    own = replace(offered.offer, certificate=bench.tls.certificate, key=bench.tls.key)
    context = probing_server_context(own, bench.tls.roots)
    await _judged(bench, context, offered.what, taken=offered.is_taken)


async def _judged(bench: ClientBench, context: TlsContext, what: str, *, taken: bool) -> None:
    site_of(bench)
    await bench.serving.present(bench.host, bench.port, context)
    bench.trial.note(f"the server presents {what}")
    try:
        if taken:
            first = await bench.begin()
            bench.trial.check(first.status == 200, f"{what}: the client reads on", seen=first.status)
        else:
            await _refuses(bench, what)
    finally:
        await bench.leave()
        await bench.serving.present(bench.host, bench.port, None)


async def _refuses(bench: ClientBench, what: str) -> None:
    """The client comes, and sends no request over such a connection."""
    await bench.arrive()
    came = await bench.waits(lambda: bench.record.handshakes or bench.requests, bench.patience_s)
    bench.trial.require(came, "the client tries to connect", seen=f"not within {bench.patience_s:.0f} s")
    await bench.waits(lambda: bench.requests, WATCHED_S)
    asked = [f"{one.method} {one.path}" for one in bench.requests]
    seen = ", ".join(asked[:5]) or bench.record.handshakes[-1]
    bench.trial.check(not asked, f"{what}: the client sends no request", seen=seen)


def _cases_of(role: Role) -> Iterator[AnyCase]:
    """All cases of a role; the rows COMM-004 A to G of the CSIP test procedures are those of their chains."""
    side = Side(
        role=role,
        peer="a server",
        refusing="no request is sent to it",
        lasts_s=LASTS_S,
        bound_s=BOUND_S,
    )
    chains = list(side.chain_cases(lambda chain: partial(chain_is_judged, chain=chain)))
    yield from chains
    yield from side.offer_cases(lambda one: partial(offer_is_judged, offered=one))
    for name, case in rows_of(chains):
        yield replace(case, id=f"csip/{name}/{role}", profiles=frozenset({"csip"}))


CASES: Final[tuple[AnyCase, ...]] = (*_cases_of(Role.DER_CLIENT), *_cases_of(Role.AGGREGATOR))
