"""Ordinary mistakes at the commands are told with what to do; none ends in a traceback."""

import argparse
from collections.abc import Callable
from pathlib import Path

import pytest

from certs import Pki
from lineside.demo.cli import add_parser as add_demo
from lineside.fleet import issue
from lineside.fleet.cli import add_parser as add_fleet
from sep2_server import cli
from sep2_server.operator import ApiError, OperatorClient, Site
from sep2_server.operator.commands import rows_of
from sep2_server.operator.site_check import flaws_of
from sep2_server.operator.whereabouts import WhereaboutsError, whereabouts_of
from sep2_server.setting_rules import by_lfdi
from sep2_server.setting_values import SettingsError

LFDI = "3E4F45AB31EDFE5B67E343E5E4562E31984E23E5"
Op = Callable[..., int]
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def server_line() -> argparse.ArgumentParser:
    """The command line of servers."""
    parser = argparse.ArgumentParser()
    cli.add_parser(parser.add_subparsers())
    return parser


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("resource", "add", "/derp", "{list}"), "list.json: no JSON object"),
        (("device", "\udcff"), "'\\udcff' is no text"),
        (("controls", "--state", "active", "g\udcff"), "is no text"),
        (("publish", "g", "--max-w", "50%", "--for", "5m", "--at", "\u00b2"), "start: "),
        (("publish", "g", "--max-w", "50%", "--for", "5m", "--at", "9" * 5000), "start: "),
        (("drlc", "publish", "g", "--category", "sauna", "--for", "5m", "--duty", "\u00b2"), "normalValue"),
        (
            ("drlc", "publish", "g", "--category", "sauna", "--for", "5m", "--target", "\u00b2 W"),
            "cannot be read",
        ),
        (("place", "north", "GRID", "--primacy", "TF=\u00b2"), "not LEVEL=N"),
    ],
)
def test_an_odd_argument_is_told(
    api: OperatorClient, op: Op, words: tuple[str, ...], told: str, tmp_path: Path, capsys: Capture
) -> None:
    (tmp_path / "list.json").write_text("[1]")
    api.call("POST", ("groups",), {"name": "g", "primacy": 7})
    assert op(*(word.format(list=tmp_path / "list.json") for word in words)) in {1, 2}
    assert told in capsys.readouterr().err
    assert rows_of(api.get("controls"), "controls") == []


@pytest.mark.parametrize("held", [None, b"no certificate\n"])
def test_roots_that_are_none_are_told(
    api: OperatorClient,
    site: Site,
    command_line: argparse.ArgumentParser,
    held: bytes | None,
    tmp_path: Path,
    capsys: Capture,
) -> None:
    roots = tmp_path / "roots.pem"
    if held is not None:
        roots.write_bytes(held)
    where = ["--server", api.url, "--token-file", str(site.operator.folder / "operator.token")]
    args = command_line.parse_args(["op", "status", *where, "--roots", str(roots)])
    assert args.run(args) == 1
    err = capsys.readouterr().err
    assert "roots.pem: no " in err
    assert "name a PEM file of root certificates with --roots" in err


def test_a_folder_that_may_not_be_entered_is_told(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "server.toml").write_text('certificate = "c.pem"\nkey = "k.pem"\nroots = "r.pem"\n')
    looked = Path.stat

    def closed(path: Path, **how: bool) -> object:
        if path.name in {"operator.url", "k.pem"}:
            raise PermissionError(13, "Permission denied")
        return looked(path, **how)

    monkeypatch.setattr(Path, "stat", closed)
    with pytest.raises(WhereaboutsError, match="operator: Permission denied"):
        whereabouts_of(tmp_path)
    assert any("may not read it" in flaw.text for flaw in flaws_of(tmp_path))


def test_a_name_that_is_too_long_for_a_folder_is_told() -> None:
    with pytest.raises(WhereaboutsError, match="File name too long"):
        whereabouts_of(Path("a" * 300))


def test_a_folder_of_a_server_that_cannot_be_made_is_told(
    server_line: argparse.ArgumentParser, capsys: Capture
) -> None:
    args = server_line.parse_args(["server", "init", "a" * 300])
    assert args.run(args) == 1
    assert "File name too long" in capsys.readouterr().err


