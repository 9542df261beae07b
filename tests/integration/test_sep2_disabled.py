"""A device that is disabled: what is left to it, and what its aggregator may not do for it any more.

IEEE 2030.5-2018, 10 (EndDevice).
"""

from pathlib import Path

import pytest

from certs import Pki, parse_lfdi, sfdi_of
from function_sets import ROUTES, Access
from schemas import DERControl, EndDevice, MirrorUsagePointList
from sep2_server.access import OPEN_TO_DISABLED, may_see, may_see_again, viewer_of
from sep2_server.reader import Reader
from sep2_server.rows import Role
from tests.integration.sep2_harness import START, Bench, make_control, running
from tests.integration.test_sep2_mirror import mirror
from tests.integration.test_sep2_responses import response

pytestmark = pytest.mark.usefixtures("each_database")


async def disable(bench: Bench, end_device_id: int, *, is_disabled: bool = True) -> None:
    await bench.do(lambda desk: desk.transaction.put_disabled(end_device_id, is_disabled=is_disabled))


async def test_nobody_mirrors_or_answers_for_a_managed_device_while_it_is_disabled(bench: Bench) -> None:
    aggregator = await bench.enrol("aggregator-1", role=Role.AGGREGATOR)
    managed = await bench.enrol("managed-1", aggregator=aggregator)
    client, lfdi = await bench.client("aggregator-1"), bench.credentials("managed-1").lfdi
    _, program = await bench.group("feeder", "managed-1")
    row = await bench.control(program, make_control("A1", START + 10, 60))
    reply_to = bench.server.environment.codec.decode_fragment(row.body, DERControl).replyTo
    assert reply_to is not None
    statuses = []
    for is_disabled in (True, False):
        await disable(bench, managed.id, is_disabled=is_disabled)
        replies = [await client.post("/mup", mirror(lfdi)), await client.post(reply_to, response(lfdi))]
        statuses.append([reply.status for reply in replies])
        assert (await client.get(managed.href)).status == 200, "the entry says that it is disabled"
    assert statuses == [[403, 400], [201, 201]]
    assert (await client.read("/mup", MirrorUsagePointList)).all == 1


async def test_a_disabled_device_knows_of_nothing_but_that_it_is_disabled(bench: Bench) -> None:
    row, _ = await bench.device("rsp-1")
    lfdi = bench.credentials("rsp-1").lfdi

    def seen(reader: Reader) -> tuple[set[str], set[str]]:
        viewer = viewer_of(reader, lfdi)
        routes = [route for route in ROUTES.values() if route.access is not Access.ASSIGNED]
        return (
            {route.id for route in routes if may_see(reader, viewer, route, row.id, row)},
            {route.id for route in routes if may_see_again(viewer, route, row.id, row, None)},
        )

    before = await bench.store.ask(seen)
    await disable(bench, row.id)
    first, again = await bench.store.ask(seen)
    assert first == again == OPEN_TO_DISABLED
    assert min(map(len, before)) > 50


async def test_a_disabled_device_reads_its_entry_and_no_mirrors(bench: Bench) -> None:
    """What is open to who is about to register is no more than that."""
    row, client = await bench.device("rsp-1")
    paths = ("/dcap", "/tm", "/edev", row.href, "/mup", "/upt", f"{row.href}/der")
    await disable(bench, row.id)
    assert [(await client.get(path)).status for path in paths] == [200, 200, 200, 200, 404, 404, 404]
    await disable(bench, row.id, is_disabled=False)
    assert {(await client.get(path)).status for path in paths} == {200}


async def test_an_aggregator_reads_the_entry_of_a_disabled_device_and_no_more(bench: Bench) -> None:
    aggregator = await bench.enrol("aggregator-1", role=Role.AGGREGATOR)
    managed = await bench.enrol("managed-1", aggregator=aggregator)
    client = await bench.client("aggregator-1")
    paths = [managed.href + below for below in ("", "/der", "/fsa", "/lel", "/rg")]
    found = []
    for is_disabled in (False, True, False):
        await disable(bench, managed.id, is_disabled=is_disabled)
        found.append([(await client.get(path)).status for path in paths])
    assert found == [[200] * 5, [200, 404, 404, 404, 404], [200] * 5]


async def test_a_disabled_device_reads_nothing_of_the_server_itself(tmp_path: Path, sep2_pki: Pki) -> None:
    async with running(tmp_path, sep2_pki, function_sets="all") as bench:
        row, client = await bench.device("rsp-1")
        paths = ("/dcap", "/sdev", "/sdev/di", "/sdev/dstat")
        assert [(await client.get(path)).status for path in paths] == [200] * 4
        await disable(bench, row.id)
        assert [(await client.get(path)).status for path in paths] == [200, 404, 404, 404]


async def test_a_disabled_device_is_not_removed_to_be_registered_anew(tmp_path: Path, sep2_pki: Pki) -> None:
    async with running(tmp_path, sep2_pki, in_band_registration=True) as bench:
        await bench.enrol("aggregator-1", role=Role.AGGREGATOR)
        aggregator = await bench.client("aggregator-1")
        lfdi = parse_lfdi(bench.credentials("managed-1").lfdi)
        posted = EndDevice(lFDI=lfdi, sFDI=sfdi_of(lfdi), changedTime=0)
        href = (await aggregator.post("/edev", posted)).location
        row = bench.store.reader.by_href(href)
        assert row is not None
        await disable(bench, row.id)
        for client in (aggregator, await bench.client("managed-1")):
            statuses = [(await client.put(href, posted)).status, (await client.send("DELETE", href)).status]
            assert statuses == [403, 403]
        await disable(bench, row.id, is_disabled=False)
        assert (await aggregator.send("DELETE", href)).status == 204
