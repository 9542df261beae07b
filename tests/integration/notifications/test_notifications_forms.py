"""What a subscription asks of the form of its notifications, and whose certificate posts them.

IEEE 2030.5-2018, 14.
"""

import ssl
from pathlib import Path
from typing import Any

import pytest

from certs import Pki
from schemas import (
    ActivePower,
    DERControl,
    DERControlBase,
    DERControlList,
    EndDevice,
    Error,
    Subscription,
    SubscriptionList,
    csip_aus,
)
from schemas.codes import ErrorReason
from sep2_server.notifications.rendering import KEPT_LARGE, LARGE_OCTETS
from tests.integration.notifications.conftest import Subscriber
from tests.integration.notifications.listening import listening, settled, subscribe, wish
from tests.integration.sep2_harness import START, Bench, make_control, running, server_settings

STORED = pytest.mark.usefixtures("each_database")
"""Of tests that lean on the store: on SQLite and on PostgreSQL."""
FOREIGN = b"<csipaus:"
HERE: dict[str, Any] = {"notification_gap_ms": 0, "notification_hosts": "127.0.0.1"}
FIVE_W = ActivePower(multiplier=0, value=5)
HIGHEST = 4_294_967_295


async def limits_told(folder: Path, pki: Pki, level: str) -> tuple[bytes, DERControlBase]:
    """The notification of a control with a limit of the Australian profile, and the base of that control."""
    async with running(folder, pki, profile="csip_aus_v1.2", **HERE) as bench:
        row, client = await bench.device("one")
        _, program = await bench.group("all", "one")
        limits = csip_aus.DERControlBaseV12(opModMaxLimW=4000, opModExpLimW=FIVE_W)
        async with listening(bench.credentials("one")) as listener:
            asked = wish(f"{program.href}/derc", listener.uri, level=level)
            assert (await client.post(f"{row.href}/sub", asked)).status == 201
            await bench.control(program, make_control("0A", START + 10, 60, base=limits))
            await listener.next()
            (posted,) = listener.posted
    held = posted.decoded(bench.server.settings.xml_profile).Resource_
    assert isinstance(held, DERControlList)
    (control,) = held.DERControl_
    assert isinstance(control, DERControl)
    return posted.body, control.DERControlBase_


async def test_level_plus_s1_is_told_extensions(tmp_path: Path, sep2_pki: Pki) -> None:
    body, base = await limits_told(tmp_path, sep2_pki, "+S1")
    assert FOREIGN in body
    assert base == csip_aus.DERControlBaseV12(opModMaxLimW=4000, opModExpLimW=FIVE_W)


async def test_level_minus_s1_is_told_the_base_schema_alone(tmp_path: Path, sep2_pki: Pki) -> None:
    body, base = await limits_told(tmp_path, sep2_pki, "-S1")
    assert FOREIGN not in body
    assert base == csip_aus.DERControlBaseV12(opModMaxLimW=4000)


@pytest.mark.parametrize("level", ["S0", "S1", "+S0", "-S0", "+S2", "-S2", "+s1", "", " +S1", "+S1-S1"])
async def test_a_level_that_is_not_known_is_refused(subscriber: Subscriber, level: str) -> None:
    row, client = subscriber.row, subscriber.client
    refused = await client.post(f"{row.href}/sub", wish(row.href, subscriber.listener.uri, level=level))
    assert (refused.status, refused.decoded(Error).reasonCode) == (400, ErrorReason.INVALID_VALUES)


@pytest.mark.parametrize("encoding", [1, 2, 255], ids=["EXI", "2", "255"])
async def test_an_encoding_without_a_codec_is_refused(subscriber: Subscriber, encoding: int) -> None:
    row, client = subscriber.row, subscriber.client
    asked = wish(row.href, subscriber.listener.uri)
    asked.encoding = encoding
    refused = await client.post(f"{row.href}/sub", asked)
    assert (refused.status, refused.decoded(Error).reasonCode) == (400, ErrorReason.INVALID_VALUES)
    assert (await client.read(f"{row.href}/sub", SubscriptionList)).all == 0


