"""Clients that do right what ours does otherwise pass; those that do not do what is asked for do not."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest

from certs import Pki
from conformance_tests import Outcome
from tests.integration.conformance.honesty import BY_ID
from tests.integration.conformance.own_client import (
    HoldingDevice,
    Watching,
    csip_rig,
    on_virtual_time,
    played,
)
from tests.integration.conformance.planted.doings import speaks, taken


def origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


@dataclass
class Faithful:
    """A client that keeps where a 301 has led it. RFC 9110, 15.4.2; IEEE 2030.5-2018, 5.4."""

    moved: dict[str, str] = field(default_factory=dict)

    async def __call__(self, ask: Any, session: Any, method: str, url: str, body: Any, accept: Any) -> Any:  # noqa: ANN401  what a client asks with
        for _ in range(4):
            url = self.moved.get(origin(url), origin(url)) + url[len(origin(url)) :]
        answer = await ask(session, method, url, body, accept)
        if answer.status == 301 and answer.location:
            self.moved[origin(url)] = origin(urljoin(url, answer.location))
        return answer


@pytest.mark.parametrize("role", ["client", "aggregator"])
def test_a_client_that_keeps_where_a_301_has_led_it_passes(
    tmp_path: Path, client_pki: Pki, role: str
) -> None:
    case = BY_ID[f"csip/ERR-001/{role}"]
    rig = csip_rig(client_pki, tmp_path, case)
    with speaks(Faithful())(rig):
        verdict = played(rig, case)
    assert verdict.outcome is Outcome.PASSED, verdict.reason


def test_a_client_that_posts_its_readings_once_fails(tmp_path: Path, client_pki: Pki) -> None:
    posted: set[str] = set()

    async def once(ask: Any, session: Any, method: str, url: str, body: Any, accept: Any) -> Any:  # noqa: ANN401  what a client asks with
        if body and b"<MirrorMeterReading" in body[:60]:
            if url in posted:
                return taken()
            posted.add(url)
        return await ask(session, method, url, body, accept)

    case = BY_ID["csip/BASIC-029/client"]
    rig = csip_rig(client_pki, tmp_path, case)
    with speaks(once)(rig):
        verdict = played(rig, case)
    assert verdict.outcome is Outcome.FAILED, verdict.reason
    assert "3 postings" in verdict.reason


class Registers(Watching):
    """An observer that reads registers, and cannot let anything happen."""

    async def cause(self, lfdi: str, what: str) -> bool:
        del lfdi, what
        return False


@pytest.mark.parametrize("alarms", [0, 1])
@pytest.mark.parametrize("is_watched", [False, True])
def test_alarms_that_nobody_caused_are_not_missed(
    tmp_path: Path, client_pki: Pki, alarms: int, is_watched: bool
) -> None:
    case = BY_ID["csip/BASIC-027/client"]
    rig = csip_rig(client_pki, tmp_path, case)
    devices = {
        str(client_pki.credentials(name).lfdi): HoldingDevice(name, alarms=frozenset(range(alarms)))
        for name in rig.names
    }
    observer: Any = Registers(devices) if is_watched else None
    verdict = on_virtual_time(rig.clock, lambda: rig.judged(case, devices, observer))
    assert verdict.outcome is Outcome.SKIPPED, verdict.reason
