"""Metrics and health of a running server: true, the sum of all workers, and for those who may see them."""

import http.client
import json
import os
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from prometheus_client.parser import text_string_to_metric_families

from certs import Pki, client_context
from sep2_server.disk import HINT
from tests.integration.process.failing_disk import MARK
from tests.integration.process.site_process import SiteProcess, Wire, site_process, until
from tests.integration.process.test_ending import EVENT
from tests.integration.process.test_workers import href_of

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def fetch(url: str, path: str, token: str = "", method: str = "GET") -> tuple[int, str]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=10)
    try:
        connection.request(method, path, headers={"Authorization": f"Bearer {token}"} if token else {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def scrape(site: SiteProcess) -> Samples:
    """Every number of a scrape on the port of monitoring, read by Prometheus' own parser."""
    status, text = fetch((site.folder / "operator" / "metrics.url").read_text().strip(), "/metrics")
    assert status == 200
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def requests_of(samples: Samples, method: str, route: str, status: int) -> float:
    labels = (("method", method), ("route", route), ("status", str(status)))
    return samples.get(("lineside_requests_total", labels), 0)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, process_pki: Pki) -> Iterator[SiteProcess]:
    """A server of two workers with a port for monitoring."""
    folder = tmp_path_factory.mktemp("metrics")
    with site_process(folder, process_pki, "--workers=2", "--set", "operator.metrics_port=0") as made:
        made.enrol("metrics-1")
        yield made


def test_requests_of_all_workers_are_summed(site: SiteProcess) -> None:
    before = requests_of(scrape(site), "GET", "Time", 200)
    credentials = site.pki.credentials("metrics-1")
    wires = [site.connect(credentials) for _ in range(12)]
    for wire in wires:
        assert wire.ask("GET", "/tm")[0] == 200
        assert wire.ask("GET", "/no/such")[0] == 404
    assert {site.owner_of(wire) for wire in wires} == set(site.workers)
    until(lambda: requests_of(scrape(site), "GET", "Time", 200) == before + 12)
    samples = scrape(site)
    assert requests_of(samples, "GET", "", 404) == 12
    assert samples["lineside_connections", ()] >= 12
    assert samples["lineside_workers", ()] == 2
    assert samples["lineside_request_seconds_bucket", (("le", "+Inf"), ("method", "GET"))] >= 24
    assert samples["lineside_handshakes_total", (("reason", ""), ("result", "full"))] >= 12
    assert samples["lineside_certificate_days", ()] > 1
    assert samples["lineside_clock_lease_held", ()] == 1
    assert samples["lineside_write_batch_jobs_count", ()] > 0
    assert samples["lineside_resident_octets", ()] > 1e7
    for wire in wires:
        wire.close()


def test_counters_do_not_fall_when_a_worker_is_replaced(site: SiteProcess) -> None:
    until(lambda: scrape(site)["lineside_connections", ()] == 0)
    known = requests_of(scrape(site), "GET", "Time", 200)
    wire = site.connect(site.pki.credentials("metrics-1"))
    owner = site.owner_of(wire)
    for _ in range(5):
        wire.ask("GET", "/tm")
    wire.close()
    before = known + 5
    until(lambda: on_boards(site) == before)
    os.kill(owner, signal.SIGKILL)
    until(lambda: owner not in site.workers and len(site.workers) == 2)
    until(lambda: _scraped(site))
    assert requests_of(scrape(site), "GET", "Time", 200) == before


def on_boards(site: SiteProcess) -> float:
    """How many GETs of Time the workers have written on their boards: what a successor takes over."""
    counted = 0.0
    for entry in Path(f"/proc/{site.process.pid}/fd").iterdir():
        if str(entry.readlink()).startswith("/memfd:lineside-board"):
            text = entry.read_bytes()
            samples = json.loads(text)[1] if text else {}
            found = samples.get("lineside_requests_total", {})
            counted += found.get('lineside_requests_total{method="GET",route="Time",status="200"}', 0)
    return counted


def _scraped(site: SiteProcess) -> bool:
    try:
        return scrape(site)["lineside_workers", ()] == 2
    except OSError:
        return False


def test_a_refused_handshake_is_counted_with_its_reason(site: SiteProcess, tmp_path: Path) -> None:
    foreign = Pki.create(tmp_path / "pki", depth=3)
    stranger = foreign.issue_device("stranger")
    context = client_context(stranger.certificate_path, stranger.key_path, site.pki.root_path)
    with pytest.raises(OSError, match=r"alert|EOF|reset|closed"), closing(Wire(site.port, context)) as wire:
        wire.ask("GET", "/tm")
    until(
        lambda: any(
            name == "lineside_handshakes_total" and ("result", "failed") in labels
            for name, labels in scrape(site)
        )
    )


def test_metrics_on_the_operator_api_ask_for_a_token(site: SiteProcess) -> None:
    api = site.api
    assert fetch(api.url, "/metrics")[0] == 401
    assert fetch(api.url, "/metrics", "0" * 64)[0] == 401
    status, text = fetch(api.url, "/metrics", api.secret)
    assert (status, "lineside_requests_total" in text) == (200, True)


def test_health_is_told_without_a_token_and_on_the_port_of_monitoring(site: SiteProcess) -> None:
    until(lambda: fetch(site.api.url, "/readyz")[0] == 200)
    status, text = fetch(site.api.url, "/readyz")
    assert (status, json.loads(text)["ready"]) == (200, True)
    assert set(json.loads(text)["checks"].values()) == {"ok"}
    url = (site.folder / "operator" / "metrics.url").read_text().strip()
    assert [fetch(url, path)[0] for path in ("/livez", "/readyz")] == [200, 200]


def test_the_port_of_monitoring_tells_what_it_has_and_that_it_is_read(site: SiteProcess) -> None:
    url = (site.folder / "operator" / "metrics.url").read_text().strip()
    for (status, text), word, code in (
        (fetch(url, "/devices"), "/metrics", 404),
        (fetch(url, "/livez", method="POST"), "read", 405),
    ):
        told = json.loads(text)
        assert (status, word in told["hint"], bool(told["error"])) == (code, True, True)


def test_a_further_worker_whose_disk_has_failed_makes_a_server_not_ready(
    tmp_path: Path, process_pki: Pki
) -> None:
    """It answers every write of its devices with 503; the others do not know by themselves."""
    options = "--workers=2", "--set", "operator.metrics_port=0"
    module = "tests.integration.process.failing_disk"
    with site_process(tmp_path, process_pki, *options, module=module) as site:
        credentials = site.enrol("failing-1")
        href = href_of(site, "failing-1")
        wires = [site.connect(credentials) for _ in range(12)]
        wire = next(wire for wire in wires if site.owner_of(wire) != site.workers[0])
        until(lambda: readiness(site)[0] == 200)
        part = tmp_path / "part"
        part.write_text(str(site.owner_of(wire)))
        part.rename(tmp_path / MARK)
        assert wire.ask("POST", f"{href}/lel", EVENT)[0] == 503
        until(lambda: readiness(site)[0] == 503)
        told = readiness(site)[1]["checks"]
        flawed = {name: said for name, said in told.items() if said != "ok"}
        assert flawed == {"workers": f"the disk has not kept what was written by worker 1; {HINT}"}
        assert scrape(site)["lineside_disk_failed", ()] == 1
        for one in wires:
            one.close()


def readiness(site: SiteProcess) -> tuple[int, dict[str, dict[str, str]]]:
    """What `readyz` of the port of monitoring says."""
    url = (site.folder / "operator" / "metrics.url").read_text().strip()
    status, text = fetch(url, "/readyz")
    return status, json.loads(text)
