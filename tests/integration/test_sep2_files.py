"""Files for devices: real downloads over mutual TLS, in pieces; who sees what; the progress of a roll-out."""

import asyncio
import contextlib
import hashlib
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from certs import Pki
from schemas import (
    DeviceInformation,
    EndDeviceList,
    Error,
    File,
    FileLink,
    FileList,
    FileStatus,
    FunctionSetAssignmentsList,
)
from sep2_server.errors import LimitReached
from sep2_server.files.contents import Content
from sep2_server.files.stored import contents_of, sweep_contents
from sep2_server.operator import files, programs, resources
from sep2_server.operator.desk import Desk
from sep2_server.operator.router import Answer, Call
from sep2_server.rows import Role
from tests.integration.sep2_harness import START, Bench, Client, running

OCTETS = b"".join(hashlib.sha256(bytes([n % 256, n // 256])).digest() for n in range(9_375))
DIGEST = hashlib.sha256(OCTETS).hexdigest()
PIECE = 70_000


@pytest.fixture
async def bench(tmp_path: Path, sep2_pki: Pki) -> AsyncIterator[Bench]:
    """A server that offers every function set and runs one download at a time."""
    async with running(
        tmp_path, sep2_pki, function_sets="all", downloads_at_once=1, download_retry_s=7
    ) as bench:
        yield bench


async def in_parts(octets: bytes, length: int = 500_000) -> AsyncIterator[bytes]:
    for start in range(0, len(octets), length):
        yield octets[start : start + length]


async def keep(bench: Bench, octets: bytes = OCTETS) -> Content:
    return await contents_of(bench.server.environment).take(in_parts(octets), 1 << 30)


async def operate(bench: Bench, run: object, body: object = None, **names: str) -> Answer:
    call = Call(names=names, body=body, now=bench.clock.now())
    return await bench.do(lambda desk: run(desk, call))  # type: ignore[operator]


async def give(bench: Bench, group: str = "g", **fields: object) -> str:
    """A file for a group; its number."""
    content = await keep(bench)
    body = {"sha256": content.digest, "mfID": 37250, "mfModel": "PV-5", "mfVer": "2.1", **fields}
    return str((await operate(bench, files.add, body, group=group))["file"])


async def device(bench: Bench, name: str, group: str | None = "g") -> Client:
    """A device in a group, which is made where there is none."""
    await bench.enrol(name)

    def join(desk: Desk) -> None:
        if group is not None:
            known = desk.reader.group_named(group) or programs.add_group(desk, group)
            programs.assign(desk, known, desk.client(name))

    await bench.do(join)
    return await bench.client(name)


async def seen(client: Client, query: str = "") -> list[File]:
    page = await client.read(f"/file?l=255{query}", FileList)
    assert page.all == page.results
    return page.File_


def information(lfdi: str, *, model: str = "PV-5", hardware: str = "B") -> DeviceInformation:
    return DeviceInformation(
        lFDI=lfdi,
        mfDate=0,
        mfHwVer=hardware,
        mfID=37250,
        mfModel=model,
        mfSerNum="s",
        primaryPower=1,
        secondaryPower=0,
        swActTime=0,
        swVer="2.0",
    )


async def test_a_device_loads_a_file_in_pieces_and_the_checksum_is_right(bench: Bench) -> None:
    client = await device(bench, "file-1")
    await give(bench)
    edev = (await client.read("/edev", EndDeviceList)).EndDevice_[0]
    assignments = await client.read(f"{edev.href}/fsa?l=9", FunctionSetAssignmentsList)
    link = assignments.FunctionSetAssignments_[0].FileListLink_
    assert link is not None
    assert link.all == 1
    file = (await client.read(link.href, FileList)).File_[0]
    assert (file.size, file.mfVer, file.type) == (len(OCTETS), "2.1", "00")
    head = await client.send("HEAD", file.fileURI)
    assert (head.status, head.body, head.headers["Content-Length"]) == (200, b"", str(len(OCTETS)))
    loaded = b""
    while len(loaded) < file.size:
        asked = f"bytes={len(loaded)}-{len(loaded) + PIECE - 1}"
        reply = await client.send(
            "GET", file.fileURI, headers={"Range": asked, "If-Range": head.headers["Etag"]}
        )
        assert reply.status == 206
        stop = len(loaded) + len(reply.body)
        assert reply.headers["Content-Range"] == f"bytes {len(loaded)}-{stop - 1}/{len(OCTETS)}"
        loaded += reply.body
    assert hashlib.sha256(loaded).hexdigest() == DIGEST


@pytest.mark.parametrize("asked", ["bytes=0-9", "bytes=999999999-"])
async def test_a_range_is_of_a_get_alone(bench: Bench, asked: str) -> None:
    """RFC 9110, 14.2."""
    client = await device(bench, "file-1")
    await give(bench)
    head = await client.send("HEAD", (await seen(client))[0].fileURI, headers={"Range": asked})
    assert (head.status, head.headers["Content-Length"]) == (200, str(len(OCTETS)))
    assert "Content-Range" not in head.headers


async def test_a_whole_file_comes_at_once_and_is_not_sent_again(bench: Bench) -> None:
    client = await device(bench, "file-2")
    await give(bench)
    uri = (await seen(client))[0].fileURI
    whole = await client.get(uri, Accept="application/octet-stream")
    assert (whole.status, whole.body == OCTETS) == (200, True)
    assert whole.headers["Content-Type"] == "application/octet-stream"
    again = await client.send("GET", uri, headers={"If-None-Match": whole.headers["Etag"]})
    assert (again.status, again.body) == (304, b"")
    changed = await client.send("GET", uri, headers={"Range": "bytes=0-9", "If-Range": '"old"'})
    assert (changed.status, len(changed.body)) == (200, len(OCTETS))


async def test_a_range_behind_the_end_is_416(bench: Bench) -> None:
    client = await device(bench, "file-3")
    await give(bench)
    reply = await client.send("GET", (await seen(client))[0].fileURI, headers={"Range": "bytes=300000-"})
    assert (reply.status, reply.headers["Content-Range"]) == (416, f"bytes */{len(OCTETS)}")
    assert bench.server.downloads.running == 0


async def test_one_download_too_many_is_503_and_works_when_the_place_is_free(bench: Bench) -> None:
    client = await device(bench, "file-4")
    await give(bench)
    uri = (await seen(client))[0].fileURI
    bench.server.downloads.most = 0
    busy = await client.get(uri)
    assert (busy.status, busy.headers["Retry-After"]) == (503, "7")
    assert busy.decoded(Error).maxRetryDuration == 7
    assert (await client.send("HEAD", uri)).status == 200
    bench.server.downloads.most = 1
    assert (await client.get(uri)).body == OCTETS


async def test_an_aborted_download_gives_its_place_back(bench: Bench) -> None:
    client = await device(bench, "file-5")
    large = OCTETS * 80
    content = await keep(bench, large)
    body = {"sha256": content.digest, "mfID": 37250, "mfModel": "PV-5", "mfVer": "2.1"}
    await operate(bench, files.add, body, group="g")
    uri = (await seen(client))[0].fileURI
    async with client._session.get(uri) as response:
        await response.content.readexactly(1000)
        assert bench.server.downloads.running == 1
        assert response.connection is not None
        response.connection.transport.abort()  # type: ignore[union-attr]
    while (reply := await client.get(uri)).status == 503:
        assert reply.headers["Retry-After"] == "7"
    assert reply.body == large


async def test_only_devices_of_the_group_see_and_load_a_file(bench: Bench) -> None:
    member = await device(bench, "file-6")
    stranger = await device(bench, "file-7", group=None)
    await give(bench)
    file = (await seen(member))[0]
    assert await seen(stranger) == []
    for uri in (str(file.href), file.fileURI):
        assert (await member.get(uri)).status == 200
        assert (await stranger.get(uri)).status == 404
        assert (await member.send("DELETE", uri)).status == 405


async def test_a_file_for_one_device_is_hidden_from_its_group(bench: Bench) -> None:
    member = await device(bench, "file-8")
    other = await device(bench, "file-9")
    await give(bench, device="file-8", type="01")
    file = (await seen(member))[0]
    assert file.lFDI == bench.credentials("file-8").lfdi
    assert await seen(other) == []
    for client, status in ((member, 200), (other, 404), (member, 200)):  # one after the other: what is kept
        assert {(await client.get(uri)).status for uri in (str(file.href), file.fileURI)} == {status}


async def test_a_device_that_says_what_it_is_sees_the_files_that_fit(bench: Bench) -> None:
    client = await device(bench, "file-10")
    for fields in ({}, {"mfModel": "PV-6"}, {"mfHwVer": "B"}, {"mfHwVer": "C"}):
        await give(bench, **fields)
    assert len(await seen(client)) == 4
    assert [file.mfModel for file in await seen(client, "&mfModel=PV-6")] == ["PV-6"]
    lfdi = bench.credentials("file-10").lfdi
    href = (await client.read("/edev", EndDeviceList)).EndDevice_[0].href
    assert (await client.put(f"{href}/di", information(lfdi))).status == 204
    assert [file.mfHwVer for file in await seen(client)] == [None, "B"]
    await client.put(f"{href}/di", information(lfdi, hardware="C"))
    assert [file.mfHwVer for file in await seen(client)] == [None, "C"]


async def test_the_operator_sees_how_far_a_roll_out_is(bench: Bench) -> None:
    clients = {name: await device(bench, name) for name in ("file-11", "file-12", "file-13", "file-14")}
    number = await give(bench, activateTime=START + 3600)
    file = (await seen(clients["file-11"]))[0]
    assert file.activateTime == START + 3600
    for name, status, percent in (("file-11", 1, 40), ("file-12", 8, 100)):
        href = (await clients[name].read("/edev", EndDeviceList)).EndDevice_[0].href
        put = FileStatus(
            FileLink_=FileLink(href=str(file.href)),
            loadPercent=percent,
            nextRequestAttempt=START,
            request503Count=1,
            requestFailCount=0,
            status=status,
            statusTime=START,
        )
        assert (await clients[name].put(f"{href}/fs", put)).status == 204
        stored = await clients[name].read(f"{href}/fs", FileStatus)
        assert stored.FileLink_ is not None
        assert stored.FileLink_.href == file.href
    href = (await clients["file-13"].read("/edev", EndDeviceList)).EndDevice_[0].href
    lfdi = bench.credentials("file-13").lfdi
    await clients["file-13"].put(f"{href}/di", information(lfdi, model="PV-6"))
    told = await operate(bench, files.show, file=number)
    assert told["counts"] == {"loading": 1, "active": 1, "not started": 1}
    assert [row["name"] for row in told["devices"]] == ["file-11", "file-12", "file-14"]  # type: ignore[union-attr,index,call-overload]


async def test_a_removed_file_is_gone_for_everybody(bench: Bench) -> None:
    client = await device(bench, "file-15")
    number = await give(bench)
    file = (await seen(client))[0]
    await operate(bench, files.remove, file=number)
    assert await seen(client) == []
    assert [(await client.get(uri)).status for uri in (str(file.href), file.fileURI)] == [404, 404]


async def test_the_same_octets_are_kept_once_and_removed_only_where_they_are_old(bench: Bench) -> None:
    contents = contents_of(bench.server.environment)
    first, second = await keep(bench), await keep(bench)
    assert first == second == Content(DIGEST, len(OCTETS))
    folder = bench.server.settings.files_folder
    assert [path.name for path in folder.glob("**/*") if path.is_file()] == [DIGEST]
    came = contents.path(DIGEST).stat().st_mtime
    assert [contents.remove(DIGEST, came), contents.remove(DIGEST, came + 1)] == [False, True]
    assert contents.find(DIGEST) is None
    assert contents.find("../../etc/passwd") is None


async def test_what_files_refer_to_is_not_swept_at_a_start(bench: Bench) -> None:
    await device(bench, "file-16")
    number = await give(bench)
    contents = contents_of(bench.server.environment)
    later = contents.path(DIGEST).stat().st_mtime + 100_000
    assert await swept(bench, later) == 0
    await operate(bench, files.remove, file=number)
    assert await swept(bench, later) == 1


async def swept(bench: Bench, now: float) -> int:
    """How many octets a start of the server at a time removes."""
    return await sweep_contents(bench.store, bench.server.environment, now)


async def test_a_start_with_another_database_takes_no_octets_away(
    bench: Bench, tmp_path: Path, sep2_pki: Pki
) -> None:
    """What a database does not name, it has not let go of: it may be that of a trial."""
    client = await device(bench, "file-17")
    await give(bench)
    place = contents_of(bench.server.environment).path(DIGEST)
    os.utime(place, (place.stat().st_mtime - 10 * 86_400,) * 2)
    (tmp_path / "trial").mkdir()
    folder = str(bench.server.settings.files_folder)
    async with running(tmp_path / "trial", sep2_pki, function_sets="all", files_folder=folder):
        assert place.is_file()
    assert (await client.get((await seen(client))[0].fileURI)).body == OCTETS


async def test_octets_age_from_when_they_lost_their_file(bench: Bench) -> None:
    await device(bench, "file-18")
    number = await give(bench)
    place = contents_of(bench.server.environment).path(DIGEST)
    now = time.time()
    os.utime(place, (now - 10 * 86_400,) * 2)
    await operate(bench, files.remove, file=number)
    assert await swept(bench, now + 86_000) == 0, "a day is not over"
    number = await give(bench)
    assert await swept(bench, now + 100_000) == 0, "they have a file again"
    await operate(bench, files.remove, file=number)
    os.utime(place, (now + 50_000,) * 2)
    assert await swept(bench, now + 100_000) == 0, "they have been sent again, for another database"
    assert place.is_file()


async def test_octets_that_a_file_added_as_a_resource_has_lost_go_too(bench: Bench) -> None:
    await device(bench, "file-19")
    number = await give(bench)
    call = Call(query={"href": f"/file/{number}"}, now=bench.clock.now())
    await bench.do(lambda desk: resources.delete(desk, call))
    assert await swept(bench, time.time() + 100_000) == 1


async def test_an_aggregator_sees_the_files_of_its_devices_whatever_it_is_itself(bench: Bench) -> None:
    manager = await bench.enrol("file-20", role=Role.AGGREGATOR)
    managed = await bench.enrol("file-21", aggregator=manager)

    def join(desk: Desk) -> None:
        programs.assign(desk, programs.add_group(desk, "g"), desk.client("file-21"))

    await bench.do(join)
    client = await bench.client("file-20")
    await give(bench)
    await give(bench, mfModel="PV-6", device="file-21")
    own = information(bench.credentials("file-20").lfdi, model="gateway")
    assert (await client.put(f"{manager.href}/di", own)).status == 204
    assert sorted(file.mfModel for file in await seen(client)) == ["PV-5", "PV-6"]
    told = information(bench.credentials("file-21").lfdi)
    assert (await client.put(f"{managed.href}/di", told)).status == 204
    assert [file.mfModel for file in await seen(client, "&mfModel=PV-6")] == ["PV-6"]


async def test_what_a_device_says_of_another_file_does_not_count(bench: Bench) -> None:
    client = await device(bench, "file-22")
    first, second = await give(bench), await give(bench, mfVer="2.2")
    href = (await client.read("/edev", EndDeviceList)).EndDevice_[0].href
    of = {file.mfVer: str(file.href) for file in await seen(client)}
    put = FileStatus(
        FileLink_=FileLink(href=of["2.2"]),
        loadPercent=100,
        nextRequestAttempt=START,
        request503Count=0,
        requestFailCount=0,
        status=8,
        statusTime=START,
    )
    assert (await client.put(f"{href}/fs", put)).status == 204
    counts = [(await operate(bench, files.show, file=number))["counts"] for number in (first, second)]
    assert counts == [{"not started": 1}, {"active": 1}]


async def large_one(bench: Bench, name: str) -> tuple[Client, str, Path]:
    """A device, where a large file is that it may load, and where the octets of that are on the disk."""
    client = await device(bench, name)
    content = await keep(bench, OCTETS * 80)
    body = {"sha256": content.digest, "mfID": 37250, "mfModel": "PV-5", "mfVer": "2.1"}
    await operate(bench, files.add, body, group="g")
    return client, (await seen(client))[0].fileURI, contents_of(bench.server.environment).path(content.digest)


async def until_free(bench: Bench) -> None:
    """Wait until no download is under way."""
    for _ in range(400):
        if not bench.server.downloads.running:
            return
        await asyncio.sleep(0.05)
    pytest.fail("a place is not given back")


async def test_a_client_that_takes_nothing_loses_its_place(tmp_path: Path, sep2_pki: Pki) -> None:
    async with running(
        tmp_path, sep2_pki, function_sets="all", downloads_at_once=1, download_stall_s=1
    ) as bench:
        client, uri, _ = await large_one(bench, "file-30")
        async with client._session.get(uri) as response:
            await response.content.readexactly(1000)
            assert bench.server.downloads.running == 1
            before = bench.server.connections
            await until_free(bench)
            await asyncio.sleep(0.5)
            assert bench.server.connections < before, "what it has not taken is not kept for it"
            with pytest.raises(aiohttp.ClientError):
                await response.read()
        assert (await client.get(uri)).body == OCTETS * 80


async def test_a_clock_that_jumps_takes_no_upload_that_is_under_way(bench: Bench) -> None:
    """Days ahead: what is written has a time of before, and looks as if it had been left."""
    contents = contents_of(bench.server.environment)

    async def slowly() -> AsyncIterator[bytes]:
        yield OCTETS
        contents.clear(time.time() + 10 * 86_400)
        yield OCTETS

    content = await contents.take(slowly(), 1 << 30)
    assert contents.path(content.digest).read_bytes() == OCTETS * 2


async def test_two_processes_that_sweep_at_once_leave_each_other_alone(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What one has found the other has removed."""
    contents = contents_of(bench.server.environment)
    folder = bench.server.settings.files_folder
    folder.mkdir(exist_ok=True)
    (folder / "coming-dead").write_bytes(OCTETS[:1000])
    found = Path.glob
    monkeypatch.setattr(Path, "glob", lambda self, pattern: [*found(self, pattern), self / "coming-gone"])
    contents.clear(time.time() + 10 * 86_400)
    assert [*folder.iterdir()] == []
    assert not contents.remove(DIGEST, time.time())


async def test_a_client_that_takes_little_makes_room_for_one_that_waits_and_goes_on_later(
    tmp_path: Path, sep2_pki: Pki
) -> None:
    """It always takes something in time; nobody who waits does so for longer than a turn."""
    async with running(
        tmp_path, sep2_pki, function_sets="all", downloads_at_once=1, download_turn_s=1
    ) as bench:
        client, uri, _ = await large_one(bench, "file-35")
        other = await device(bench, "file-36")
        async with client._session.get(uri) as response:
            loaded = await response.content.readexactly(PIECE)
            begun = time.monotonic()
            assert (await other.get(uri)).status == 503
            while (reply := await other.get(uri)).status == 503:
                loaded += await response.content.readexactly(1000)
                assert time.monotonic() < begun + 20
            assert (reply.status, reply.body == OCTETS * 80) == (200, True)
            assert time.monotonic() >= begun + 0.9
            with pytest.raises(aiohttp.ClientError):
                await response.read()
        rest = await client.get(uri, Range=f"bytes={len(loaded)}-")
        assert (rest.status, loaded + rest.body == OCTETS * 80) == (206, True)
        assert bench.server.downloads.running == 0


async def test_a_client_that_takes_little_is_left_alone_where_nobody_waits(
    tmp_path: Path, sep2_pki: Pki
) -> None:
    async with running(
        tmp_path, sep2_pki, function_sets="all", downloads_at_once=2, download_turn_s=1
    ) as bench:
        client, uri, _ = await large_one(bench, "file-37")
        other = await device(bench, "file-38")
        async with client._session.get(uri) as response:
            loaded = await response.content.readexactly(PIECE)
            until = time.monotonic() + 1.2
            while time.monotonic() < until:
                assert (await other.get(uri)).status == 200
            assert loaded + await response.read() == OCTETS * 80


async def test_a_client_with_several_downloads_makes_room_for_one_that_has_none(
    tmp_path: Path, sep2_pki: Pki
) -> None:
    async with running(tmp_path, sep2_pki, function_sets="all", downloads_at_once=3) as bench:
        client, uri, _ = await large_one(bench, "file-39")
        others = [await device(bench, f"file-{number}") for number in (40, 41)]
        async with contextlib.AsyncExitStack() as held:
            first, second = [await held.enter_async_context(client._session.get(uri)) for _ in range(2)]
            loaded = [await response.content.readexactly(PIECE) for response in (first, second)]
            third = await held.enter_async_context(others[0]._session.get(uri))
            loaded.append(await third.content.readexactly(PIECE))
            assert (await client.get(uri)).status == 503, "it has two"
            assert (await others[0].get(uri)).status == 503, "it has one"
            assert (await others[1].get(uri)).body == OCTETS * 80
            with pytest.raises(aiohttp.ClientError):
                await second.read()
            fourth = await held.enter_async_context(others[1]._session.get(uri))
            assert (fourth.status, (await client.get(uri)).status) == (200, 503), "each has one"
            assert loaded[0] + await first.read() == OCTETS * 80
            assert loaded[2] + await third.read() == OCTETS * 80
            assert await fourth.read() == OCTETS * 80
        rest = await client.get(uri, Range=f"bytes={len(loaded[1])}-")
        assert (rest.status, loaded[1] + rest.body == OCTETS * 80) == (206, True)
        await until_free(bench)


async def test_a_file_that_is_shortened_while_it_is_loaded_never_looks_whole(bench: Bench) -> None:
    client, uri, path = await large_one(bench, "file-31")
    async with client._session.get(uri) as response:
        await response.content.readexactly(1000)
        os.truncate(path, 1000)
        async with asyncio.timeout(20):
            with pytest.raises(aiohttp.ClientError):
                await response.read()
    await until_free(bench)


async def test_a_file_that_is_removed_or_replaced_while_it_is_loaded_comes_whole(bench: Bench) -> None:
    client, uri, path = await large_one(bench, "file-32")
    for harm in (path.unlink, lambda: path.with_name("new").replace(path)):
        await keep(bench, OCTETS * 80)
        path.with_name("new").write_bytes(b"other")
        async with client._session.get(uri) as response:
            first = await response.content.readexactly(1000)
            harm()
            assert first + await response.read() == OCTETS * 80


@pytest.mark.parametrize(("name", "status"), [("gone", 404), ("folder", 500)])
async def test_octets_that_cannot_be_read_are_told_in_words_of_the_standard(
    bench: Bench, name: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    client, uri, path = await large_one(bench, f"file-{name}")
    path.unlink()
    if name == "folder":
        path.mkdir()
    reply = await client.get(uri)
    assert reply.status == status
    assert reply.decoded(Error).reasonCode == 1
    assert bench.server.downloads.running == 0
    if name == "gone":
        told = [(record.getMessage(), record.exc_info) for record in caplog.records]
        assert told == [(f"The octets of {uri} are not in files_folder: {path}", None)]


async def test_octets_are_on_the_disk_and_so_are_the_folders_that_name_them(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was told to be kept was lost with the power where the folder of its first digits was new."""
    synced: list[int] = []
    sync = os.fsync

    def noted(number: int) -> None:
        synced.append(os.fstat(number).st_ino)
        sync(number)

    monkeypatch.setattr(os, "fsync", noted)
    content = await keep(bench)
    path = contents_of(bench.server.environment).path(content.digest)
    places = (path, path.parent, path.parent.parent, path.parent.parent.parent)
    assert synced == [place.stat().st_ino for place in places]


async def test_a_disk_that_is_full_leaves_nothing_of_an_upload(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("sep2_server.files.contents._flush", full)
        with pytest.raises(OSError, match="No space left"):
            await keep(bench)
    folder = bench.server.settings.files_folder
    assert [path for path in folder.glob("**/*") if path.is_file()] == []
    assert (await keep(bench)).digest == DIGEST


async def test_a_file_may_be_as_large_as_the_most_and_no_larger(bench: Bench) -> None:
    contents = contents_of(bench.server.environment)
    assert (await contents.take(in_parts(OCTETS), len(OCTETS))).digest == DIGEST
    with pytest.raises(LimitReached):
        await contents.take(in_parts(OCTETS), len(OCTETS) - 1)


async def test_what_a_server_that_was_killed_left_of_an_upload_goes_with_the_next_one(bench: Bench) -> None:
    await keep(bench)
    folder = bench.server.settings.files_folder
    dead, alive = folder / "coming-dead", folder / "coming-alive"
    for path, age_s in ((dead, 3700), (alive, 60)):
        path.write_bytes(OCTETS[:1000])
        at = path.stat().st_mtime - age_s
        os.utime(path, (at, at))
    await keep(bench)
    assert (dead.exists(), alive.exists()) == (False, True)