@pytest.mark.parametrize(("low", "high"), [("n" * 65, "n" * 64), ("\u00e4" * 33, "\u00e4" * 32)])
def test_a_name_of_a_path_has_the_bounds_of_one_in_a_body(api: OperatorClient, low: str, high: str) -> None:
    with pytest.raises(ApiError, match=r"name: 6[56] octets of text") as caught:
        api.call("PUT", ("devices", low), {"lFDI": LFDI})
    assert caught.value.hint == "allowed: text of 1 to 64 octets"
    assert api.call("PUT", ("devices", high), {"lFDI": LFDI})["name"] == high
    with pytest.raises(ApiError, match=r"name: 6[56] octets of text"):
        api.call("PUT", ("devices", low), {"lFDI": LFDI})
    with pytest.raises(ApiError, match=r"group: 6[56] octets of text"):
        api.call("PUT", ("devices", high, "groups", low), {"primacy": 4})
    assert api.call("PUT", ("devices", high, "groups", high), {"primacy": 4})["created"] is True


def test_a_pin_is_told_in_six_digits(
    api: OperatorClient, op: Op, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr("sep2_server.operator.enrolment.make_pin", lambda _: 123)
    assert op("enrol", "north", "--lfdi", LFDI) == 0
    assert "000123\nnote the pIN now" in capsys.readouterr().out
    (tmp_path / "d.csv").write_text(f"name,lfdi\nsouth,{LFDI[:-1]}0\n")
    assert op("enrol", "--csv", str(tmp_path / "d.csv")) == 0
    assert "south,000123" in capsys.readouterr().out


def test_a_wrong_time_of_a_token_is_told_by_its_name(api: OperatorClient) -> None:
    for text in ("tomorrow", "2026-07-01T12:00:00", "after-last"):
        with pytest.raises(ApiError, match=f"expires: '{text}'"):
            api.call("POST", ("tokens",), {"name": "wall", "expires": text})


@pytest.mark.parametrize("pens", ["x", 7, {LFDI: "x"}, ["x"]])
def test_numbers_of_aggregators_that_are_no_table_are_told(pens: object) -> None:
    with pytest.raises(SettingsError, match="aggregator_pens"):
        by_lfdi("aggregator_pens", pens)


@pytest.mark.parametrize("made", [Path.touch, lambda path: (path / "pki").mkdir(parents=True)])
def test_a_demonstration_wants_a_new_folder(
    made: Callable[[Path], object], tmp_path: Path, capsys: Capture
) -> None:
    parser = argparse.ArgumentParser()
    add_demo(parser.add_subparsers())
    made(tmp_path / "there")
    args = parser.parse_args(["demo", "--once", "--folder", str(tmp_path / "there")])
    assert args.run(args) == 2
    assert "name a new folder" in capsys.readouterr().err


@pytest.mark.parametrize("value", ["nan", "inf", "0"])
def test_a_run_of_a_fleet_has_an_end(value: str, capsys: Capture) -> None:
    parser = argparse.ArgumentParser()
    add_fleet(parser.add_subparsers())
    with pytest.raises(SystemExit):
        parser.parse_args(["bench", "fleet", "--server", "https://a", "--pki", "p", "--duration", value])
    assert "is not more than 0" in capsys.readouterr().err


@pytest.mark.parametrize("held", [None, b"no certificate\n"])
def test_a_fleet_whose_roots_are_none_is_not_run(held: bytes | None, tmp_path: Path, capsys: Capture) -> None:
    parser = argparse.ArgumentParser()
    add_fleet(parser.add_subparsers())
    if held is not None:
        (tmp_path / "roots.pem").write_bytes(held)
    Pki.create(tmp_path / "pki")
    issue(tmp_path / "pki", 1)
    words = ["--server", "https://127.0.0.1:1/dcap", "--certificates", str(tmp_path / "pki")]
    args = parser.parse_args(["bench", "fleet", *words, "--roots", str(tmp_path / "roots.pem")])
    assert args.run(args) == 2
    assert "roots.pem: no " in capsys.readouterr().err
