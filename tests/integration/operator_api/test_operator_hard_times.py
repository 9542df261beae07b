"""The operators' side while the disk is full or a file of its folder is bad."""

import errno
from pathlib import Path

import pytest

from sep2_server import ManualClock
from sep2_server.operator import ApiError, Site
from sep2_server.operator.token_files import TOKENS_FILE, open_tokens
from tests.integration.operator_api.conftest import LiveServer
from tests.integration.operator_api.openapi_judge import JudgingClient


def test_who_reads_is_served_while_the_disk_is_full(
    api: JudgingClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, text: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr("sep2_server.operator.token_files.write_secret", full)
    assert api.call("GET", ("devices",))["devices"] == []


@pytest.mark.parametrize("text", ["", '{"tokens"'])
def test_a_bad_file_of_tokens_refuses_and_is_told(
    api: JudgingClient, live: LiveServer, site: Site, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = site.operator.folder / TOKENS_FILE
    kept = path.read_text()
    path.write_text(text)
    with pytest.raises(ApiError) as told:
        api.call("GET", ("devices",))
    assert (told.value.status, "Traceback" in caplog.text) == (500, False)
    assert "not a file of tokens" in caplog.text
    path.write_text(kept)
    assert api.call("GET", ("devices",))["devices"] == []


def test_a_bad_file_of_tokens_at_a_start_is_a_flaw_of_files(tmp_path: Path) -> None:
    (tmp_path / TOKENS_FILE).write_text("")
    with pytest.raises(OSError, match="not a file of tokens"):
        open_tokens(tmp_path, lambda _: 1)


@pytest.fixture
def ending(site: Site, clock: ManualClock) -> LiveServer:
    """A server that its test ends."""
    server = LiveServer(site, clock)
    server.start()
    return server


def test_an_end_on_a_disk_that_only_reads_finishes(
    ending: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(path: Path, missing_ok: bool = False) -> None:
        raise OSError(errno.EROFS, "Read-only file system", str(path))

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", read_only)
        ending.stop()
    assert ending.side.audit is not None
    assert ending.side.audit._file < 0


def test_the_urls_of_another_server_are_left_alone(ending: LiveServer, site: Site) -> None:
    """Its parent was killed, and another server was started before this one had ended."""
    path = site.operator.folder / "operator.url"
    path.write_text("https://127.0.0.1:1\n")
    ending.stop()
    assert path.read_text() == "https://127.0.0.1:1\n"
