"""From DeviceCapability along every link: what a device finds agrees with itself, and hides all the rest."""

import re

import pytest

from schemas import (
    DateTimeInterval,
    MirrorMeterReading,
    MirrorReadingSet,
    MirrorUsagePoint,
    Reading,
    ReadingType,
)
from tests.integration.sep2_harness import SEP_XML, START, Bench, Client, Reply, make_control

_HREF = re.compile(rb'(?:href|replyTo)="([^"]*)"')
_LIST_LINK = re.compile(rb'<\w+ListLink href="([^"]*)" all="(\d+)"/>')
_HEAD = re.compile(rb"^<(\w+)[^>]*>")
ROOTS = {"/dcap", "/derp", "/edev", "/mup", "/rsps", "/sdev", "/tm", "/upt"}


async def walk(client: Client) -> dict[str, Reply]:
    """Answers by path to a GET of everything that is linked from DeviceCapability on."""
    found: dict[str, Reply] = {}
    ahead = ["/dcap"]
    while ahead:
        path = ahead.pop()
        if path not in found:
            found[path] = await client.get(f"{path}?s=0&l=255")
            ahead += [href.decode() for href in _HREF.findall(found[path].body)]
    return found


def mirror(lfdi: str) -> MirrorUsagePoint:
    period = DateTimeInterval(start=START, duration=60)
    values = MirrorReadingSet(mRID="D1", timePeriod=period, Reading_=[Reading(value=3), Reading(value=4)])
    meter = MirrorMeterReading(
        mRID="C1", MirrorReadingSet_=[values], Reading_=Reading(value=1), ReadingType_=ReadingType(uom=38)
    )
    return MirrorUsagePoint(
        mRID="A1",
        roleFlags="49",
        serviceCategoryKind=0,
        status=1,
        deviceLFDI=lfdi,
        MirrorMeterReading_=[meter],
    )


async def furnished(bench: Bench, name: str) -> Client:
    """A device with a program, a control in force and a mirror."""
    _, client = await bench.device(name)
    _, program = await bench.group(f"group of {name}", name)
    await bench.control(program, make_control(name.encode().hex(), START - 10, 60))
    assert (await client.post("/mup", mirror(bench.credentials(name).lfdi))).status == 201
    return client


async def test_every_list_has_as_many_items_as_links_to_it_tell(bench: Bench) -> None:
    found = await walk(await furnished(bench, "walk-1"))
    told = {
        (href.decode(), int(number))
        for reply in found.values()
        for href, number in _LIST_LINK.findall(reply.body)
    }
    assert len(told) == 18
    for href, number in told:
        head = _HEAD.match(found[href].body)
        assert head is not None
        assert b' all="%d"' % number in head[0]
        assert b' results="%d"' % number in head[0]


async def test_every_resource_tells_its_own_uri(bench: Bench) -> None:
    found = await walk(await furnished(bench, "walk-1"))
    shown = {path: reply for path, reply in found.items() if reply.status == 200}
    assert len(shown) > 30
    for path, reply in shown.items():
        head = _HEAD.match(reply.body)
        assert head is not None
        assert b' href="%s"' % path.encode() in head[0]
        assert reply.headers["Content-Type"] == SEP_XML


async def test_what_is_linked_is_there_or_has_not_been_put(bench: Bench) -> None:
    found = await walk(await furnished(bench, "walk-1"))
    missing = {path.rpartition("/")[2] for path, reply in found.items() if reply.status == 404}
    assert missing == {"dera", "dercap", "derg", "ders", "di", "dstat", "ps"}
    assert {reply.status for reply in found.values()} == {200, 404}


async def test_head_has_the_headers_of_get_everywhere(bench: Bench) -> None:
    client = await furnished(bench, "walk-1")
    for path, got in (await walk(client)).items():
        head = await client.send("HEAD", f"{path}?s=0&l=255")
        assert (head.status, head.body) == (got.status, b"")
        assert {**head.headers, "Date": ""} == {**got.headers, "Date": ""}


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "POST", "DELETE"])
async def test_all_of_another_device_is_as_if_it_were_not_there(bench: Bench, method: str) -> None:
    one = await furnished(bench, "walk-1")
    two = await furnished(bench, "walk-2")
    mine = {path for path, reply in (await walk(one)).items() if reply.status == 200}
    others = {path for path, reply in (await walk(two)).items() if reply.status == 200} - mine
    assert len(others) > 20
    body = b"<x/>" if method in {"PUT", "POST"} else None
    for path in others:
        theirs = await one.send(method, path, body)
        nobodys = await one.send(method, re.sub(r"\d+", "999999", path), body)
        assert theirs.status in {404, 405}
        assert (theirs.status, theirs.body) == (nobodys.status, nobodys.body)
        assert theirs.headers.get("Allow") == nobodys.headers.get("Allow")
    assert {path for path, reply in (await walk(two)).items() if reply.status == 200} >= others | ROOTS
