"""Mutual TLS over sockets between our own two sides, under both event loops, and with the openssl command."""

import asyncio
import shutil
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import uvloop

from certs import (
    KnownIssuers,
    Pki,
    client_context,
    operator_client_context,
    operator_context,
    peer_identity,
    refuse_reason,
    server_context,
)
from certs.files import read_chain

CCM8 = "ECDHE-ECDSA-AES128-CCM8"
GCM = "ECDHE-ECDSA-AES128-GCM-SHA256"


async def on_loopback(
    server: ssl.SSLContext,
    client: ssl.SSLContext,
    use: Callable[[ssl.SSLObject, ssl.SSLObject], Awaitable[None]],
) -> None:
    """Connect over a socket and call `use` with both ends' TLS objects while the connection is open."""
    arrived: asyncio.Future[asyncio.StreamWriter] = asyncio.get_running_loop().create_future()

    async def on_client(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        arrived.set_result(writer)

    listener = await asyncio.start_server(on_client, "127.0.0.1", 0, ssl=server)
    async with listener, asyncio.timeout(20):
        port = listener.sockets[0].getsockname()[1]
        _, at_client = await asyncio.open_connection(
            "127.0.0.1", port, ssl=client, server_hostname="elsewhere"
        )
        at_server = await arrived
        try:
            await use(at_server.get_extra_info("ssl_object"), at_client.get_extra_info("ssl_object"))
        finally:
            for writer in (at_client, at_server):
                writer.transport.abort()


async def nothing(_: ssl.SSLObject, __: ssl.SSLObject) -> None:
    """Use of a connection that must not come about."""


async def shake_hands(folder: Path, depth: int, *, strict: bool, client_suites: str | None = None) -> None:
    """Lab PKI of this depth; both sides find the chain, the LFDI and the suite that are due."""
    pki = Pki.create(folder / "pki", depth)
    device_, utility = pki.issue_device("inverter"), pki.issue_server("utility", hosts=["der.example.org"])
    server = server_context(utility.certificate_path, utility.key_path, pki.root_path, strict=strict)
    client = client_context(device_.certificate_path, device_.key_path, pki.root_path)
    if client_suites:
        client.set_ciphers(client_suites)

    async def look(at_server: ssl.SSLObject, at_client: ssl.SSLObject) -> None:
        seen_by_server, seen_by_client = peer_identity(at_server), peer_identity(at_client)
        assert seen_by_server is not None
        assert seen_by_client is not None
        assert (seen_by_server.lfdi, len(seen_by_server.chain)) == (device_.lfdi, depth)
        assert (seen_by_client.lfdi, len(seen_by_client.chain)) == (utility.lfdi, depth)
        assert refuse_reason(at_server, KnownIssuers.from_files(pki.root_path)) is None
        assert refuse_reason(at_client, KnownIssuers.from_files(pki.root_path)) is None
        assert at_server.cipher() == ((GCM if client_suites else CCM8), "TLSv1.2", 128)

    await on_loopback(server, client, look)


@pytest.mark.parametrize("depth", [2, 3, 4], ids=["COMM-004 A", "COMM-004 B", "COMM-004 C"])
@pytest.mark.parametrize("strict", [False, True], ids=["both suites", "strict"])
async def test_chains_of_every_length_are_accepted_with_the_mandatory_suite(
    tmp_path: Path, depth: int, *, strict: bool
) -> None:
    await shake_hands(tmp_path, depth, strict=strict)


async def test_the_further_suite_serves_a_client_that_lacks_the_mandatory_one(tmp_path: Path) -> None:
    await shake_hands(tmp_path, 4, strict=False, client_suites=GCM)


async def test_the_openssl_command_accepts_our_strict_server_and_is_accepted(tmp_path: Path) -> None:
    openssl = shutil.which("openssl") or pytest.skip("the openssl command is not on this machine")
    pki = Pki.create(tmp_path / "pki", 4)
    inverter, utility = pki.issue_device("inverter"), pki.issue_server("utility", hosts=["127.0.0.1"])
    context = server_context(utility.certificate_path, utility.key_path, pki.root_path, strict=True)
    reasons: list[object] = []

    async def on_client(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reasons.append(
            refuse_reason(writer.get_extra_info("ssl_object"), KnownIssuers.from_files(pki.root_path))
        )
        writer.close()

    listener = await asyncio.start_server(on_client, "127.0.0.1", 0, ssl=context)
    async with listener, asyncio.timeout(20):
        address = f"127.0.0.1:{listener.sockets[0].getsockname()[1]}"
        chain, key, root = (str(p) for p in (inverter.certificate_path, inverter.key_path, pki.root_path))
        own = ["-cert", chain, "-cert_chain", chain, "-key", key, "-CAfile", root]
        rules = ["-verify_return_error", "-x509_strict", "-tls1_2", "-cipher", f"{CCM8}:@SECLEVEL=0"]
        client = await asyncio.create_subprocess_exec(
            *[openssl, "s_client", "-connect", address, *own, *rules],
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        printed, _ = await client.communicate()
    assert f"Cipher is {CCM8}".encode() in printed
    assert b"Verification: OK" in printed
    assert reasons == [None]


def test_the_same_handshake_works_under_uvloop(tmp_path: Path) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(shake_hands(tmp_path, 4, strict=False))


async def test_a_self_signed_client_gets_no_connection_on_a_socket_comm_004_g(tmp_path: Path) -> None:
    pki = Pki.create(tmp_path / "pki", 4)
    own, utility = pki.issue_self_signed("stranger"), pki.issue_server("utility", hosts=["127.0.0.1"])
    server = server_context(utility.certificate_path, utility.key_path, pki.root_path)
    stranger = client_context(own.certificate_path, own.key_path, pki.root_path)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await on_loopback(server, stranger, nothing)


async def test_the_operators_api_speaks_ordinary_tls_and_its_client_compares_host_names(
    tmp_path: Path,
) -> None:
    pki = Pki.create(tmp_path / "pki", 2)
    utility = pki.issue_server("utility", hosts=["operators.example.org"])
    server = operator_context(utility.certificate_path, utility.key_path)
    client = operator_client_context(pki.root_path)
    assert server.minimum_version is client.minimum_version is ssl.TLSVersion.TLSv1_2
    assert server.verify_mode is ssl.CERT_NONE
    with pytest.raises((ssl.SSLCertVerificationError, ConnectionError), match="elsewhere"):
        await on_loopback(server, client, nothing)


def test_a_client_of_the_operators_api_can_trust_the_system() -> None:
    client = operator_client_context()
    assert client.check_hostname
    assert client.verify_mode is ssl.CERT_REQUIRED


def test_the_lab_chain_file_leaves_the_root_out(tmp_path: Path) -> None:
    pki = Pki.create(tmp_path / "pki", 4)
    names = [
        certificate.subject.rfc4514_string()[:7]
        for certificate in read_chain(pki.issue_device("d").certificate_path)
    ]
    assert names == ["", "CN=MICA", "CN=MCA "]
