"""Every resource of the standard is there, and every method at it answers as annex A says."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial

import pytest
import pytest_asyncio

from certs import Pki
from function_sets import METHODS, ROUTES, Access, Mark, Route
from sep2_server.dispatch import allowed_methods
from tests.integration.full_house import fill
from tests.integration.sep2_harness import Bench, Client, running
from tests.integration.test_sep2_walk import mirror

pytestmark = pytest.mark.asyncio(loop_scope="module")

SHOWN = [r for r in ROUTES.values() if r.access is not Access.OPERATOR]
SINGLE = [pytest.param(r, id=r.id) for r in SHOWN]
CASES = [  # what clients may delete is deleted in `test_sep2_matrix`
    pytest.param(r, m, id=f"{r.id}-{m}")
    for r in SHOWN
    for m in METHODS[2:]
    if m != "DELETE" or m not in allowed_methods(r)
]
LAST = ("PUT", "POST", "DELETE")


@dataclass(frozen=True)
class House:
    bench: Bench
    client: Client

    def path(self, route: Route) -> str:
        """Where one of these is: stored, made at read, or a view beside a stored one."""
        reader, uris = self.bench.store.reader, self.bench.server.environment.uris
        if "{" not in route.path:
            return route.path
        rows = reader.of_kind(route.view_of or route.id, limit=1)
        if not rows:
            return uris.of(route.id, self.parts("Reading" if route.id == "Reading" else "ReadingSet"))
        place = uris.find(rows[0].href)
        assert place is not None
        return uris.of(route.id, place.parts)

    def parts(self, kind: str) -> tuple[str, ...]:
        row = self.bench.store.reader.of_kind("ReadingSet", limit=1)[0]
        place = self.bench.server.environment.uris.find(row.href)
        assert place is not None
        return (*place.parts, "0") if kind == "Reading" else place.parts


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory, sep2_pki: Pki) -> AsyncIterator[House]:
    async with running(tmp_path_factory.mktemp("house"), sep2_pki, profile="base") as bench:
        device, client = await bench.device("house-1")
        await bench.do(partial(fill, device=device))
        assert (await client.post("/mup", mirror(bench.credentials("house-1").lfdi))).status == 201
        yield House(bench, client)


@pytest.mark.parametrize("route", SINGLE)
async def test_every_resource_is_there_and_may_be_read(house: House, route: Route) -> None:
    path = house.path(route)
    found, head = await house.client.get(f"{path}?l=9"), await house.client.send("HEAD", path)
    assert (found.status, head.status, head.body) == (200, 200, b"")
    assert f"<{route.type.__name__}".encode() in found.body


@pytest.mark.parametrize(("route", "method"), CASES)
async def test_every_other_method_answers_as_the_annex_says(house: House, route: Route, method: str) -> None:
    path, mark = house.path(route), route.methods[method]
    body = b"<nothing/>" if method != "DELETE" else None
    status = (await house.client.send(method, path, body)).status
    is_taken = method in allowed_methods(route)
    assert status in ({400, 403} if is_taken else {405})
    assert is_taken or mark is not Mark.MUST


@pytest.mark.parametrize("route", [p for p in SINGLE if "PUT" in ROUTES[str(p.id)].writes])
async def test_what_a_device_may_put_is_what_it_reads(house: House, route: Route) -> None:
    path = house.path(route)
    found = await house.client.get(path)
    reply = await house.client.send("PUT", path, found.body)
    assert reply.status in {200, 204, 400, 403}
    assert (await house.client.get(path)).status == 200
