"""OpenADR 2.0b: a signed poll with its checked answer, and a report of 10,000 points. CPU time."""

from __future__ import annotations

import asyncio
import itertools
import statistics
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from bench.measure import Result
from certs import fingerprint_of
from openadr_ven.v2b import messages as m
from openadr_ven.v2b import report_messages as r
from openadr_ven.v2b.exchange import Exchange, stamp
from openadr_ven.v2b.replay import ReplayGuard
from openadr_ven.v2b.signature import Signer, Verifier
from openadr_ven.v2b.writing import enveloped, signed_object

if TYPE_CHECKING:
    from collections.abc import Callable

NOW: Final = time.time()
POINTS: Final = 10_000
POLLS: Final = 300


@dataclass(slots=True)
class Shelf:
    """A VTN whose answers were made before."""

    answers: list[bytes]
    peer: bytes | None = None
    nonces: itertools.count[int] = field(default_factory=itertools.count)

    async def send(self, _: m.Service, __: bytes) -> bytes:
        """The next answer."""
        return self.answers.pop()


def measure() -> list[Result]:
    """Both promises."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _certificate(key)
    signer = Signer(certificate, key)
    bare = _median_ms(
        lambda: key.public_key().verify(key.sign(b"x", ec.ECDSA(SHA256())), b"x", ec.ECDSA(SHA256()))
    )
    return [
        Result(
            name="signed 2.0b poll and its answer, checked (CPU, no HTTP)",
            ours=_poll_ms(signer, fingerprint_of(certificate.public_bytes(Encoding.DER))),
            floor_value=bare,
            floor="one bare P-256 sign and verify",
            bar=6.7,
            note="2 ms where that takes 0.3 ms",
        ),
        Result(
            name=f"2.0b report of {POINTS:,} points, built and signed (CPU)",
            ours=_median_ms(lambda: _report(signer), runs=5),
            bar=1000,
        ),
    ]


def _poll_ms(signer: Signer, fingerprint: str) -> float:
    answer = signed_object(m.Response(response=m.EiResponse(), venID="ven"))
    shelf = Shelf([enveloped(answer, signer.sign(answer, stamp(NOW), f"a{n}")) for n in range(POLLS)])
    exchange = Exchange(
        shelf,
        lambda: NOW,
        lambda: f"q{next(shelf.nonces)}",
        signer,
        Verifier(ReplayGuard(), {fingerprint}),
    )

    async def polls() -> float:
        costs = []
        for _ in range(POLLS):
            begin = time.process_time()
            await exchange.ask(m.Service.POLL, m.Poll(venID="ven"))
            costs.append(time.process_time() - begin)
        return statistics.median(costs) * 1e3

    return asyncio.run(polls())


def _report(signer: Signer) -> bytes:
    begin = int(NOW)
    intervals = tuple(
        r.ReportInterval(
            start=begin + 60 * n, duration_s=60, data=(r.Datum(rID="w", value=Decimal(n), quality=r.GOOD),)
        )
        for n in range(POINTS)
    )
    report = r.Report(
        reportRequestID="q",
        reportSpecifierID="s",
        reportName="HISTORY_USAGE",
        createdDateTime=begin,
        start=begin,
        intervals=intervals,
    )
    text = signed_object(m.UpdateReport(requestID="r", reports=(report,), venID="ven"))
    return enveloped(text, signer.sign(text, stamp(NOW), "n"))


def _median_ms(work: Callable[[], object], runs: int = 300) -> float:
    costs = []
    for _ in range(runs):
        begin = time.process_time()
        work()
        costs.append(time.process_time() - begin)
    return statistics.median(costs) * 1e3


def _certificate(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bench")])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, SHA256())
    )
