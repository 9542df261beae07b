"""Files for devices through the operator API, and the commands of the how-to."""

import contextlib
import hashlib
import io
import json
import re
import secrets
import shlex
import socket
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from schemas import FileStatus
from sep2_server import Settings
from sep2_server.files.stored import sweep_contents
from sep2_server.messages import Answer as DeviceAnswer
from sep2_server.operator import ApiError, OperatorClient, Site
from sep2_server.operator.auth import Role
from sep2_server.operator.token_files import add_token
from tests.integration.operator_api.conftest import LiveServer
from tests.integration.process.site_process import until

LFDI = "3E4F45AB31EDFE5B67E343E5E4562E31984E23E5"
HOWTO = (Path(__file__).parents[3] / "docs" / "howto" / "files.md").read_text()
LINES = [
    line
    for block in re.findall(r"^```console\n(.*?)^```", HOWTO, flags=re.DOTALL | re.MULTILINE)
    for line in block.splitlines()
]
NAMES = ("files_folder", "most_file_octets", "files_per_group", "downloads_at_once")
PLACE = ("groups", "feeder-7", "files")


@pytest.fixture
def beside() -> dict[str, object]:
    """Files are offered; small ones."""
    return {"function_sets": "file", "most_file_octets": 3_000_000, "files_per_group": 2}


@pytest.fixture(autouse=True)
def group(api: OperatorClient) -> None:
    api.call("POST", ("devices",), {"name": "north", "lFDI": LFDI, "pIN": 111_115})
    api.call("POST", ("groups",), {"name": "feeder-7", "primacy": 5})
    api.call("PUT", ("groups", "feeder-7", "devices", "north"))


