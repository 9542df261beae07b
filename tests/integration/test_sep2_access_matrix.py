"""Who may do what: every resource, every method, every kind of client. No cell tells what is not theirs.

The table is `expected`; a test is one resource as one kind of client meets it, with all five methods. What
clients may write is tried with a body that is refused after the right to write was checked (400), so that the
house stays whole; that entitled clients may delete is the matter of `test_sep2_matrix`.
"""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio

from certs import Pki, client_context
from function_sets import METHODS, ROUTES, Access, Route
from schemas import ActivePower, csip_aus
from sep2_server.built import BUILT_KINDS
from sep2_server.dispatch import allowed_methods
from sep2_server.extra_routes import EXTRA_ROUTES
from sep2_server.location import READING_KINDS
from sep2_server.operator import resources
from sep2_server.operator.desk import Desk
from sep2_server.operator.errors import NotFound, Refusal
from sep2_server.operator.router import Call
from sep2_server.rows import Role, Row
from tests.integration.full_house import fill
from tests.integration.sep2_harness import Bench, Client, Reply, running
from tests.integration.test_sep2_walk import mirror

pytestmark = pytest.mark.asyncio(loop_scope="module")

REPORT: Final = Path(__file__).resolve().parents[2] / "build" / "access-matrix.csv"
ALL_ROUTES: Final = (*ROUTES.values(), *EXTRA_ROUTES.values())
READS: Final = frozenset({"GET", "HEAD"})
TOLERATED: Final = {("POST", f"DER{name}") for name in ("Settings", "Status", "Availability", "Capability")}
"""What CSIP-AUS lets clients do beside the marks. CSIP 2.5."""
REFUSALS: Final = {"ConnectionPoint": 422}
"""Status of a body that is no such resource, where it is not 400. CSIP 2.5."""
UNSTORED: Final = BUILT_KINDS | {"NotificationList", "Notification"}
"""What is made at read, or is the client's: it has no row."""
NO_TLS: Final = 0
"""In the place of a status: the handshake fails."""


OPERATOR_WRITES: Final = {"PUT": resources.change, "POST": resources.add, "DELETE": resources.delete}
"""What operators do by the href of a resource."""


class Who(Enum):
    """The kinds of client."""

    NO_CERTIFICATE = "none"
    FOREIGN_CA = "foreign CA"
    UNKNOWN = "unknown"
    OTHER = "other device"
    OWN = "own"
    AGGREGATOR = "aggregator of it"
    OTHER_AGGREGATOR = "aggregator not of it"


STRANGERS: Final = (Who.NO_CERTIFICATE, Who.FOREIGN_CA)
ENTITLED: Final = (Who.OWN, Who.AGGREGATOR)
NAMES: Final = {
    Who.UNKNOWN: "matrix-unknown",
    Who.OTHER: "matrix-other",
    Who.OWN: "matrix-own",
    Who.AGGREGATOR: "matrix-boss",
    Who.OTHER_AGGREGATOR: "matrix-rival",
}


@dataclass
class House:
    """A server in which one device has everything; where it is, by route, and what nobody else may read."""

    bench: Bench
    places: dict[str, str]
    secrets: frozenset[bytes]
    clients: dict[Who, Client]
    contexts: dict[Who, ssl.SSLContext]
    cells: dict[tuple[str, str, str], int] = field(default_factory=dict)


def is_for_all(route: Route) -> bool:
    """True for what every enrolled client may ask for; lists then show each its own items."""
    at_root = "{" not in route.path and route.is_list
    return route.access in {Access.PUBLIC, Access.SELF} or (at_root and route.access is not Access.OPERATOR)


def expected(route: Route, method: str, who: Who, *, exists: bool) -> int:
    """The table: the status that a kind of client gets. IEEE 2030.5-2018, 6 (access control), annex A."""
    if who in STRANGERS:
        return NO_TLS
    if who is Who.UNKNOWN:
        return 403
    if method not in allowed_methods(route) and (method, route.id) not in TOLERATED:
        return 405
    if not exists or not (is_for_all(route) or who in ENTITLED):
        return 404
    return 200 if method in READS else REFUSALS.get(route.id, 400)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory, sep2_pki: Pki) -> AsyncIterator[House]:
    folder = tmp_path_factory.mktemp("matrix")
    async with running(folder, sep2_pki, profile="csip_aus_v1.3", function_sets="all") as bench:
        await _furnish(bench)
        clients = {who: await bench.client(name) for who, name in NAMES.items()}
        contexts = {
            Who.NO_CERTIFICATE: _bare_context(sep2_pki),
            Who.FOREIGN_CA: _foreign(tmp_path_factory, sep2_pki),
        }
        made = House(bench, _places(bench), _secrets(bench), clients, contexts)
        yield made
        _write_report(made)


