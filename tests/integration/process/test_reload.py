"""Files are read again while connections live: new certificates, removed roots, bad files."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from certs import Pki, client_context
from tests.integration.process.site_process import ROOT, SiteProcess, Wire, context_of, site_process, until


@pytest.fixture(
    params=[pytest.param(1, id="one-process", marks=pytest.mark.whole), pytest.param(2, id="two-workers")]
)
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SiteProcess]:
    """A server with a PKI of its own, whose files a test may change."""
    pki = Pki.create(tmp_path / "pki", depth=3)
    pki.issue_server("server", hosts=["127.0.0.1"])
    shutil.copy(pki.root_path, tmp_path / "roots.pem")
    changes = (f"roots={tmp_path / 'roots.pem'}", "access_log=true", "log_format=json")
    options = [word for change in changes for word in ("--set", change)]
    with site_process(tmp_path, pki, f"--workers={request.param}", *options) as made:
        yield made


def serial_at(site: SiteProcess, name: str) -> object:
    """Serial number of the certificate that a new connection is shown."""
    wire = Wire(site.port, context_of(site.pki.credentials(name)))
    found = (wire.tls.getpeercert() or {})["serialNumber"]
    wire.close()
    return found


def lineside(*words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "lineside", *words]
    return subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=False, timeout=60)


def test_a_new_certificate_is_shown_to_new_connections_and_old_ones_live_on(site: SiteProcess) -> None:
    credentials = site.enrol("reload-1")
    kept = site.connect(credentials)
    assert kept.ask("GET", "/tm")[0] == 200
    before = serial_at(site, "reload-1")
    site.pki.issue_server("server", hosts=["127.0.0.1"], force=True)
    done = lineside("server", "reload", "--config", str(site.folder), "--set", f"roots={site.pki.root_path}")
    assert done.returncode == 0, done.stderr
    until(lambda: len({serial_at(site, "reload-1") for _ in range(8)} - {before}) == 1)
    until(lambda: all(serial_at(site, "reload-1") != before for _ in range(8)))
    assert kept.ask("GET", "/tm")[0] == 200
    kept.close()


def test_a_root_that_was_added_is_trusted_and_one_that_was_removed_is_not(
    site: SiteProcess, tmp_path: Path
) -> None:
    other = Pki.create(tmp_path / "other", depth=3)
    stranger = other.issue_device("stranger")
    context = client_context(stranger.certificate_path, stranger.key_path, site.pki.root_path)
    roots = tmp_path / "roots.pem"
    own = roots.read_bytes()
    assert answers(site, context, Wire) is None
    roots.write_bytes(own + other.root_path.read_bytes())
    site.kill(signal.SIGHUP)
    until(lambda: [answers(site, context, Wire) for _ in range(6)] == [403] * 6)
    enrolled = site.enrol("reload-2")
    session = Wire(site.port, context_of(enrolled))
    assert session.ask("GET", "/tm")[0] == 200
    pem = stranger.certificate_path.read_text()
    site.api.call("POST", ("devices",), {"name": "stranger", "certificate": pem})
    before = Wire(site.port, context)
    assert before.ask("GET", "/tm")[0] == 200
    roots.write_bytes(own)
    site.kill(signal.SIGHUP)
    until(lambda: [answers(site, context, Wire) for _ in range(6)] == [403] * 6)
    resumed = Wire(site.port, context, before.session)
    assert (resumed.is_resumed, resumed.ask("GET", "/tm")[0]) == (True, 403)
    assert session.ask("GET", "/tm")[0] == 200
    for wire in (before, resumed, session):
        wire.close()


def answers(site: SiteProcess, context: object, make: type[Wire]) -> int | None:
    """Status of an answer, None where the handshake fails."""
    try:
        wire = make(site.port, context)  # type: ignore[arg-type]
    except OSError:
        return None
    try:
        return wire.ask("GET", "/tm")[0]
    except OSError:
        return None
    finally:
        wire.close()


def test_bad_files_change_nothing_and_are_told(site: SiteProcess, tmp_path: Path) -> None:
    site.enrol("reload-3")
    before = serial_at(site, "reload-3")
    key = site.pki.folder / "server" / "key.pem"
    key.write_text("no key")
    done = lineside("server", "reload", "--config", str(site.folder))
    assert done.returncode == 2
    assert "server.toml:3: key: " in done.stderr
    site.kill(signal.SIGHUP)
    until(lambda: "Nothing was reloaded" in (tmp_path / "stderr").read_text())
    assert [serial_at(site, "reload-3") for _ in range(4)] == [before] * 4


def test_every_access_is_one_line_of_json_and_secrets_are_in_none(site: SiteProcess, tmp_path: Path) -> None:
    credentials = site.enrol("reload-4")
    wire = site.connect(credentials)
    assert wire.ask("GET", "/tm?x=1")[0] == 200
    wire.close()
    until(lambda: '"path": "/tm?x=1"' in (tmp_path / "stderr").read_text())
    text = (tmp_path / "stderr").read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    found = next(line for line in lines if line.get("path") == "/tm?x=1")
    assert (found["who"], found["status"], found["route"]) == (str(credentials.lfdi)[:10], 200, "Time")
    assert found["remote"] == "127.0.0.1"
    assert (site.folder / "operator" / "operator.token").read_text().strip() not in text


def test_a_server_that_does_not_run_cannot_reload(tmp_path: Path, process_pki: Pki) -> None:
    server = process_pki.credentials("server")
    (tmp_path / "server.toml").write_text(
        f'certificate = "{server.certificate_path}"\nkey = "{server.key_path}"\n'
        f'roots = "{server.root_path}"\n'
    )
    assert lineside("server", "check", "--config", str(tmp_path)).returncode == 0
    assert lineside("server", "reload", "--config", str(tmp_path)).returncode == 1


def test_the_server_shows_the_lfdi_of_the_certificate_that_it_presents(site: SiteProcess) -> None:
    """Also what was kept before, on connections of before, and on every worker. IEEE 2030.5-2018, 6.3.4."""
    credentials = site.enrol("reload-5")
    wires = [Wire(site.port, context_of(credentials)) for _ in range(8)]
    before = site.pki.credentials("server").lfdi
    assert {own_lfdi(wire, path) for wire in wires for path in OWN} == {before}
    site.pki.issue_server("server", hosts=["127.0.0.1"], force=True)
    after = site.pki.credentials("server").lfdi
    site.kill(signal.SIGHUP)
    until(lambda: {own_lfdi(wire, path) for wire in wires for path in OWN} == {after})
    os.kill((site.workers or [site.process.pid])[0], signal.SIGHUP)
    assert {own_lfdi(wire, path) for wire in wires for path in OWN} == {after}
    for wire in wires:
        wire.close()


OWN = ("/sdev", "/sdev/di")


def own_lfdi(wire: Wire, path: str) -> str:
    """LFDI that a resource about the server names."""
    status, body, _ = wire.ask("GET", path)
    assert status == 200
    return body.partition(b"<lFDI>")[2].partition(b"<")[0].decode()
