"""The how-to of the VEN: its commands run in their order, with its settings and its event."""

import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lineside.__main__ import main
from lineside.demo.ports import free_port

PAGE = (Path(__file__).parents[3] / "docs" / "howto" / "ven.md").read_text()
RUN = "lineside ven run --config site/ven.toml"
LIMIT_S = 60.0


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)


def typed(line: str) -> int:
    return main(shlex.split(line)[1:])


def test_commands_of_the_how_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    init, *others = [line for block in blocks("console") for line in block.splitlines()]
    assert typed(init) == 0
    (settings, programme), (event,) = blocks("toml"), blocks("json")
    settings = settings[: settings.index("[[programmes]]")] + programme
    nobody = f"https://127.0.0.1:{free_port()}"
    settings = settings.replace("https://vtn.example.org", nobody).replace("https://127.0.0.1:8444", nobody)
    (tmp_path / "site" / "ven.toml").write_text(settings)
    (tmp_path / "site" / "client.secret").write_text("one")
    (tmp_path / "site" / "operator.token").write_text("two")
    (tmp_path / "event.json").write_text(event)
    for line in others:
        if line == RUN:
            assert ended_by_sigterm(line, tmp_path) == 0
        else:
            assert typed(line) == 0, line
    said = capsys.readouterr().out
    assert '"opModTargetW": {"multiplier": 0, "value": 3000}' in said
    assert "VEN site 1, 3.1.0 at https://127.0.0.1:" in said


def ended_by_sigterm(line: str, folder: Path) -> int:
    """The exit code of a VEN that is stopped once it works; neither VTN nor server are there."""
    words = [sys.executable, "-m", "lineside", *shlex.split(line)[1:]]
    with subprocess.Popen(words, cwd=folder) as process:
        try:
            ends = time.monotonic() + LIMIT_S
            while not (folder / "site" / "state" / "ven.db").exists():
                assert process.poll() is None, "it ended by itself"
                assert time.monotonic() < ends, "it never began"
                time.sleep(0.05)
            process.send_signal(signal.SIGTERM)
            return process.wait(LIMIT_S)
        finally:
            process.kill()
