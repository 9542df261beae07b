"""Every flaw of a settings file is told at once, each with its line."""

from pathlib import Path

import pytest

from certs import Pki
from sep2_server.operator.site_check import flaws_of, lines_of, report

TEXT = """\
# a site
port = 70000
poll_rat = 5
database = "nowhere/lineside.db"
certificate = "server.pem"
log_format = "yaml"

[poll_rate]
Time = "often"

[operator]
prot = 5
plain_http = true
host = "0.0.0.0"
"""


def test_every_flaw_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "server.toml").write_text(TEXT)
    told = report(tmp_path, flaws_of(tmp_path))
    assert [line.partition(": ")[0] for line in told] == [
        "server.toml",
        "server.toml",
        "server.toml:2",
        "server.toml:3",
        "server.toml:4",
        "server.toml:5",
        "server.toml:6",
        "server.toml:8",
        "server.toml:12",
        "server.toml:13",
    ]
    assert "server.toml:2: port: 70000 is not 0 to 65535" in told
    assert "server.toml:3: poll_rat: unknown; did you mean poll_rate?" in told
    assert "server.toml:12: operator.prot: unknown; did you mean port?" in told
    assert f"server.toml:5: certificate: {tmp_path / 'server.pem'}: no such file" in told
    assert any(line.startswith("server.toml: key: ") for line in told)


def test_a_file_that_is_no_toml_tells_its_line(tmp_path: Path) -> None:
    (tmp_path / "server.toml").write_text("port = 1\nport = = 2\n")
    (told,) = report(tmp_path, flaws_of(tmp_path))
    assert told.startswith("server.toml:2: ")


def test_settings_of_a_good_site_have_no_flaw(tmp_path: Path) -> None:
    pki = Pki.create(tmp_path / "pki", depth=3)
    pki.issue_server("server", hosts=["localhost"])
    (tmp_path / "server.toml").write_text(
        'certificate = "pki/server/cert.pem"\nkey = "pki/server/key.pem"\nroots = "pki/root.pem"\n'
    )
    assert flaws_of(tmp_path) == []
    assert flaws_of(tmp_path, ["operator.port=0"]) == []
    (flaw,) = flaws_of(tmp_path, ["workers=0"])
    assert (flaw.line, flaw.text) == (0, "workers: 0 is not 1 to 64")


def test_a_key_of_another_certificate_is_a_flaw_of_its_line(tmp_path: Path) -> None:
    pki = Pki.create(tmp_path / "pki", depth=3)
    pki.issue_server("server", hosts=["localhost"])
    pki.issue_device("other")
    (tmp_path / "server.toml").write_text(
        'certificate = "pki/server/cert.pem"\nkey = "pki/other/key.pem"\nroots = "pki/root.pem"\n'
    )
    (told,) = report(tmp_path, flaws_of(tmp_path))
    assert told.startswith("server.toml:2: key: ")


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("a = 1\n\n b.c = 2\n", {"a": 1, "b.c": 3}),
        ('"a" = 1\n[t]\n"x y" = 2\n', {"a": 1, "t": 2, "t.x y": 3}),
        ('a = """\nb = 1\n"""\nc = 2\n', {"a": 1, "c": 4}),
        ("a = [\n  1,\n]\nb = 2\n# c = 3\n", {"a": 1, "b": 4}),
    ],
)
def test_lines_of_keys_are_found(text: str, lines: dict[str, int]) -> None:
    assert lines_of(text) == lines
