"""Cases of certificates and TLS for a server. CSIP COMM-003 and COMM-004; IEEE 2030.5-2018, 6.11."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from certs import CertsError, client_context, peer_identity
from certs.context import MANDATORY_SUITE, Offer, probing_client_context
from certs.ending import cut
from certs.findings import Kind, Severity
from certs.profile import check
from conformance_tests.case import AnyCase, Case, Level, Need, Role
from conformance_tests.chains import MUTUAL, Chain, Identity, Offered, Side, written
from conformance_tests.errors import TargetError
from conformance_tests.server.wire import Wire, origin_of
from conformance_tests.sources import CSIP, STANDARD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography import x509

    from certs import TlsContext
    from conformance_tests.evidence import Exchange
    from conformance_tests.server.target import Bench

REFUSED: Final = 403
ACCEPT: Final = {"Accept": "application/sep+xml"}


async def ask(bench: Bench, context: TlsContext, by: str) -> Exchange:
    """GET of the DeviceCapability over a connection of its own; its exchange is the evidence."""
    kept: list[Exchange] = []

    def keep(exchange: Exchange) -> None:
        kept.append(exchange)
        bench.trial.exchange(exchange)

    wire = Wire(by=by, context=context, now=bench.target.now, bounds=bench.target.bounds)
    try:
        return await wire.request("GET", bench.dcap, ACCEPT, None, keep)
    except TargetError:
        return kept[-1]
    finally:
        await wire.close()


def is_refusal(exchange: Exchange) -> bool:
    """A TLS alert, a connection that was closed, or 403: all of them refuse. COMM-004, erratum 7."""
    if exchange.status is not None:
        return exchange.status == REFUSED
    return "no whole answer within" not in exchange.error and "no connection within" not in exchange.error


def seen(exchange: Exchange) -> str:
    """What came, in words."""
    return f"status {exchange.status}" if exchange.status is not None else exchange.error


async def chain_is_judged(bench: Bench, chain: Chain) -> None:
    """Present a chain of the table.

    A wrong chain that is refused with 403 may be so because nobody knows its device: where the run has an
    operator the device is registered then, and must be refused all the same. Without one nobody can tell.
    """
    held = chain.make(bench.target.ca) if bench.target.ca is not None else Identity(chain=())
    if chain.is_right and held.lfdi is not None:
        await bench.operator.ensure_device(held.lfdi)
    bench.trial.note(f"presents {chain.what}: {_subjects(held)}")
    exchange = await _presented(bench, chain, held)
    is_unsure = not chain.is_right and exchange.status == REFUSED and held.lfdi is not None
    if is_unsure and Need.OPERATOR in bench.has:
        bench.trial.note("403 may mean that the device is not known: it is registered, and presents it again")
        await bench.operator.ensure_device(held.lfdi or "")
        exchange = await _presented(bench, chain, held)
    elif is_unsure:
        bench.trial.skip("403 may mean that nobody knows the device of this chain: --operator registers it")
    if chain.is_right:
        what = f"{chain.what}: taken, GET answered 200"
        bench.trial.check(exchange.status == 200, what, seen=seen(exchange))
    else:
        what = f"{chain.what}: refused by TLS alert, a closed connection or 403"
        bench.trial.check(is_refusal(exchange), what, seen=seen(exchange))
    await _still_there(bench)


async def _presented(bench: Bench, chain: Chain, held: Identity) -> Exchange:
    """The answer to a GET over a connection with a chain."""
    with written(held) as files:
        certificate, key = files or (None, None)
        offer = Offer(certificate=certificate, key=key)
        context = probing_client_context(offer, bench.target.device.root_path)
        return await ask(bench, context, f"device with {chain.what}")


async def _still_there(bench: Bench) -> None:
    """A refused peer takes nobody else with it."""
    exchange = await bench.device.get(bench.dcap)
    bench.trial.check(exchange.status == 200, "a right device is answered afterwards", seen=seen(exchange))


def _subjects(held: Identity) -> str:
    return " <- ".join(one.subject.rfc4514_string() or "(no subject)" for one in held.chain) or "nothing"


async def offer_is_judged(bench: Bench, offered: Offered) -> None:
    """Offer versions, suites or a curve with the right certificate of the device."""
    device, what = bench.target.device, offered.what
    own = replace(offered.offer, certificate=device.certificate_path, key=device.key_path)
    exchange = await ask(bench, probing_client_context(own, device.root_path), f"device that offers {what}")
    if offered.is_taken:
        bench.trial.check(exchange.status == 200, f"{what}: taken", seen=seen(exchange))
        suite = exchange.tls.suite if exchange.tls else ""
        bench.trial.check(suite == MANDATORY_SUITE, "the suite is CCM_8 on AES-128", seen=suite)
    else:
        bench.trial.check(exchange.status is None, f"{what}: no connection", seen=seen(exchange))
    await _still_there(bench)


async def security_is_basic(bench: Bench) -> None:
    """COMM-003: version, suite, mutual authentication, GET."""
    device = bench.target.device
    paths = (device.certificate_path, device.key_path, device.root_path)
    exchange = await ask(bench, client_context(*paths), "device")
    facts = exchange.tls
    bench.trial.require(
        facts is not None and exchange.status == 200, "GET is answered 200", seen=seen(exchange)
    )
    if facts is not None:
        bench.trial.check(facts.version == "TLSv1.2", "TLS 1.2", seen=facts.version)
        bench.trial.check(facts.suite == MANDATORY_SUITE, "the suite is CCM_8 on AES-128", seen=facts.suite)
    with_none = await ask(bench, probing_client_context(Offer(), device.root_path), "nobody")
    bench.trial.check(is_refusal(with_none), "without a certificate nobody is answered", seen=seen(with_none))


async def presented(bench: Bench) -> Sequence[x509.Certificate]:
    """What the server presents, verified: its own certificate first, the root last."""
    device, (_, host, port) = bench.target.device, origin_of(bench.dcap)
    context = client_context(device.certificate_path, device.key_path, device.root_path)
    try:
        async with asyncio.timeout(bench.target.bounds.connect_s):
            _, writer = await asyncio.open_connection(host, port, ssl=context)
        identity = peer_identity(writer.get_extra_info("ssl_object"))
        cut(writer.transport)
    except (OSError, TimeoutError, CertsError) as error:
        raise TargetError(f"its chain cannot be seen: {error}") from error
    return identity.chain if identity is not None else ()


async def server_certificate_keeps_the_profile(bench: Bench) -> None:
    """The chain that the server presents, rule by rule."""
    chain = await presented(bench)
    bench.trial.require(bool(chain), "the server presents a certificate that can be read")
    for finding in check(chain[0], Kind.SERVER):
        level = Level.MUST if finding.severity is Severity.ERROR else Level.SHOULD
        bench.trial.check(
            held=False, what=f"rule {finding.rule}", seen=finding.text, level=level, clause=finding.clause
        )
    for place, certificate in enumerate(chain[1:], 1):
        kind = Kind.ROOT if place == len(chain) - 1 else Kind.MICA if place == 1 else Kind.MCA
        for finding in check(certificate, kind):
            what = f"rule {finding.rule} in {certificate.subject.rfc4514_string()}"
            bench.trial.check(
                held=False, what=what, seen=finding.text, level=Level.SHOULD, clause=finding.clause
            )
    names = " <- ".join(one.subject.rfc4514_string() for one in chain)
    bench.trial.check(2 <= len(chain) <= 4, "its chain has 2 to 4 certificates", seen=names)


_SIDE: Final = Side(
    role=Role.SERVER,
    peer="a device",
    refusing="by TLS alert, closed connection or 403",
    lasts_s=0.1,
    bound_s=60,
)
CASES: Final[tuple[AnyCase, ...]] = (
    Case(
        id="tls/basic/server",
        title="TLS 1.2 with CCM_8 and certificates on both sides",
        source=CSIP,
        clause="COMM-003",
        requirement="The handshake is mutual, TLS 1.2 with AES_128_CCM_8; then a GET is answered.",
        role=Role.SERVER,
        profiles=MUTUAL,
        procedure=security_is_basic,
        lasts_s=0.1,
        bound_s=60,
    ),
    Case(
        id="tls/server-certificate/server",
        title="the certificate of the server keeps the profile",
        source=STANDARD,
        clause="6.11",
        requirement="The chain that the server presents keeps the certificate profile.",
        role=Role.SERVER,
        profiles=MUTUAL,
        procedure=server_certificate_keeps_the_profile,
        lasts_s=0.1,
        bound_s=60,
    ),
    *_SIDE.chain_cases(lambda chain: partial(chain_is_judged, chain=chain)),
    *_SIDE.offer_cases(lambda one: partial(offer_is_judged, offered=one)),
)