@pytest.fixture
def firmware(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of 2 MB, more than a JSON body may be, in the folder where commands run."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "firmware.bin"
    path.write_bytes(bytes(2_000_000))
    return path


def body(content: dict[str, object], **fields: object) -> dict[str, object]:
    return {"sha256": content["sha256"], "mfID": 1, "mfModel": "m", "mfVer": "1", **fields}


@pytest.mark.usefixtures("firmware")
def test_every_command_of_the_howto_ends_well(
    op: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    number = ""
    ended = []
    for line in LINES:
        words = shlex.split(line.replace("FILE", number))[2:]
        ended.append((line, op(*words)))
        found = re.findall(r"^file +([0-9]+)$", capsys.readouterr().out, flags=re.MULTILINE)
        number = found[0] if found else number
    assert [line for line, code in ended if code] == []
    assert len(ended) == 5


@pytest.mark.parametrize("name", [*NAMES, "download_retry_s", "download_stall_s"])
def test_the_howto_names_every_setting(name: str) -> None:
    assert f"\n| `{name}` |" in HOWTO
    assert name in Settings.__dataclass_fields__


def test_octets_are_kept_by_their_digest(api: OperatorClient, firmware: Path, site: Site) -> None:
    with firmware.open("rb") as octets:
        told = api.send("/contents", octets)
    digest = hashlib.sha256(firmware.read_bytes()).hexdigest()
    assert told == {"sha256": digest, "size": 2_000_000}
    kept = site.server.files_folder / digest[:2] / digest
    assert kept.read_bytes() == firmware.read_bytes()


def test_octets_that_no_file_came_to_have_go_after_a_day(
    api: OperatorClient, firmware: Path, site: Site, live: LiveServer
) -> None:
    with firmware.open("rb") as octets:
        digest = str(api.send("/contents", octets)["sha256"])
    kept = site.server.files_folder / digest[:2] / digest
    for later_s, is_there in ((86_000, True), (100_000, False)):
        live.run(sweep_contents(live.server.store, live.server.environment, time.time() + later_s))
        assert kept.is_file() is is_there


def test_the_octets_of_a_file_are_told_by_their_digest(api: OperatorClient, firmware: Path) -> None:
    with firmware.open("rb") as octets:
        content = api.send("/contents", octets)
    told = api.call("POST", PLACE, body({**content}))["File"]
    assert isinstance(told, dict)
    href = str(told["fileURI"])
    assert api.get("resources", href=href) == {"href": href, "kind": "FileContent", "resource": content}
    for method, sent in (("PUT", {"size": 1}), ("DELETE", None)):
        with pytest.raises(ApiError, match="a FileContent is not") as caught:
            api.call(method, ("resources",), sent, query={"href": href})
        assert "lineside op file" in caught.value.hint
    assert api.get("resources", href=href)["resource"] == content


def test_a_file_that_is_too_large_is_refused_and_leaves_nothing(
    api: OperatorClient, firmware: Path, site: Site
) -> None:
    firmware.write_bytes(bytes(3_000_001))
    with firmware.open("rb") as octets, pytest.raises(ApiError, match="more than 3000000 octets"):
        api.send("/contents", octets)
    assert [path for path in site.server.files_folder.glob("**/*") if path.is_file()] == []


def test_octets_without_a_token_are_refused(api: OperatorClient, firmware: Path) -> None:
    stranger = OperatorClient(url=api.url, secret="0" * 64, roots=api.roots)
    with firmware.open("rb") as octets, pytest.raises(ApiError) as caught:
        stranger.send("/contents", octets)
    assert caught.value.status == 401


def test_octets_are_posted_and_nothing_else(api: OperatorClient) -> None:
    for method in ("GET", "DELETE"):
        with pytest.raises(ApiError) as caught:
            api.call(method, ("contents",))
        assert caught.value.status == 405


def test_a_viewer_sends_no_octets(api: OperatorClient, site: Site, firmware: Path) -> None:
    secret = add_token(site.operator.folder, "wall", Role.VIEWER, secrets.randbits)
    viewer = OperatorClient(url=api.url, secret=secret, roots=api.roots)
    with firmware.open("rb") as octets, pytest.raises(ApiError) as caught:
        viewer.send("/contents", octets)
    assert caught.value.status == 403


def test_octets_with_a_query_are_refused(api: OperatorClient, firmware: Path) -> None:
    with firmware.open("rb") as octets, pytest.raises(ApiError, match="no such parameter"):
        api.send("/contents?name=x", octets)


def last_line(site: Site) -> dict[str, str]:
    log = (site.operator.folder / "audit.jsonl").read_text().splitlines()
    line: dict[str, str] = json.loads(log[-1])
    return line


@pytest.mark.parametrize(
    ("role", "query", "size", "outcome"),
    [
        (Role.VIEWER, "", 10, "refused: forbidden"),
        (Role.OPERATOR, "?name=x", 10, "refused: bad-request"),
        (Role.OPERATOR, "", 3_000_001, "refused: bad-request"),
        (Role.OPERATOR, "", 10, "done"),
    ],
    ids=["a viewer", "a query", "too large", "fine"],
)
def test_an_upload_is_an_audit_line_however_it_ends(
    api: OperatorClient, site: Site, role: Role, query: str, size: int, outcome: str
) -> None:
    secret = add_token(site.operator.folder, "hand", role, secrets.randbits)
    hand = OperatorClient(url=api.url, secret=secret, roots=api.roots)
    octets = bytes(size)
    with contextlib.suppress(ApiError):
        hand.send(f"/contents{query}", io.BytesIO(octets))
    line = last_line(site)
    target = hashlib.sha256(octets).hexdigest() if outcome == "done" else "POST /contents"
    assert (line["who"], line["target"], line["outcome"]) == ("hand", target, outcome)


def test_an_upload_that_breaks_off_is_an_audit_line_and_keeps_nothing(
    api: OperatorClient, site: Site
) -> None:
    where = urlsplit(api.url)
    context = ssl.create_default_context(cafile=str(site.server.roots))
    with (
        socket.create_connection((where.hostname or "", where.port or 0), timeout=20) as raw,
        context.wrap_socket(raw, server_hostname=where.hostname) as wire,
    ):
        wire.sendall(
            f"POST /contents HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {api.secret}\r\n"
            "Content-Type: application/octet-stream\r\nContent-Length: 1000\r\n\r\n".encode()
            + bytes(10)
        )
    until(lambda: last_line(site)["outcome"] == "refused: bad-request")
    assert last_line(site)["target"] == "POST /contents"
    until(lambda: [path for path in site.server.files_folder.glob("**/*") if path.is_file()] == [])


def test_a_group_has_a_bounded_number_of_files(api: OperatorClient, firmware: Path) -> None:
    with firmware.open("rb") as octets:
        content = api.send("/contents", octets)
    for _ in range(2):
        api.call("POST", PLACE, body({**content}))
    with pytest.raises(ApiError, match="has 2 files"):
        api.call("POST", PLACE, body({**content}))


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ({"sha256": "ab" * 32}, "the server has no such octets"),
        ({"sha256": "../x"}, "sha256"),
        ({"mfVer": "v" * 17}, "mfVer"),
        ({"type": "xx"}, "type"),
        ({"device": "nobody"}, "no device is named 'nobody'"),
    ],
)
def test_a_file_that_cannot_be_is_refused(
    api: OperatorClient, firmware: Path, change: dict[str, object], detail: str
) -> None:
    with firmware.open("rb") as octets:
        content = api.send("/contents", octets)
    with pytest.raises(ApiError, match=detail):
        api.call("POST", PLACE, body({**content}, **change))


def test_how_far_a_device_is_with_a_file_is_changed_and_removed_by_an_admin_alone(
    api: OperatorClient, site: Site, device_request: Callable[..., DeviceAnswer]
) -> None:
    href = f"{api.get('devices', 'north')['href']}/fs"
    status = FileStatus(
        loadPercent=9, nextRequestAttempt=0, request503Count=0, requestFailCount=0, status=1, statusTime=0
    )
    assert device_request("PUT", href, status).status == 204
    secret = add_token(site.operator.folder, "hand", Role.OPERATOR, secrets.randbits)
    hand = OperatorClient(url=api.url, secret=secret, roots=api.roots)
    for method, sent in (("PUT", {"loadPercent": 100}), ("DELETE", None)):
        with pytest.raises(ApiError, match="a FileStatus is what the device said") as caught:
            hand.call(method, ("resources",), sent, query={"href": href})
        assert caught.value.status == 403
    api.call("DELETE", ("resources",), query={"href": href})
    assert device_request("GET", href).status == 404


@pytest.mark.parametrize("number", ["0", "1", "x", "9" * 30, "-1"])
def test_a_file_that_is_not_there_is_404(api: OperatorClient, number: str) -> None:
    with pytest.raises(ApiError) as caught:
        api.get("files", number)
    assert caught.value.status == 404
