"""The house keeps its plan: who imports whom, how large things are, and what stands in one place only."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("schemas", "certs", "function_sets", "sep2_server", "der_client", "lineside")
MODULES = sorted(p for package in PACKAGES for p in (ROOT / package).rglob("*.py"))
NAMES = [str(p.relative_to(ROOT)) for p in MODULES]


def imported(path: Path) -> set[str]:
    """Top-level names of everything that a module imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module.split(".")[0])
    return found


def functions(path: Path) -> list[tuple[str, int]]:
    """Every function of a module with its length in lines."""
    nodes = ast.walk(ast.parse(path.read_text()))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [(n.name, (n.end_lineno or n.lineno) - n.lineno + 1) for n in nodes if isinstance(n, kinds)]


def test_imports_point_downwards() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", NAMES)
def test_module_has_at_most_400_lines(name: str) -> None:
    exempt = {"schemas/__init__.py"}
    assert name in exempt or len((ROOT / name).read_text().splitlines()) <= 400


def test_function_has_at_most_40_lines() -> None:
    tables = {"interlocks"}  # one row of data for each interlock
    sizes = [(n, f, size) for n, p in zip(NAMES, MODULES, strict=True) for f, size in functions(p)]
    assert [found for found in sizes if found[2] > 40 and found[1] not in tables] == []


def test_only_schemas_parses_xml_with_lxml() -> None:
    assert {n.split("/")[0] for n, p in zip(NAMES, MODULES, strict=True) if "lxml" in imported(p)} == {
        "schemas"
    }


def test_only_the_context_of_certs_imports_ssl() -> None:
    users = [n for n, p in zip(NAMES, MODULES, strict=True) if "ssl" in imported(p)]
    assert users == ["certs/context.py"]


def test_nobody_asks_for_the_class_of_a_transport() -> None:
    """Those of uvloop are no `asyncio.Transport`."""
    pattern = re.compile(r"isinstance\([^)]*asyncio\.\w*Transport")
    assert [n for n, p in zip(NAMES, MODULES, strict=True) if pattern.search(p.read_text())] == []


@pytest.mark.parametrize("package", ["schemas", "function_sets"])
def test_core_package_has_no_io(package: str) -> None:
    shell = {"asyncio", "socket", "sqlite3", "time", "random", "logging", "aiohttp", "threading", "secrets"}
    found = {n: imported(p) & shell for n, p in zip(NAMES, MODULES, strict=True) if n.startswith(package)}
    assert {n: names for n, names in found.items() if names} == {}


def test_no_module_is_named_after_nothing() -> None:
    vague = {"utils", "common", "helpers", "misc", "base", "manager"}
    assert [n for n, p in zip(NAMES, MODULES, strict=True) if p.stem in vague] == []


def test_readme_is_short_and_names_two_commands() -> None:
    text = (ROOT / "README.md").read_text()
    assert len(text.splitlines()) <= 150
    assert "make demo" in text
    assert "make test" in text
