"""Operations on files for devices: give one to a group, see how far its roll-out is, take it back.

IEEE 2030.5-2018, 10 (File Download).
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Final, TypeVar

from schemas import DeviceInformation, File, FileStatus, Json, json_of
from schemas.codes import FileLoadStatus
from sep2_server.extra_routes import FILE_CONTENT, group_list_of
from sep2_server.files.contents import Content
from sep2_server.files.fits import fits_device
from sep2_server.files.stored import content_of, contents_of, put_content
from sep2_server.operator import programs
from sep2_server.operator.desk import Desk
from sep2_server.operator.errors import BadRequest, Conflict, NotFound
from sep2_server.operator.requests_accounts import AddFile, ChangeFile
from sep2_server.operator.router import Answer, Call
from sep2_server.operator.shape import read
from sep2_server.operator.tree import Plan, insert_item, put_item
from sep2_server.rows import Client, Row
from sep2_server.tree import remove_tree

T = TypeVar("T")

KIND: Final = "File"
NOT_STARTED: Final = "not started"
LIST_THEM: Final = "list them: lineside op file list GROUP"


def keep(_: Desk, call: Call) -> Answer:
    """Keep octets for a file, which names them by their SHA-256; sent as they are, however many."""
    if not isinstance(call.body, Content):
        raise BadRequest("body: no octets", "send them as application/octet-stream to /contents")
    return {"sha256": call.body.digest, "size": call.body.size}


def add(desk: Desk, call: Call) -> Answer:
    """Give a file, whose octets are on the server, to the devices of a group."""
    asked = read(AddFile, call.body)
    group = desk.group(call.names["group"])
    content = contents_of(desk.environment).find(asked.sha256.lower())
    if content is None:
        raise NotFound(
            f"sha256: the server has no such octets {asked.sha256[:64]}", "send them: POST /contents"
        )
    most = desk.environment.settings.files_per_group
    if len(desk.programs_of(group, group_list_of(KIND))) >= most:
        raise Conflict(f"group {group.name} has {most} files", "remove one: lineside op file remove FILE")
    client = None if asked.device is None else desk.client(asked.device)
    row = _insert(desk, _file_of(asked, content, client), content)
    programs.show(desk, group, row)
    return _told(desk, row)


def list_files(desk: Desk, call: Call) -> Answer:
    """The files of a group."""
    group = desk.group(call.names["group"])
    rows = desk.programs_of(group, group_list_of(KIND))
    return {"group": group.name, "files": [_told(desk, row) for row in rows]}


def show(desk: Desk, call: Call) -> Answer:
    """A file and how far its roll-out is: devices by the status that they report, and each of them."""
    row = _row(desk, call)
    devices = [_progress(desk, row, client) for client in _meant(desk, row)]
    counts = Counter(str(device["status"]) for device in devices)
    return {**_told(desk, row), "counts": {**counts}, "devices": [*devices]}


def change(desk: Desk, call: Call) -> Answer:
    """Set when devices activate a file."""
    row, asked = _row(desk, call), read(ChangeFile, call.body)
    file = replace(desk.resource(row, File), activateTime=asked.activate_time)
    return _told(desk, put_item(desk, row, file))


def remove(desk: Desk, call: Call) -> Answer:
    """Take a file back: no device sees or loads it any more."""
    row = _row(desk, call)
    for group in programs.groups_of(desk, row):
        programs.hide(desk, group, row)
    remove_tree(desk.transaction, desk.environment.uris, row)
    return {"name": str(row.id)}


def _file_of(asked: AddFile, content: Content, client: Client | None) -> File:
    return File(
        activateTime=asked.activate_time,
        fileURI="",
        lFDI=client.lfdi if client else None,
        mfHwVer=asked.hardware,
        mfID=asked.maker,
        mfModel=asked.model,
        mfSerNum=asked.serial,
        mfVer=asked.version,
        size=content.size,
        type=asked.kind.upper(),
    )


def _insert(desk: Desk, file: File, content: Content) -> Row:
    """Store a File, then where its octets are: the URI of those has the number of the File."""
    tx, environment = desk.transaction, desk.environment
    row = insert_item(desk, programs.root_list(desk, KIND), Plan(value=file))
    file.fileURI = put_content(tx, environment, row.id, content, row.scope).href
    return tx.replace(row, row._replace(body=environment.codec.fragment(file)))


def _told(desk: Desk, row: Row) -> dict[str, Json]:
    stored = _content(desk, row)
    return {
        "file": str(row.id),
        "sha256": content_of(stored).digest if stored else None,
        "groups": [*sorted(group.name for group in programs.groups_of(desk, row))],
        "File": json_of(desk.resource(row, File)),
    }


def _meant(desk: Desk, row: Row) -> Iterator[Client]:
    """The devices that see a file in their FileList."""
    file = desk.resource(row, File)
    known: set[int] = set()
    for group in programs.groups_of(desk, row):
        for client in programs.members(desk, group):
            if client.end_device_id in known or (file.lFDI or client.lfdi) != client.lfdi:
                continue
            known.add(client.end_device_id)
            if fits_device(file, _about(desk, client, "DeviceInformation", DeviceInformation)):
                yield client


def _progress(desk: Desk, row: Row, client: Client) -> dict[str, Json]:
    status = _about(desk, client, "FileStatus", FileStatus)
    if status is None or status.FileLink_ is None or status.FileLink_.href != row.href:
        return {"name": client.name, "status": NOT_STARTED, "loadPercent": 0}
    known = {int(code) for code in FileLoadStatus}
    name = FileLoadStatus(status.status).name if status.status in known else str(status.status)
    return {
        "name": client.name,
        "status": name.lower().replace("_", " "),
        "loadPercent": status.loadPercent,
        "statusTime": status.statusTime,
        "request503Count": status.request503Count,
        "requestFailCount": status.requestFailCount,
    }


def _about(desk: Desk, client: Client, kind: str, cls: type[T]) -> T | None:
    row = desk.reader.by_href(desk.environment.uris.of(kind, (client.end_device_id,)))
    return None if row is None else desk.resource(row, cls)


def _content(desk: Desk, row: Row) -> Row | None:
    return desk.reader.by_href(desk.environment.uris.of(FILE_CONTENT, (row.id,)))


def _row(desk: Desk, call: Call) -> Row:
    """The File with a number. NotFound where there is none."""
    text = call.names["file"]
    row = desk.reader.by_id(int(text)) if text.isascii() and text.isdigit() and len(text) < 18 else None
    if row is None or row.kind != KIND:
        raise NotFound(f"no file has the number {text[:40]!r}", LIST_THEM)
    return row
