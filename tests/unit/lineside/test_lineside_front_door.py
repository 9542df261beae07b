"""The menu, and how commands end."""

import logging
import subprocess
import sys

import pytest

from lineside import __main__ as front


def test_menu_names_every_command_and_the_first_steps(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        front.main(["--help"])
    text = capsys.readouterr().out
    assert ended.value.code == 0
    assert all(f"\n    {name} " in text for name in front.COMMANDS)
    assert "lineside demo" in text
    assert max(map(len, text.splitlines())) <= 110


@pytest.mark.parametrize("command", sorted(front.COMMANDS))
def test_every_command_has_help_with_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        front.main([command, "--help"])
    assert ended.value.code == 0
    assert f"usage: lineside {command}" in capsys.readouterr().out


def test_unknown_command_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        front.main(["nothing"])
    assert ended.value.code == 2
    assert "choose from" in capsys.readouterr().err


def test_version_is_that_of_the_distribution(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        front.main(["--version"])
    assert capsys.readouterr().out == "lineside 0.1.0\n"


def test_command_runs_and_gives_its_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert front.main(["certs", "pin", "12345"]) == 0
    assert capsys.readouterr().out.strip() == "123455"


@pytest.mark.parametrize(
    ("error", "code"), [(KeyboardInterrupt(), 130), (BrokenPipeError(), 0), (RuntimeError("defect"), 1)]
)
def test_command_that_breaks_ends_with_a_code(
    error: BaseException, code: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def breaks(_: object) -> int:
        raise error

    class Parser:
        def parse_args(self, given: list[str]) -> object:
            return type("Chosen", (), {"verbose": 0, "run": staticmethod(breaks)})

    monkeypatch.setattr(front, "parser", lambda _: Parser())
    monkeypatch.setattr(front, "_drop_output", lambda: None)
    with caplog.at_level(logging.ERROR):
        assert front.main(["x"]) == code
    assert ("defect" in caplog.text) == (code == 1)


def test_reader_that_leaves_is_no_error() -> None:
    command = f"{sys.executable} -m lineside --help | head -c 1"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_line_of_the_log_neither_steers_the_terminal_nor_begins_another() -> None:
    code = "import logging; from lineside.__main__ import main; main(['certs', 'pin', '12345']); " + (
        "logging.getLogger('a').warning('from %s', 'x\\x1b[2J\\n2026 ERROR y')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.endswith(" WARNING a: from x\\x1b[2J\\n2026 ERROR y\n")
