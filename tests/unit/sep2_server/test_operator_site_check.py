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
        "server.toml:9",
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


def test_an_operator_that_is_no_table_is_told_once_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "server.toml").write_text("port = 0\noperator = 3\n")
    told = report(tmp_path, flaws_of(tmp_path))
    assert [line for line in told if ": operator" in line] == ["server.toml:2: operator: 3 is not a table"]
    assert any(line.startswith("server.toml: key: ") for line in told), "what else is wrong is told too"


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


TABLES = """\
[profile]
name = "csip"
list_limit = 0

[profile.poll_rate]
Time = 0
EndDevice = 5

[mounts]
"/a" = "x"
"/b" = { name = "csip", list_limit = 9, hidden_status = 200 }
"/v1.3" = "y"
"/edev" = "base"

[aggregator_pens]
zz = 1
"""


def test_each_entry_of_a_table_is_told_with_its_own_line(tmp_path: Path) -> None:
    (tmp_path / "server.toml").write_text(TABLES)
    told = [line for line in report(tmp_path, flaws_of(tmp_path)) if not line.startswith("server.toml: ")]
    assert [line.split(": ")[:2] for line in told] == [
        ["server.toml:3", "profile.list_limit"],
        ["server.toml:6", "profile.poll_rate.Time"],
        ["server.toml:7", "profile.poll_rate.EndDevice"],
        ["server.toml:10", "mounts./a"],
        ["server.toml:11", "mounts./b.hidden_status"],
        ["server.toml:12", "mounts./v1.3"],
        ["server.toml:13", "mounts./edev"],
        ["server.toml:16", "aggregator_pens.zz"],
    ]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('database = "postgresql://h:x/n"', "database: write postgresql://"),
        ('database = "postgresql://u@h/n?sslmode=verify"', "database: sslmode: 'verify' is none of"),
        ('database = "postgresql://u@h/n?ssl=true"', "database: ssl: unknown; behind ? may be host"),
        ('database = "postgresql://u@h/n?sslmode"', "database: write postgresql://"),
        (
            'database = "postgresql://u@h/n?sslmode=verify-ca&sslrootcert=/no/such"',
            "database: sslrootcert: /no/such: no such file",
        ),
        (
            'database = "postgresql://u@h/n?sslmode=require&sslrootcert=/dev/null"',
            "database: sslrootcert: only looked at",
        ),
        ('database_password_file = "none"\ndatabase = "postgresql://u@h/n"', "database_password_file: "),
        ('files_folder = "pki/root.pem"', "files_folder: "),
        ('[mounts]\n"/a" = "csip"\n"/a/edev" = "csip"', "mounts./a/edev: /a/edev is the path of resources"),
    ],
)
def test_what_a_start_would_meet_is_told_before(tmp_path: Path, line: str, told: str) -> None:
    pki = Pki.create(tmp_path / "pki", depth=3)
    pki.issue_server("server", hosts=["localhost"])
    files = 'certificate = "pki/server/cert.pem"\nkey = "pki/server/key.pem"\nroots = "pki/root.pem"\n'
    (tmp_path / "server.toml").write_text(files + line + "\n")
    (found,) = report(tmp_path, flaws_of(tmp_path))
    assert found.startswith(f"server.toml:4: {told}")
