"""The how-to for operators: its commands run in their order against a server that `server run` started."""

import argparse
import hashlib
import json
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

import certs.cli
from sep2_server import cli
from sep2_server.operator import OperatorSettings, audit
from sep2_server.operator import cli as operator_cli
from sep2_server.operator.token_files import read_tokens
from tests.integration.operator_api.test_operator_rights import FullDisk

HOWTO = (Path(__file__).parents[3] / "docs" / "howto" / "operate.md").read_text()
LINES = [
    line
    for block in re.findall(r"^```console\n(.*?)^```", HOWTO, flags=re.DOTALL | re.MULTILINE)
    for line in block.splitlines()
]
RUN = "lineside server run --config site"
BOOT = """
import argparse, sys
import sep2_server.operator.cli
from sep2_server import cli, operator
parser = argparse.ArgumentParser()
below = parser.add_subparsers()
cli.add_parser(below)
operator.cli.add_parser(below)
args = parser.parse_args()
sys.exit(args.run(args))
"""


def exit_code(line: str) -> int:
    parser = argparse.ArgumentParser(prog="lineside")
    below = parser.add_subparsers(required=True)
    certs.cli.add_parser(below)
    cli.add_parser(below)
    operator_cli.add_parser(below)
    args = parser.parse_args(shlex.split(line)[1:])
    code: int = args.run(args)
    return code


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def running(folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """A server process on ports that the system chose, after the commands before it in the how-to."""
    assert [exit_code(line) for line in LINES[: LINES.index(RUN)]] == [0, 0]
    words = [*shlex.split(RUN)[1:], "--set", "port=0", "--set", "operator.port=0"]
    environment = {"PYTHONPATH": str(Path(__file__).parents[3])}
    process = subprocess.Popen(
        [sys.executable, "-c", BOOT, *words],
        cwd=folder,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    told = [process.stdout.readline() for _ in range(3)]
    assert [line.split()[0] for line in told if line] == ["devices", "operators", "note"]
    yield process
    process.kill()
    process.communicate()


def test_every_command_of_the_howto_ends_well(
    running: "subprocess.Popen[str]", capsys: pytest.CaptureFixture[str]
) -> None:
    mrid = ""
    ended: list[tuple[str, int]] = []
    for line in LINES[LINES.index(RUN) + 1 :]:
        ended.append((line, exit_code(line.replace("MRID", mrid))))
        found = re.findall(r"^mRID +([0-9A-F]{32})$", capsys.readouterr().out, flags=re.MULTILINE)
        mrid = found[0] if found else mrid
    assert [line for line, code in ended if code] == []
    assert len(ended) > 20
    running.send_signal(signal.SIGTERM)
    assert (running.wait(30), running.communicate()[1]) == (0, "")


def test_the_url_is_gone_when_the_server_has_stopped(running: "subprocess.Popen[str]", folder: Path) -> None:
    url_file = folder / "site" / "operator" / "operator.url"
    assert url_file.exists()
    running.send_signal(signal.SIGTERM)
    running.wait(30)
    assert not url_file.exists()


@pytest.mark.parametrize("name", [field.name for field in fields(OperatorSettings)])
def test_the_howto_names_every_setting(name: str) -> None:
    assert f"\n| `{name}` |" in HOWTO


def test_init_does_not_write_over_a_site(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code("lineside server init site") == 0
    assert "put the server's chain, key and roots where server.toml says" in capsys.readouterr().out
    assert exit_code("lineside server init site") == 1
    assert "what to do: name another folder, or write over it with --force" in capsys.readouterr().err
    assert exit_code("lineside server init site --force --port 70000") == 1
    assert (folder / "site" / "server.toml").exists()


def test_init_keeps_the_pki_of_a_site(folder: Path) -> None:
    """What its CAs have signed would be worth nothing: devices could connect no more."""
    pki = folder / "site" / "pki"
    assert exit_code("lineside certs init site/pki") == 0
    cas = {path: path.read_bytes() for path in (pki / "root.pem", *(pki / "ca").rglob("*.pem"))}
    assert exit_code("lineside server init site --pki") == 0
    server = (pki / "server" / "cert.pem").read_bytes()
    assert exit_code("lineside server init site --pki --port 9443") == 1
    assert exit_code("lineside server init site --pki --port 9443 --force") == 0
    assert "port = 9443" in (folder / "site" / "server.toml").read_text()
    assert (pki / "server" / "cert.pem").read_bytes() == server
    assert exit_code("lineside server init site --pki --name der.example.org --force") == 0
    assert (named := (pki / "server" / "cert.pem").read_bytes()) != server
    assert exit_code("lineside server check --config site") == 0
    (pki / "server" / "key.pem").unlink()
    assert exit_code("lineside server init site --pki --force") == 0
    assert (pki / "server" / "cert.pem").read_bytes() != named
    assert exit_code("lineside server check --config site") == 0
    assert {path: path.read_bytes() for path in cas} == cas


@pytest.mark.parametrize(
    "held",
    [
        b"name    control-room\nsecret  " + b"ab" * 32 + b"\nnote the secret now\n",
        b"ab" * 32 + b"\n" + b"cd" * 32,
        b"\xffELF" + b"ab" * 32,
        "\u00e4".encode() * 64,
        b"ab" * 31,
        b"",
    ],
)
@pytest.mark.usefixtures("folder")
def test_a_file_that_is_no_token_is_told_and_never_what_is_in_it(
    held: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("some.token").write_bytes(held)
    line = "lineside op status --server http://127.0.0.1:1 --token-file some.token"
    assert exit_code(line) == 2
    err = capsys.readouterr().err
    assert "some.token: not a token, which is 64 hex digits" in err
    assert "abab" not in err


@pytest.mark.parametrize(
    ("line", "code", "told"),
    [
        ("lineside server run --config nowhere", 2, "nowhere: "),
        ("lineside server run --set color=red", 2, "color: unknown"),
        ("lineside server run --config site", 2, "server/cert.pem"),
        ("lineside server token x --config nowhere", 2, "nowhere: "),
        ("lineside server token x --remove --config site", 1, "no token is named 'x'"),
        ("lineside op status --config nowhere", 2, "nowhere: "),
        ("lineside op status", 2, "--server: where is the operator API?"),
        ("lineside op status --server https://127.0.0.1:1", 2, "--token-file: where is the operator API?"),
        ("lineside op status --server http://127.0.0.1:1 --token-file nowhere", 2, "nowhere: No such file"),
        ("lineside op status --config site", 1, "no answer from https://127.0.0.1:8444"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_an_error_says_what_to_do(
    line: str, code: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code("lineside server init site") == 0
    assert exit_code(line) == code
    err = capsys.readouterr().err
    assert told in err
    assert "\n  what to do: " in err


def test_what_is_done_on_the_machine_is_in_the_audit_log(folder: Path) -> None:
    assert exit_code("lineside server init site") == 0
    for words, code in (("token x --role viewer", 0), ("token x", 1), ("token x --remove", 0)):
        assert exit_code(f"lineside server {words} --config site") == code
    assert exit_code("lineside server migrate --config site") == 0
    assert exit_code("lineside server backup --config site site/b") == 0
    assert exit_code("lineside server restore --config site site/b --force") == 0
    assert exit_code("lineside server restore --config site site/server.toml --force") == 1
    log = (folder / "site" / "operator" / "audit.jsonl").read_text().splitlines()
    lines = [json.loads(line) for line in log]
    assert {line["who"] for line in lines} == {"console"}
    ended = [line for line in lines if line["outcome"] != "begun"]
    assert [(line["action"], line["target"], line["outcome"]) for line in ended] == [
        ("create token", "x/viewer", "done"),
        ("create token", "x/operator", "refused: conflict"),
        ("revoke token", "x", "done"),
        ("restore database", "b", "done"),
        ("restore database", "server.toml", "failed"),
    ]
    assert len(lines) == 10
    assert exit_code("lineside server audit verify --config site") == 0


def test_a_token_that_is_made_while_the_disk_fills_up_is_told(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It said that nothing was done, and the secret was never shown."""
    assert exit_code("lineside server init site") == 0
    capsys.readouterr()
    monkeypatch.setattr(audit, "os", FullDisk(1))
    assert exit_code("lineside server token x --config site") == 1
    secret, err = capsys.readouterr()
    *_, made = read_tokens(folder / "site" / "operator")
    assert (made.name, made.sha256) == ("x", hashlib.sha256(secret.strip().encode()).hexdigest())
    assert "No space left on device\n  what to do: it was done" in err
    monkeypatch.setattr(audit, "os", FullDisk(1))
    assert exit_code("lineside server token x --config site") == 1
    assert "a token named 'x' exists" in capsys.readouterr().err, "what made it fail is told"
    monkeypatch.setattr(audit, "os", FullDisk(1))
    assert exit_code("lineside server token x --remove --config site") == 1
    assert "what to do: it was done" in capsys.readouterr().err
    assert [token.name for token in read_tokens(folder / "site" / "operator")] == ["operator"]


def test_a_restore_that_is_done_while_the_disk_fills_up_is_told_as_done(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for words in ("init site", "migrate --config site", "backup --config site one.backup"):
        assert exit_code(f"lineside server {words}") == 0
    monkeypatch.setattr(audit, "os", FullDisk(1))
    assert exit_code("lineside server restore --config site one.backup --force") == 1
    assert "No space left on device\n  what to do: it was done" in capsys.readouterr().err


def test_no_token_is_made_where_the_audit_log_cannot_be_written(folder: Path) -> None:
    assert exit_code("lineside server init site") == 0
    (folder / "site" / "operator" / "audit.jsonl").mkdir()
    assert exit_code("lineside server token x --config site") == 1
    assert [token.name for token in read_tokens(folder / "site" / "operator")] == ["operator"]


@pytest.mark.usefixtures("folder")
def test_the_environment_may_tell_where_the_api_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code("lineside server init site") == 0
    monkeypatch.setenv("LINESIDE_OPERATOR_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("LINESIDE_OPERATOR_TOKEN_FILE", "site/operator/operator.token")
    assert exit_code("lineside op status") == 1
    assert "no answer from http://127.0.0.1:1" in capsys.readouterr().err
