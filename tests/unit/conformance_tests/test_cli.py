"""The command line of the runner: what is asked wrongly is told in a line, with what to do."""

import argparse
from pathlib import Path

import pytest

from conformance_tests import UsageError
from conformance_tests.catalogue import all_cases
from conformance_tests.cli import PROFILES
from conformance_tests.options import add_client_options, add_run_options, add_server_options, with_settings
from conformance_tests.session import client_setup
from lineside.__main__ import main
from schemas import csip_aus
from tests.hopeless_toml import HOPELESS

SERVER = ["conform", "server", "https://[::1]:1/dcap"]

FILES = ["--cert", "c.pem", "--key", "k.pem", "--roots", "r.pem", "--lfdi", 40 * "A"]


def client_options(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_client_options(parser)
    add_run_options(parser, PROFILES)
    return with_settings(parser.parse_args(words), parser)


def parsed(config: Path, *more: str) -> dict[str, object]:
    parser = argparse.ArgumentParser()
    add_server_options(parser)
    add_run_options(parser, PROFILES)
    return vars(with_settings(parser.parse_args(["--config", str(config), *more]), parser))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (SERVER, "give --cert, --key, --roots"),
        ([*SERVER, "--only", "CORE-9999"], "--only CORE-9999: no such case here; `lineside conform list`"),
        (["conform", "compare", "nowhere", "nowhere"], "nowhere is no report of a run"),
        (["conform", "client"], "give --cert, --key, --roots"),
        (["conform", "client", *FILES, "--classes", "A"], "--classes is for --profile csip_aus"),
        (["conform", "client", *FILES, "--aus-version", "v1.3"], "--aus-version is for --profile csip_aus"),
        (["conform", "report", "nowhere"], "nowhere is no report of a run"),
    ],
)
def test_wrong_usage_is_a_line_and_exit_code_2(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    line = capsys.readouterr().err
    assert told in line
    assert line.count("\n") == 1


def test_a_settings_file_gives_what_the_command_line_left_out(tmp_path: Path) -> None:
    config = tmp_path / "conform.toml"
    config.write_text(
        'cert = "d.pem"\nlisten = "127.0.0.1:9"\nonly = ["CORE-*"]\n'
        'strict = true\nhttp-port = 80\nprofile = "base"\n'
    )
    held = parsed(config, "--http-port", "81")
    assert held["cert"] == Path("d.pem")
    assert held["listen"] == ("127.0.0.1", 9)
    assert held["only"] == ["CORE-*"]
    assert held["strict"] is True
    assert held["http_port"] == 81
    assert held["profile"] == "base"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("nonsense = 1", "nonsense is no option here"),
        ("strict = 3", "strict is true or false"),
        ('listen = "here"', "listen: here: give HOST:PORT"),
        ('operator = "god"', "operator is one of api, hook, prompt"),
        ('config = "other.toml"', "config is no option here"),
        ("= 3", "Invalid"),
        *((text, r"conform\.toml: ") for text in HOPELESS),
    ],
)
def test_a_wrong_settings_file_is_told_by_the_name_of_the_option(
    tmp_path: Path, text: str, told: str
) -> None:
    config = tmp_path / "conform.toml"
    config.write_text(text)
    with pytest.raises(UsageError, match=told):
        parsed(config)


def test_the_page_says_how_many_cases_there_are() -> None:
    page = Path(__file__).parents[3] / "docs" / "howto" / "conformance.md"
    assert f"{len(all_cases()):,} cases" in page.read_text()


def test_a_client_claims_classes_of_csip_aus(tmp_path: Path) -> None:
    words = [*FILES, "--profile", "csip_aus", "--aus-version", "v1.3"]
    given = client_setup(client_options(*words, "--classes", "a, DER-G", "--classes", "STO"))
    assert given.classes == {"A", "DER-G", "STO"}
    assert given.schema is csip_aus.CSIP_AUS_V1_3
    config = tmp_path / "conform.toml"
    config.write_text('classes = ["A,C", "PRC"]\n')
    assert client_setup(client_options(*words, "--config", str(config))).classes == {"A", "C", "PRC"}
    assert client_setup(client_options(*words)).classes == frozenset()


def test_a_class_that_there_is_not_is_told_with_those_that_there_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        client_options("--classes", "A,X-1")
    assert "no class X-1; there are A, C, DER-A" in capsys.readouterr().err


def test_an_aggregator_without_devices_is_not_tested() -> None:
    with pytest.raises(UsageError, match="--device LFDI"):
        client_setup(client_options(*FILES, "--aggregator"))
