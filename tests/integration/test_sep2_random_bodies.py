"""Whatever a client posts or puts: never a failure of the server, never an invalid resource in the store."""

import asyncio
import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from certs import Pki, sfdi_of
from function_sets import ROUTES, Route
from schemas import Codec
from sep2_server.extra_routes import CONNECTION_POINT, EXTRA_ROUTES
from sep2_server.messages import Answer, Request
from sep2_server.rows import Row
from sep2_server.uris import route_named
from tests.inputs import inputs
from tests.integration.lived_in_house import SETTINGS, furnish
from tests.integration.sep2_harness import SEP_XML, START, Bench, make_control, running
from tests.resource_strategies import mutated, resources
from tests.schema_judge import SchemaJudge

WRITABLE = [
    pytest.param(route, method, id=f"{method}-{route.id}")
    for route in (*ROUTES.values(), *EXTRA_ROUTES.values())
    for method in ("PUT", "POST")
    if method in route.writes and route.id != "ConnectionPoint"
]
EXTENDED = [
    pytest.param(route_named(kind), method, id=f"{method}-{kind}")
    for kind in ("DERCapability", "DERSettings", "DERStatus", "DERAvailability", CONNECTION_POINT)
    for method in ("PUT", "POST")
] + [
    pytest.param(route_named("EndDevice"), "PUT", id="PUT-EndDevice"),
    pytest.param(route_named("EndDeviceList"), "POST", id="POST-EndDeviceList"),
]
"""What CSIP-AUS adds to, or lets clients POST where the standard has PUT. CSIP-AUS 2.2 and 2.5."""


class House:
    """A server with a device behind an aggregator, and what clients have stored so far."""

    def __init__(self, bench: Bench, runner: asyncio.Runner) -> None:
        self.bench = bench
        self.codec = Codec(bench.server.settings.xml_profile)
        self._runner = runner
        self.lfdi = bench.credentials("random-1").lfdi

    def send(self, method: str, path: str, body: bytes = b"", query: str = "") -> Answer:
        """The answer to one request of the device."""
        request = Request(
            method=method,
            path=path,
            query=query,
            lfdi=self.lfdi,
            body=body,
            content_type=SEP_XML,
            now=self.bench.clock.now(),
        )
        return self._runner.run(self.bench.server.answering.respond(request))

    def place(self, route: Route) -> str | None:
        """URI of the newest resource of a route that is there, or that may stand below one that is."""
        reader = self.bench.store.reader
        rows = [row for row in reader.of_kind(route.id, limit=100_000) if self._is_seen(row.href)]
        if rows:
            return rows[-1].href
        above, _, last = route.path.rpartition("/")
        if not above or last.startswith("{"):
            return None if last.startswith("{") else route.path
        kinds = [r.id for r in (*ROUTES.values(), *EXTRA_ROUTES.values()) if r.path == above]
        found = [row.href for kind in kinds for row in reader.of_kind(kind, limit=100_000)]
        mine = [href for href in found if self._is_seen(href)]
        return f"{mine[-1]}/{last}" if mine else None

    def _is_seen(self, href: str) -> bool:
        return self.send("GET", href).status == 200


@contextlib.contextmanager
def furnished(folder: Path, pki: Pki, **settings: object) -> Iterator[House]:
    with asyncio.Runner() as runner, contextlib.ExitStack() as stack:
        given = {
            **SETTINGS,
            "in_band_registration": True,
            "mirror_usage_points_per_device": 10_000,
            "items_per_list": 100_000,
            "notification_hosts": "127.0.0.1",
            **settings,
        }
        entered = running(folder, pki, **given)
        bench = runner.run(entered.__aenter__())
        stack.callback(lambda: runner.run(entered.__aexit__(None, None, None)))
        runner.run(_furnish(bench))
        yield House(bench, runner)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, sep2_pki: Pki) -> Iterator[House]:
    with furnished(tmp_path_factory.mktemp("random"), sep2_pki) as made:
        yield made


@pytest.fixture(scope="module")
def aus_house(tmp_path_factory: pytest.TempPathFactory, sep2_pki: Pki) -> Iterator[House]:
    with furnished(tmp_path_factory.mktemp("random-aus"), sep2_pki, profile="csip_aus_v1.3") as made:
        yield made


async def _furnish(bench: Bench) -> None:
    """One of every resource for a device, so that no case hangs on what another has drawn."""
    house = await furnish(bench, device="random-1", aggregator="random-boss")
    await bench.control(await _program(bench), make_control("A1", START + 100, 100))
    assert house.places["Subscription"]


async def _program(bench: Bench) -> Row:
    return bench.store.reader.of_kind("DERProgram", limit=1)[0]


@pytest.mark.parametrize(("route", "method"), WRITABLE)
@settings(max_examples=inputs(12), deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_body_makes_the_server_fail_or_spoils_the_store(
    house: House, route: Route, method: str, data: st.DataObject, caplog: pytest.LogCaptureFixture
) -> None:
    send_anything(house, route, method, data, caplog)


@pytest.mark.parametrize(("route", "method"), EXTENDED)
@settings(max_examples=inputs(12), deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_body_of_an_extension_makes_the_server_fail_or_spoils_the_store(
    aus_house: House, route: Route, method: str, data: st.DataObject, caplog: pytest.LogCaptureFixture
) -> None:
    send_anything(aus_house, route, method, data, caplog)


def send_anything(
    house: House, route: Route, method: str, data: st.DataObject, caplog: pytest.LogCaptureFixture
) -> None:
    """Send a valid or a broken body: no failure, and what was stored is sound."""
    path = house.place(route)
    if path is None:
        pytest.fail(f"no {route.id} is there to {method} to")
    cls = house.codec.profile.resolve(data.draw(st.sampled_from(route.accepts)))
    value = data.draw(resources(cls))
    if data.draw(st.integers(0, 3)):
        _make_own(house, value)
    body = house.codec.encode(value)
    if data.draw(st.booleans()):
        body = data.draw(mutated(body))
    with caplog.at_level(logging.ERROR):
        answer = house.send(method, path, body)
    assert answer.status < 500
    assert caplog.records == []
    if answer.status < 300:
        _require_sound(house, answer.location or path)


def _make_own(house: House, value: object) -> None:
    """Let a body name the device that sends it, and an event that it knows: then the server may take it."""
    own = {
        "deviceLFDI": house.lfdi,
        "endDeviceLFDI": house.lfdi,
        "lFDI": house.lfdi,
        "sFDI": sfdi_of(house.lfdi),
        "subject": "A1",
        "status": 1,
    }
    for name, fitting in own.items():
        if hasattr(value, name):
            setattr(value, name, fitting)


def _require_sound(house: House, href: str) -> None:
    """What was stored reads as its type, and the schema accepts it, alone and in its list."""
    judge = SchemaJudge()
    got = house.send("GET", href)
    assert got.status in {200, 404, 405}
    judge.judge(got.body)
    above = house.send("GET", href.rpartition("/")[0] or "/", query="l=255")
    judge.judge(above.body if above.status == 200 else b"")
    row = house.bench.store.reader.by_href(href)
    if row is not None and row.body:
        house.bench.server.environment.codec.decode_fragment(row.body, route_named(row.kind).type)
    assert judge.flaws == []