async def _furnish(bench: Bench) -> None:
    boss = await bench.enrol(NAMES[Who.AGGREGATOR], role=Role.AGGREGATOR)
    await bench.enrol(NAMES[Who.OTHER_AGGREGATOR], role=Role.AGGREGATOR)
    own = await bench.enrol(NAMES[Who.OWN], aggregator=boss)
    await bench.enrol(NAMES[Who.OTHER])
    await bench.do(partial(fill, device=own))
    client = await bench.client(NAMES[Who.OWN])
    point = csip_aus.ConnectionPoint(connectionPointId="41020000001")
    assert (await client.put(f"{own.href}/cp", point)).status == 201
    ratings = csip_aus.DERCapabilityV13(
        modesSupported="00", rtgMaxW=ActivePower(multiplier=0, value=1), type=0, doeModesSupported="0F"
    )
    capability = _places(bench)["DERCapability"]
    await bench.store.do(lambda tx: tx.delete(tx.by_href(capability) or Row(0, "", "")))
    assert (await client.put(capability, ratings)).status == 204
    assert (await client.post("/mup", mirror(bench.credentials(NAMES[Who.OWN]).lfdi))).status == 201


def _places(bench: Bench) -> dict[str, str]:
    """Where the resource of each route is that hangs on the device: stored, made at read, or a view."""
    reader, uris = bench.store.reader, bench.server.environment.uris
    own = _own(bench)
    owners = {None, own, *reader.programs_of_device(own)}
    found = {}
    for route in ALL_ROUTES:
        rows = reader.of_kind(_stored_as(route), limit=10_000)
        mine = [row for row in rows if row.owner_id in owners]
        place = uris.find(mine[-1].href) if mine else None
        if "{" not in route.path:
            found[route.id] = route.path
        elif place is not None:
            parts = (*place.parts, "0") if route.id == "Reading" else place.parts
            found[route.id] = uris.of(route.id, parts)
    return found


def _stored_as(route: Route) -> str:
    """Kind of the row that tells where a resource is."""
    return "ReadingSet" if route.id in READING_KINDS else route.view_of or route.id


def _own(bench: Bench) -> int:
    client = bench.store.reader.client_named(NAMES[Who.OWN])
    assert client is not None
    return client.end_device_id


def _secrets(bench: Bench) -> frozenset[bytes]:
    """What only the device and its aggregator may read: who it is, where it is, the mRIDs of what it has."""
    reader = bench.store.reader
    client = reader.client_of(_own(bench))
    assert client is not None
    owners = {client.end_device_id, *reader.programs_of_device(client.end_device_id)}
    owned = [row for owner in owners for row in reader.of_owner(owner)]
    names = {client.lfdi, str(client.sfdi), *(row.mrid.lstrip("0") for row in owned if row.mrid)}
    places = {f'"{row.href}"' for row in owned} | {row.href for row in owned if len(row.href) > 8}
    return frozenset(
        {_whole(name) for name in names if len(name) > 3} | {re.escape(place.encode()) for place in places}
    )


def _whole(name: str) -> bytes:
    """Pattern of a name by itself: four digits of another device's LFDI may be the same by chance."""
    return rb"(?<![0-9A-Za-z])0*" + re.escape(name.encode()) + rb"(?![0-9A-Za-z])"


def leaks(secrets: frozenset[bytes], shown: bytes) -> list[bytes]:
    """The secrets that can be read in what was shown."""
    return [secret for secret in secrets if re.search(secret, shown)]


async def test_a_secret_is_found_as_a_whole_name_alone() -> None:
    secrets = frozenset({_whole("A005")})
    assert leaks(secrets, b"<mRID>A005</mRID>")
    assert leaks(secrets, b"<mRID>000000A005</mRID>")
    assert not leaks(secrets, b"<lFDI>77A005FF</lFDI>")


def _bare_context(pki: Pki) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(pki.root_path)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0")
    return context


