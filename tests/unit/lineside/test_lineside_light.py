"""A command loads what it needs and nothing else: operators call `lineside op` from scripts, many times."""

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = frozenset(
    {
        "aiohttp",
        "asyncpg",
        "can",
        "cantools",
        "der_client",
        "function_sets",
        "lxml",
        "pymodbus",
        "schemas",
        "serial",
        "sqlalchemy",
        "sunspec2",
        "uvloop",
        "xmlschema",
        "zeroconf",
    }
)
"""What takes long to load, and what only a server, a client or a simulator needs."""
LIST = """
import sys
from lineside.__main__ import main
try:
    code = main(sys.argv[1:])
except SystemExit as ended:
    code = ended.code
print("\\n", code, *sorted(name for name in sys.modules if "." not in name))
"""
SECRET = "0" * 64
OP = [
    ("op", "devices", "--server", "http://127.0.0.1:9"),
    *(
        ("op", *words, "--server", "https://127.0.0.1:9")
        for words in (
            ("devices",),
            ("group", "list"),
            ("publish", "feeder-7", "--max-w", "50%", "--in", "10s", "--for", "5m"),
            ("audit", "--who", "me"),
            ("resource", "list", "/upt"),
        )
    ),
]


def ended(*words: str) -> tuple[str, frozenset[str]]:
    """The exit code of a command in a process of its own, and the packages that it had loaded then."""
    done = subprocess.run(
        [sys.executable, "-c", LIST, *words], capture_output=True, text=True, check=True, timeout=60
    )
    code, *modules = done.stdout.rpartition("\n ")[2].split()
    return code, frozenset(modules)


@pytest.mark.parametrize(
    "words",
    [(), ("--help",), ("--version",), ("op", "--help"), ("op", "enrol", "--help"), ("ven", "run", "--help")],
)
def test_menus_load_nothing_heavy(words: tuple[str, ...]) -> None:
    code, modules = ended(*words)
    assert code == ("0" if words else "2")
    assert modules & (HEAVY | {"cryptography"}) == set()


@pytest.mark.parametrize("words", OP, ids=lambda words: f"{words[1]}")
def test_calls_of_the_operator_api_load_nothing_of_the_server(words: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "token").write_text(SECRET)
    code, modules = ended(*words, "--token-file", str(tmp_path / "token"))
    assert code == "1"
    assert modules & HEAVY == set()


def test_a_command_by_its_settings_folder_loads_nothing_of_the_server(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("site")
    (folder / "operator").mkdir()
    (folder / "operator" / "operator.token").write_text(f"{SECRET}\n")
    (folder / "server.toml").write_text('profile = "csip"\n[operator]\nport = 9\nplain_http = true\n')
    code, modules = ended("op", "devices", "--config", str(folder))
    assert code == "1"
    assert modules & HEAVY == set()


def test_what_only_one_command_needs_is_there_for_it() -> None:
    code, modules = ended("op", "api")
    assert (code, "schemas" in modules) == ("0", True)
