"""A process is killed between a deed of an operator and its answer: asked again, nothing is done twice."""

import http.client
import json
import logging
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from certs import Pki
from sep2_server.operator import OperatorClient
from sep2_server.operator.audit_reading import verify
from sep2_server.operator.commands import rows_of
from tests.integration.process.answerless import MARK
from tests.integration.process.site_process import SiteProcess, site_process, until

MODULE = "tests.integration.process.answerless"
CONTROL = {"DERControlBase": {"opModMaxLimW": "50%"}, "duration": 60}
PLACE = ("groups", "g", "controls")
KEY = "evening-peak"


@contextmanager
def server(folder: Path, pki: Pki, database: str, workers: int) -> Iterator[SiteProcess]:
    """A server with a group; the process that next publishes a control dies before its answer."""
    settings = f"{database}\nworkers = {workers}"
    with site_process(folder, pki, settings=settings, module=MODULE) as site:
        site.api.call("PUT", ("devices", "north"), {"lFDI": "AB" * 20})
        site.api.call("PUT", ("devices", "north", "groups", "g"), {"primacy": 5})
        (folder / MARK).touch()
        yield site


def ask(api: OperatorClient) -> tuple[int, str | None, dict[str, object]]:
    """Status, whether it is a repetition, and body of the answer to a control that is published with a key.

    ConnectionError where there is none.
    """
    parts = urlsplit(api.url)
    headers = {
        "Authorization": f"Bearer {api.secret}",
        "Content-Type": "application/json",
        "Idempotency-Key": KEY,
    }
    with closing(http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)) as connection:
        connection.request("POST", "/" + "/".join(PLACE), json.dumps(CONTROL), headers)
        answer = connection.getresponse()
        return answer.status, answer.getheader("Idempotent-Replayed"), json.loads(answer.read())


def controls(api: OperatorClient) -> list[object]:
    return [row["mRID"] for row in rows_of(api.get("controls"), "controls")]


def outcomes(folder: Path) -> list[str]:
    """What the audit log tells of the control."""
    assert verify(folder / "operator" / "audit.jsonl").flaw is None
    lines = map(json.loads, (folder / "operator" / "audit.jsonl").read_text().splitlines())
    return [line["outcome"] for line in lines if line["action"] == "publish control"]


def test_the_worker_in_the_place_of_one_that_was_killed_gives_the_answer_that_was_due(
    tmp_path: Path, process_pki: Pki, database: str
) -> None:
    with server(tmp_path, process_pki, database, workers=2) as site:
        with pytest.raises(ConnectionError):
            ask(site.api)
        assert not (tmp_path / MARK).exists()
        status, replayed, told = ask(site.api)
        assert (status, replayed) == (200, "true")
        assert controls(site.api) == [told["mRID"]]
    assert outcomes(tmp_path) == ["done", "repeated"]


def test_a_server_that_was_killed_gives_the_answer_once_it_is_started_again(
    tmp_path: Path, process_pki: Pki, database: str
) -> None:
    with server(tmp_path, process_pki, database, workers=1) as site:
        with pytest.raises(ConnectionError):
            ask(site.api)
        assert site.process.wait(30) == -signal.SIGKILL
    with site_process(tmp_path, process_pki, settings=database) as site:
        until(lambda: controls(site.api))
        status, replayed, told = ask(site.api)
        assert (status, replayed) == (200, "true")
        assert controls(site.api) == [told["mRID"]]


def test_a_command_whose_answer_was_lost_with_its_worker_asks_again_and_says_so(
    tmp_path: Path, process_pki: Pki, database: str, caplog: pytest.LogCaptureFixture
) -> None:
    with server(tmp_path, process_pki, database, workers=2) as site, caplog.at_level(logging.WARNING):
        told = site.api.call("POST", PLACE, CONTROL)
        assert controls(site.api) == [told["mRID"]]
    (said,) = [record.getMessage() for record in caplog.records if record.name.endswith("operator.client")]
    assert said.endswith("it was asked for again with its key: it had been done, and was not done again")
