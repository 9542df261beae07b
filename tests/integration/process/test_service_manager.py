"""What systemd hears of a server, played by a socket."""

import signal
import socket
from pathlib import Path

import pytest

from certs import Pki
from tests.integration.process.site_process import WITHIN_S, site_process


@pytest.mark.parametrize("options", [(), ("--workers=2",)], ids=["one", "two"])
def test_systemd_hears_of_the_whole_life_of_a_server(
    tmp_path: Path, process_pki: Pki, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    place = tmp_path / "notify"
    monkeypatch.setenv("NOTIFY_SOCKET", str(place))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(place))
        heard.settimeout(WITHIN_S)

        def until(word: str) -> str:
            """The first message that begins so; none of another kind comes before."""
            while (told := heard.recv(200).decode()).startswith("WATCHDOG=1"):
                assert word != "WATCHDOG" or told == "WATCHDOG=1"
                if word == "WATCHDOG":
                    return told
            assert told.startswith(word)
            return told

        with site_process(tmp_path, process_pki, *options) as site:
            assert f"MAINPID={site.process.pid}" in until("READY=1")
            until("WATCHDOG")
            site.kill(signal.SIGHUP)
            until("RELOADING=1")
            until("READY=1")
            site.kill(signal.SIGTERM)
            until("STOPPING=1")
            assert site.process.wait(WITHIN_S) == 0