@STORED
@pytest.mark.parametrize(("limit", "items"), [(0, 0), (1, 1), (3, 3), (4, 3), (HIGHEST, 3)])
async def test_limit_is_the_most_items_and_all_tells_of_the_rest(
    told: Bench, subscriber: Subscriber, limit: int, items: int
) -> None:
    client, listener = subscriber.client, subscriber.listener
    _, program = await told.group("feeder", "one")
    await told.control(program, make_control("B1", START + 60, 60))
    await told.control(program, make_control("B2", START + 180, 60))
    made = await subscribe(client, subscriber.row, f"{program.href}/derc", listener.uri, limit=limit)
    assert (await client.read(made.location, Subscription)).limit == limit
    await told.control(program, make_control("B3", START + 300, 60))
    held = (await listener.next()).Resource_
    assert isinstance(held, DERControlList)
    assert (held.all, held.results) == (3, items)
    assert [control.mRID for control in held.DERControl_] == ["B1", "B2", "B3"][:items]
    assert held == await client.read(f"{program.href}/derc?l={limit}", DERControlList)


@pytest.mark.parametrize("limit", [0, 1, HIGHEST])
async def test_limit_means_nothing_to_a_resource_that_is_no_list(
    told: Bench, subscriber: Subscriber, limit: int
) -> None:
    row = subscriber.row
    await subscribe(subscriber.client, row, row.href, subscriber.listener.uri, limit=limit)
    await told.store.do(lambda tx: tx.replace(row, row))
    note = await subscriber.listener.next()
    assert isinstance(note.Resource_, EndDevice)


@pytest.mark.parametrize("limit", ["-1", str(HIGHEST + 1), "many", ""])
async def test_a_limit_that_is_no_uint32_is_refused(subscriber: Subscriber, limit: str) -> None:
    row, client = subscriber.row, subscriber.client
    body = (
        f'<Subscription xmlns="urn:ieee:std:2030.5:ns"><subscribedResource>{row.href}</subscribedResource>'
        f"<encoding>0</encoding><level>+S1</level><limit>{limit}</limit>"
        f"<notificationURI>{subscriber.listener.uri}</notificationURI></Subscription>"
    )
    refused = await client.send("POST", f"{row.href}/sub", body.encode())
    assert refused.status == 400


def shown(pki: Pki) -> bytes:
    """DER of the certificate that the server has now."""
    chain = pki.credentials("server").certificate_path.read_text()
    return ssl.PEM_cert_to_DER_cert(chain[: chain.index("-----END CERTIFICATE-----") + 25])


async def test_large_resources_are_kept_in_bounded_memory(told: Bench) -> None:
    renderer = told.server.notifications._renderers[""]
    for number in range(2 * KEPT_LARGE):
        document = b"<Time>%s%d</Time>" % (b"x" * LARGE_OCTETS, number)
        told_twice = [renderer._shared(document, base_alone=False) for _ in range(2)]
        assert told_twice[0] is told_twice[1]
        assert told_twice[0].endswith(b"%d</Resource>" % number)
    assert renderer._element.cache_info().currsize == 0
    assert renderer._large_element.cache_info().currsize == KEPT_LARGE


async def test_a_notification_comes_from_the_server_by_the_mandatory_suite(
    told: Bench, subscriber: Subscriber
) -> None:
    row, listener = subscriber.row, subscriber.listener
    await subscribe(subscriber.client, row, f"{row.href}/fsa", listener.uri)
    await told.group("first", "one")
    await listener.next()
    (posted,) = listener.posted
    assert (posted.certificate, posted.suite) == (shown(told.pki), "ECDHE-ECDSA-AES128-CCM8")
    assert (posted.method, posted.headers["Content-Type"]) == ("POST", "application/sep+xml")


@STORED
async def test_a_renewed_certificate_is_shown_in_new_handshakes_and_nothing_is_lost(
    tmp_path: Path,
) -> None:
    pki = Pki.create(tmp_path / "pki", depth=3)
    async with running(tmp_path, pki, **HERE) as bench:
        row, client = await bench.device("one")
        async with listening(bench.credentials("one")) as listener:
            await subscribe(client, row, f"{row.href}/fsa", listener.uri)
            for name in ("first", "second"):
                await bench.group(name, "one")
                await listener.next()
                await settled(bench)
            old = shown(pki)
            pki.issue_server("server", hosts=["127.0.0.1"], force=True)
            new = shown(pki)
            bench.server.renew(server_settings(tmp_path, pki, **HERE))
            for name in ("third", "fourth"):
                await bench.group(name, "one")
                await listener.next()
                await settled(bench)
            assert [posted.certificate for posted in listener.posted] == [old, old, new, new]
            assert len(listener.connections) == 2
            assert bench.store.reader.ledger.all_owed() == []
