"""Commands and code of the how-to about certificates do what it says."""

import argparse
import re
import runpy
import shlex
from pathlib import Path

import pytest

from certs import Pki, client_context, server_context
from certs.cli import add_parser

HOWTO = (Path(__file__).parents[2] / "docs" / "howto" / "certificates.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", HOWTO, flags=re.DOTALL | re.MULTILINE)


def exit_code(line: str) -> object:
    parser = argparse.ArgumentParser(prog="lineside")
    add_parser(parser.add_subparsers(required=True))
    args = parser.parse_args(shlex.split(line)[1:])
    return args.run(args)


def test_every_command_of_the_howto_ends_well_and_its_code_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    lines = [line for block in blocks("console") for line in block.splitlines()]
    assert [(line, exit_code(line)) for line in lines] == [(line, 0) for line in lines]
    assert "lab/inverter-1/cert.pem: in order as device" in capsys.readouterr().out
    (tmp_path / "program.py").write_text("".join(blocks("python")))
    names = runpy.run_path("program.py")
    assert isinstance(names["pki"], Pki)
    assert type(names["server"]) is type(names["client"])
    assert names["server_context"] is server_context
    assert names["client_context"] is client_context
