"""How a server is found, and whom it lets in: COMM-001 to 004."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from conformance_tests.case import Need
from conformance_tests.chains import CHAINS
from conformance_tests.server.csip import steps
from conformance_tests.server.csip.discovery import announced
from conformance_tests.server.csip.rows import row
from conformance_tests.server.security.cases import chain_is_judged
from schemas import DeviceCapability, EndDeviceList

if TYPE_CHECKING:
    from conformance_tests.case import AnyCase
    from conformance_tests.server.bench import ServerBench

SUITE: Final = "ECDHE-ECDSA-AES128-CCM8"
_GOOD: Final = {
    "COMM-004A": "Advanced security: certificate chain length 2",
    "COMM-004B": "Advanced security: certificate chain length 3",
    "COMM-004C": "Advanced security: certificate chain length 4",
}
_BAD: Final = {
    "COMM-004D": "Advanced security: invalid MICA: critical extended key usage",
    "COMM-004E": "Advanced security: invalid MICA: name constraint, non critical",
    "COMM-004F": "Advanced security: invalid MICA: policy mapping, non critical",
    "COMM-004G": "Advanced security: self-signed device certificate",
}
_SEVERAL: Final = frozenset({Need.TEST_CA, Need.OPERATOR})


async def multicast_discovery(bench: ServerBench) -> None:
    """COMM-001: PTR, SRV and TXT of `_smartenergy._tcp`, and the DeviceCapability that they name."""
    await steps.own(bench)
    place = urlsplit(bench.dcap)
    found = await announced(place.hostname or "")
    mine = [one for one in found if one.port == place.port]
    what = "the server answers _smartenergy._tcp by multicast DNS, with its port"
    bench.trial.require(mine, what, seen=[f"{one.name} port {one.port}" for one in found])
    texts = mine[0].texts
    bench.trial.check(texts.get("txtvers") == "1", "TXT has txtvers=1", seen=texts)
    bench.trial.check(texts.get("dcap", "").startswith("/"), "TXT has the path of dcap", seen=texts)
    bench.trial.check(texts.get("level") in {"-S1", "+S1", "-S0", "+S0"}, "TXT has a level", seen=texts)
    https = texts.get("https")
    good = https is not None and (not https or https.isdigit())
    bench.trial.check(good, "TXT has https, with its port or empty", seen=texts)
    dcap = await bench.device.read(texts.get("dcap", "/"), DeviceCapability)
    bench.trial.check(dcap.href, "the DeviceCapability is at the path that TXT tells", seen=dcap.href)


async def out_of_band(bench: ServerBench) -> None:
    """COMM-002: the DeviceCapability at the address that was given, and a resource that it links to."""
    await steps.own(bench)
    dcap = await bench.device.read(bench.dcap, DeviceCapability)
    place = steps.linked(bench, dcap, "EndDeviceListLink")
    devices = await bench.device.read(place, EndDeviceList)
    bench.trial.check(devices.href, "the EndDeviceList tells its href", seen=devices.href)


async def basic_security(bench: ServerBench) -> None:
    """COMM-003: TLS 1.2 with the mandatory suite, certificates of both sides, and an answer."""
    await steps.own(bench)
    async with bench.visitor("strict device", bench.device.credentials, strict=True) as viewer:
        exchange = await viewer.get(bench.dcap)
        facts = exchange.tls
    bench.trial.require(facts, "the connection is one of TLS", seen="none")
    if facts is None:
        return
    bench.trial.check(facts.version == "TLSv1.2", "TLS 1.2 is negotiated", seen=facts.version)
    bench.trial.check(facts.suite == SUITE, f"{SUITE} is negotiated", seen=facts.suite)
    bench.trial.check(facts.chain, "the server shows a certificate that ends at the root", seen=facts.chain)
    bench.trial.check(exchange.status == 200, "GET of dcap answers 200", seen=exchange.status)


def chain_case(id_: str) -> AnyCase:
    """The case of one chain of certificates: that of TLS with it, of a device that is registered."""
    chain = next(one for one in CHAINS if one.clause == f"COMM-004 {id_[-1]}")
    what = (
        "A device whose chain has this length is let in."
        if id_ in _GOOD
        else "A device with this chain is refused: by an alert of TLS, the end of the connection, or 403."
    )
    return row(id_, {**_GOOD, **_BAD}[id_], what).case(partial(chain_is_judged, chain=chain), needs=_SEVERAL)


CASES: Final = (
    row(
        "COMM-001",
        "xmDNS discovery",
        "The server is announced by DNS-SD over multicast with valid TXT keys.",
    ).case(multicast_discovery, needs=frozenset({Need.LOCAL_NETWORK}), lasts_s=15),
    row(
        "COMM-002",
        "Out-of-band discovery",
        "DeviceCapability at the given address, and a resource that it links to, answer 200.",
    ).case(out_of_band),
    row(
        "COMM-003",
        "Basic security",
        "TLS 1.2 with ECDHE-ECDSA-AES128-CCM8 and certificates of both sides.",
    ).case(basic_security),
    *(chain_case(id_) for id_ in (*_GOOD, *_BAD)),
)
