"""Every resource of the standard, every method: no 500, the marks kept, Allow where something is refused."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from certs import Pki
from function_sets import METHODS, ROUTES, Access, Mark, Route
from sep2_server.dispatch import allowed_methods
from tests.integration.sep2_harness import Bench, Client, running

pytestmark = pytest.mark.asyncio(loop_scope="module")

ALLOWED_STATUS = {200, 201, 204, 400, 403, 404, 405, 415}
FORBIDDEN_CASES = [
    pytest.param(route, method, id=f"{route.id}-{method}")
    for route in ROUTES.values()
    for method in METHODS
    if route.methods[method] is Mark.ERROR
]
ROOT_LISTS = [
    pytest.param(r, id=r.id)
    for r in ROUTES.values()
    if r.is_list and "{" not in r.path and r.access is not Access.OPERATOR
]


@dataclass(frozen=True)
class Known:
    """A device with a group, and its ids for the placeholders of paths."""

    client: Client
    ids: dict[str, tuple[int, ...]]

    def path(self, route: Route) -> str:
        """A path of the route that has real ids as far as there are any."""
        head = route.path.split("/")[1]
        ids = [*map(str, self.ids.get(head, ())), "1", "1", "1", "1", "1"]
        return route.href(*ids[: route.path.count("{")])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def known(tmp_path_factory: pytest.TempPathFactory, sep2_pki: Pki) -> AsyncIterator[Known]:
    async with running(tmp_path_factory.mktemp("routes"), sep2_pki, function_sets="all") as bench:
        end_device, client = await bench.device("routes-1")
        _, program = await bench.group("routes", "routes-1")
        der = der_of(bench, end_device.id)
        yield Known(client, {"edev": (end_device.id, der), "derp": (program.id,)})


def der_of(bench: Bench, end_device_id: int) -> int:
    rows = bench.store.reader.of_owner(end_device_id)
    return next(row.id for row in rows if row.kind == "DER")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("route", [pytest.param(r, id=r.id) for r in ROUTES.values()])
async def test_no_method_at_any_resource_fails(known: Known, route: Route, method: str) -> None:
    body = b"<nothing/>" if method in {"PUT", "POST"} else None
    reply = await known.client.send(method, known.path(route), body)
    assert reply.status in ALLOWED_STATUS
    assert (reply.status == 405) == (method not in allowed_methods(route))


@pytest.mark.parametrize(("route", "method"), FORBIDDEN_CASES)
async def test_a_method_marked_e_is_405_with_allow(known: Known, route: Route, method: str) -> None:
    reply = await known.client.send(method, known.path(route))
    assert reply.status == 405
    assert reply.headers["Allow"] == ", ".join(allowed_methods(route))
    assert method not in reply.headers["Allow"].split(", ")


@pytest.mark.parametrize("route", ROOT_LISTS)
async def test_a_list_at_the_root_is_there_for_every_client(known: Known, route: Route) -> None:
    reply = await known.client.get(route.path + "?l=255")
    assert reply.status == 200
    assert f"<{route.type.__name__} ".encode() in reply.body


@pytest.mark.parametrize("path", ["/ntfy", "/ntfy/1"])
@pytest.mark.parametrize("method", METHODS)
async def test_notifications_are_the_clients_to_host(known: Known, path: str, method: str) -> None:
    reply = await known.client.send(method, path)
    assert (reply.status, reply.headers["Allow"]) == (405, "")
