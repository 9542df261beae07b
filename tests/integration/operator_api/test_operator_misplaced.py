"""Options of `lineside op` that have no place in the form of a command that was chosen: nothing is done."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sep2_server.operator import OperatorClient
from sep2_server.operator.commands import rows_of

LFDI = "3E4F45AB31EDFE5B67E343E5E4562E31984E23E5"
LIMIT = {"DERControlBase": {"opModMaxLimW": "50%"}, "duration": 60}
Op = Callable[..., int]
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def grouped(api: OperatorClient) -> OperatorClient:
    """The API of a server with a group, which has a default."""
    api.call("POST", ("groups",), {"name": "g", "primacy": 7})
    api.call("PATCH", ("groups", "g", "default"), {"DERControlBase": {"opModMaxLimW": "80%"}})
    return api


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("enrol north --lfdi {lfdi} --dry-run", "--dry-run: not without --csv"),
        ("enrol north --lfdi {lfdi} --keep-going", "--keep-going: not without --csv"),
        ("enrol north --csv {file} --ders 0", "NAME, --ders: not with --csv"),
        ("publish g --file {file}", "GROUP: not with --file"),
        (
            "publish --file {file} --for 5m --max-w 50% --randomize-start 0",
            "--for, --randomize-start, --max-w:",
        ),
        ("publish --file {file} --connect no --mode a=b", "--connect, --mode: not with --file"),
        ("default g --clear --max-w 10%", "--max-w: not with --clear"),
        ("default g --clear --set setGradW=1", "--set: not with --clear"),
        ("settings --reset --in-band on --time-quality 0", "--in-band, --time-quality: not with --reset"),
        ("cancel {mrid} --program nonsense", "--program: not without --group"),
        ("cancel --all --program nonsense", "--program: not without --group"),
    ],
)
def test_an_option_of_another_form_is_refused_and_nothing_is_done(
    grouped: OperatorClient, op: Op, words: str, told: str, tmp_path: Path, capsys: Capture
) -> None:
    (tmp_path / "file").write_text("name,lfdi\n")
    control = grouped.call("POST", ("groups", "g", "controls"), LIMIT)
    places = {"lfdi": LFDI, "file": tmp_path / "file", "mrid": control["mRID"]}
    before = [grouped.get("devices"), grouped.get("controls"), grouped.get("groups", "g", "default")]
    capsys.readouterr()
    assert op(*(word.format(**places) for word in words.split())) == 2
    err = capsys.readouterr().err
    assert told in err
    assert "nothing was done" in err
    after = [grouped.get("devices"), grouped.get("controls"), grouped.get("groups", "g", "default")]
    assert after == before


def test_a_trial_of_one_control_publishes_nothing(grouped: OperatorClient, op: Op, capsys: Capture) -> None:
    assert op("publish", "g", "--max-w", "50%", "--for", "5m", "--dry-run") == 0
    out = capsys.readouterr().out
    assert "opModMaxLimW 50" in out
    assert out.endswith("it would be published; nothing was (--dry-run)\n")
    assert "mRID" not in out, "it gets another once it is published"
    assert rows_of(grouped.get("controls"), "controls") == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("nobody", "--max-w", "50%"), "nobody"),
        (("g", "--max-w", "800%"), "opModMaxLimW"),
        (("g", "--max-w", "50%", "--program", "nonsense"), "nonsense"),
    ],
)
def test_a_trial_says_what_would_be_refused(
    grouped: OperatorClient, op: Op, words: tuple[str, ...], told: str, capsys: Capture
) -> None:
    assert op("publish", *words, "--for", "5m", "--dry-run") == 2
    err = capsys.readouterr().err
    assert told in err
    assert "nothing was published" in err
    assert rows_of(grouped.get("controls"), "controls") == []