def _foreign(factory: pytest.TempPathFactory, pki: Pki) -> ssl.SSLContext:
    foreign = Pki.create(factory.mktemp("foreign") / "pki", depth=2).issue_device("mallory")
    return client_context(foreign.certificate_path, foreign.key_path, pki.root_path)


def _write_report(house: House) -> None:
    """The matrix as a table: a line for each resource and method, a column for each kind of client."""
    REPORT.parent.mkdir(exist_ok=True)
    kinds = [*(who.value for who in Who), "operator"]
    lines = [f"# {len(house.cells)} cells; 0: no TLS session", ",".join(["resource", "method", *kinds])]
    for route in ALL_ROUTES:
        for method in METHODS:
            cells = [str(house.cells.get((route.id, method, kind), "")) for kind in kinds]
            lines.append(",".join([route.id, method, *cells]))
    REPORT.write_text("\n".join(lines) + "\n", encoding="utf-8")


async def _ask(house: House, who: Who, method: str, path: str) -> Reply:
    body = b"<nothing/>" if method in {"PUT", "POST"} else None
    if who not in STRANGERS:
        return await house.clients[who].send(method, path, body)
    try:
        port = house.bench.server.port
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=house.contexts[who])
        writer.write(f"{method} {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n".encode())
        answer = await reader.read()
        writer.close()
    except (ssl.SSLError, ConnectionError):
        return Reply(NO_TLS, {}, b"")
    return Reply(int(answer[9:12] or b"0"), {}, answer)


@pytest.mark.parametrize("who", [pytest.param(who, id=who.value) for who in Who])
@pytest.mark.parametrize("route", [pytest.param(route, id=route.id) for route in ALL_ROUTES])
async def test_each_client_gets_what_the_table_says_and_learns_nothing_else(
    house: House, route: Route, who: Who
) -> None:
    path = house.places.get(route.id, route.href(*["999999"] * route.path.count("{")))
    exists = route.id in house.places
    methods = METHODS if who not in ENTITLED else [m for m in METHODS if m != "DELETE"]
    replies = {method: await _ask(house, who, method, path) for method in methods}
    house.cells |= {(route.id, method, who.value): reply.status for method, reply in replies.items()}
    wanted = {method: expected(route, method, who, exists=exists) for method in methods}
    assert {method: reply.status for method, reply in replies.items()} == wanted
    shown = b"" if who in ENTITLED else b"".join(reply.body for reply in replies.values())
    assert leaks(house.secrets, shown) == []


@pytest.mark.parametrize("route", [pytest.param(route, id=route.id) for route in ALL_ROUTES])
async def test_an_operator_looks_at_whatever_is_stored(house: House, route: Route) -> None:
    path = house.places.get(route.id, "/nowhere")
    told = await house.bench.do(lambda desk: _told_to_operator(desk, path))
    house.cells[route.id, "GET", "operator"] = 200 if told else 404
    assert bool(told) == (route.id in house.places and route.id not in UNSTORED)


@pytest.mark.parametrize("method", list(OPERATOR_WRITES))
@pytest.mark.parametrize("route", [pytest.param(route, id=route.id) for route in ALL_ROUTES])
async def test_an_operator_changes_what_is_stored_and_is_told_why_not(
    house: House, route: Route, method: str
) -> None:
    """With nothing in the body; what would be done is not kept. What is shown out of others has no row."""
    path = house.places.get(route.id, "/nowhere")
    status = await _tried_by_operator(house.bench, method, path)
    house.cells[route.id, method, "operator"] = status
    is_there = route.id in house.places and route.id not in UNSTORED
    has_row = is_there and house.bench.store.reader.by_href(path) is not None
    assert status in ({200, 400, 409} if has_row else {200, 400, 404} if is_there else {400, 404})


class _Undone(Exception):
    """What was done is taken back."""


async def _tried_by_operator(bench: Bench, method: str, path: str) -> int:
    def job(desk: Desk) -> None:
        OPERATOR_WRITES[method](desk, Call(query={"href": path}, body={}, now=desk.now))
        raise _Undone

    try:
        await bench.do(job)
    except Refusal as flaw:
        return flaw.status
    except _Undone:
        pass
    return 200


def _told_to_operator(desk: Desk, path: str) -> bool:
    try:
        return bool(resources.show(desk, Call(query={"href": path}, now=desk.now)))
    except NotFound:
        return False
