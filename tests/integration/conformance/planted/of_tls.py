"""Servers and clients that trust, or speak to, whom they should not. IEEE 2030.5-2018, 6.7 and 6.11."""

import math
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from certs import LFDI, TlsContext
from certs.context import FURTHER_SUITE, MANDATORY_SUITE, Offer, TlsVersion, probing_client_context
from certs.peer import Admitted
from conformance_tests.server.target import ServerTarget
from der_client import session
from der_client.server_check import ServerCheck
from sep2_server import protocol
from tests.integration.conformance.planted.answers import mistaken
from tests.integration.conformance.planted.row import Kind, Plant, Planted, instead


def admits(target: ServerTarget) -> AbstractContextManager[None]:
    """Whom OpenSSL takes is the device: no rule of certificates is held beside."""
    own = Admitted(LFDI(str(target.device.lfdi)), math.inf)
    return instead(protocol, "admission", lambda _: lambda *_, **__: own)


def looks_at_path_alone(_: object) -> AbstractContextManager[None]:
    """A client that leaves the judgement to OpenSSL."""
    return instead(ServerCheck, "refusal", lambda _: lambda *_: None)


def offers(offer: Offer, *, trusts_all: bool = False) -> Plant:
    """The client has a TLS context of its own, and leaves the judgement to it."""

    def context(certificate: Path, key: Path, roots: Path, *, strict: bool = False) -> TlsContext:
        del strict
        made = probing_client_context(replace(offer, certificate=certificate, key=key), roots)
        if trusts_all:
            made.verify_mode = type(made.verify_mode)(0)
        return made

    @contextmanager
    def plant(_: object) -> Iterator[None]:
        with ExitStack() as stack:
            stack.enter_context(looks_at_path_alone(None))
            stack.enter_context(instead(session, "client_context", lambda _: context))
            yield

    return plant


def row(
    name: str, broken: str, role: str, cases: tuple[str, ...], plant: Plant, told: str, *, warns: bool = False
) -> Planted:
    """One fault of whom a peer trusts."""
    ids = tuple(f"{case}/{role}" for case in cases)
    return Planted(
        name=name, kind=Kind.SECURITY, broken=broken, cases=ids, told=told, plant=plant, warns=warns
    )


CBC: Final = "ECDHE-ECDSA-AES128-SHA"
BEYOND_OPENSSL: Final = ("mica-purpose", "mica-name-constraints", "mica-policy-mappings")
OF_OPENSSL: Final = ("expired-leaf", "stranger", "self-signed")


def chains(*names: str) -> tuple[str, ...]:
    """Cases of chains."""
    return tuple(f"tls/chain-{name}" for name in names)


FAULTS: Final = (
    row(
        "server-looks-at-path-alone",
        "the server holds no rule of certificates but those of OpenSSL",
        "server",
        (*chains(*BEYOND_OPENSSL, "mca-policy-mappings"), "csip/COMM-004D", "csip/COMM-004F"),
        admits,
        "refused",
    ),
    row(
        "server-takes-any-chain",
        "the server takes who shows any chain, or none, for the device",
        "server",
        (*chains(*OF_OPENSSL, "none"), "csip/COMM-004G"),
        mistaken(lambda by: by.startswith("device with")),
        "refused",
    ),
    row(
        "server-takes-any-offer",
        "the server speaks older versions, and suites without encryption",
        "server",
        ("tls/suite-without-encryption", "tls/version-1.1", "tls/version-1.0"),
        mistaken(lambda by: by.startswith("device that offers")),
        "no connection",
    ),
    row(
        "client-looks-at-path-alone",
        "the client holds no rule of certificates but those of OpenSSL",
        "client",
        (*chains(*BEYOND_OPENSSL), "csip/COMM-004E"),
        looks_at_path_alone,
        "the client sends no request",
    ),
    row(
        "client-takes-any-chain",
        "the client takes any certificate of a server",
        "client",
        (*chains(*OF_OPENSSL, "forged"), "csip/COMM-004G"),
        offers(Offer(), trusts_all=True),
        "the client sends no request",
    ),
    row(
        "aggregator-takes-any-chain",
        "the aggregator takes any certificate of a server",
        "aggregator",
        chains("stranger", "mica-purpose"),
        offers(Offer(), trusts_all=True),
        "the client sends no request",
    ),
    row(
        "no-mandatory-suite",
        "the client does not offer the suite of the standard",
        "client",
        ("csip/COMM-003", "tls/suite-mandatory-alone"),
        offers(Offer(suites=FURTHER_SUITE)),
        "",
    ),
    row(
        "no-encryption",
        "the client takes a suite without encryption",
        "client",
        ("tls/suite-without-encryption",),
        offers(Offer(suites=f"ECDHE-ECDSA-NULL-SHA:{MANDATORY_SUITE}")),
        "the client sends no request",
    ),
    row(
        "tls-1.1",
        "the client takes TLS 1.1",
        "client",
        ("tls/version-1.1",),
        offers(Offer(suites=f"{CBC}:{MANDATORY_SUITE}", least=TlsVersion.TLSv1_1)),
        "the client sends no request",
    ),
    row(
        "cbc",
        "the client takes a CBC suite",
        "client",
        ("tls/suite-cbc",),
        offers(Offer(suites=f"{CBC}:{MANDATORY_SUITE}")),
        "the client sends no request",
        warns=True,
    ),
)
