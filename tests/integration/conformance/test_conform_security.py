"""Certificates and TLS: our own server takes and refuses what it must; one that hangs is found out."""

import asyncio
from dataclasses import dataclass, replace

import pytest

from certs import Pki, parse_lfdi
from conformance_tests import AnyCase, Outcome, play
from conformance_tests.chains import IssuingRoot
from conformance_tests.server.security import CASES
from sep2_server.end_devices import Enrolment, add_end_device
from sep2_server.rows import Role
from tests.integration.conformance.committed_page import difference
from tests.integration.conformance.stand import device_of, stranger, target_of
from tests.integration.sep2_harness import Bench as Running

BY_NAME = {case.id.split("/")[1]: case for case in CASES}
PAGE = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
PLAYED = frozenset(case.id for case in CASES)
"""What must pass here."""


def ca_of(pki: Pki) -> IssuingRoot:
    folder = pki.folder / "ca" / "serca"
    return IssuingRoot.read(folder / "cert.pem", folder / "key.pem")


@dataclass(frozen=True)
class Enrols:
    """An operator who can enrol a device, and nothing else."""

    running: Running

    async def begin(self, case: str, **given: object) -> None:
        del case, given

    async def end(self) -> None:
        """Nothing is cleared away: each test has a store of its own."""

    async def close(self) -> None:
        """Nothing is open."""

    async def ensure_device(self, lfdi: str) -> None:
        enrolment = Enrolment(lfdi=parse_lfdi(lfdi), name=lfdi, role=Role.DEVICE, pin=111_115)
        await self.running.do(
            lambda desk: add_end_device(desk.transaction, desk.environment, enrolment, desk.now)
        )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
async def test_our_server_keeps_each_case(bench: Running, case: AnyCase) -> None:
    await bench.device("tls-1")
    async with target_of(bench, "tls-1", ca=ca_of(bench.pki), operator=Enrols(bench)) as target:
        verdict = await play(case, target, lambda: 7.0)
    assert (verdict.outcome, verdict.reason) == (Outcome.PASSED, "")
    assert difference(case, verdict) == ""


@dataclass
class Welcomes:
    """A server that refuses with 403 whom it does not know, and looks at no chain; and its operator."""

    known: bool = False

    async def begin(self, case: str, **given: object) -> None:
        del case, given

    async def end(self) -> None:
        self.known = False

    async def close(self) -> None:
        """Nothing is open."""

    async def ensure_device(self, lfdi: str) -> None:
        del lfdi
        self.known = True

    async def answers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(PAGE if self.known else PAGE.replace(b"200 OK", b"403 Forbidden"))
            await writer.drain()


@pytest.mark.parametrize("has_operator", [True, False])
async def test_a_403_of_who_is_not_known_is_no_refusal_of_a_chain(bench: Running, has_operator: bool) -> None:
    held = Welcomes()
    async with (
        stranger(bench.pki, held.answers) as there,
        target_of(bench, "tls-1", ca=ca_of(bench.pki)) as ours,
    ):
        operator = held if has_operator else None
        dcap = f"https://127.0.0.1:{there.port}/dcap"
        target = replace(ours, dcap=dcap, device=device_of(bench.pki), operator=operator)  # type: ignore[arg-type]  # all of it that is asked for
        verdict = await play(BY_NAME["chain-mica-purpose"], target, lambda: 7.0)
        await target.close()
    assert verdict.outcome is (Outcome.FAILED if has_operator else Outcome.SKIPPED)
    refused = [one.held for one in verdict.findings if "refused by TLS alert" in one.what]
    assert refused == ([False] if has_operator else [])
    assert has_operator or "--operator" in verdict.reason


async def test_a_server_that_hangs_has_not_refused(bench: Running) -> None:
    async def hangs(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        del writer
        await reader.read()

    async with stranger(bench.pki, hangs) as held, target_of(bench, "tls-1", ca=ca_of(bench.pki)) as ours:
        bounds = replace(ours.bounds, answer_s=0.3)
        dcap = f"https://127.0.0.1:{held.port}/dcap"
        target = replace(ours, dcap=dcap, device=device_of(bench.pki), bounds=bounds)
        verdict = await play(BY_NAME["chain-mica-purpose"], target, lambda: 7.0)
        await target.close()
    assert verdict.outcome is Outcome.FAILED
    assert "no whole answer within" in verdict.reason


async def test_without_a_root_the_chains_are_skipped_with_the_option_that_is_missing(bench: Running) -> None:
    await bench.device("tls-1")
    async with target_of(bench, "tls-1") as target:
        verdict = await play(BY_NAME["chain-two"], target, lambda: 7.0)
    assert verdict.outcome is Outcome.SKIPPED
    assert "--ca-cert" in verdict.reason
