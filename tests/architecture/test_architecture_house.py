"""The house keeps its plan: who imports whom, how large things are, and what stands in one place only."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = (
    "schemas",
    "certs",
    "owner",
    "function_sets",
    "sep2_server",
    "der_client",
    "openadr_ven",
    "conformance_tests",
    "lineside",
)
MODULES = sorted(p for package in PACKAGES for p in (ROOT / package).rglob("*.py"))
NAMES = [str(p.relative_to(ROOT)) for p in MODULES]


CATCH_ALL = {
    "lineside/__main__.py main": "the top of a command",
    "sep2_server/process/supervisor.py _become_worker": "the top of a worker process",
    "sep2_server/process/supervisor.py _renew": "files that are bad in an unforeseen way end no server",
    "sep2_server/keeper.py _keep": "the top of a worker loop",
    "sep2_server/discovery/announcer.py _tried": "one try of a worker loop, which goes on",
    "sep2_server/notifications/service.py _match": "the top of a worker loop",
    "sep2_server/notifications/notifier.py run": "the top of a worker loop",
    "sep2_server/notifications/notifier.py _step": "what was not stored is kept, whatever was raised",
    "sep2_server/notifications/lanes.py _work": "a delivery that errs has failed, and the others go on",
    "conformance_tests/runner.py play": "one case that errs is inconclusive, and the run goes on",
    "der_client/can/driver.py _run": "the top of a worker",
    "der_client/contained.py contained": "a driver that raises takes down no other device",
    "der_client/driver_registry.py _loaded": "a package of others: whatever its import raises names it",
    "der_client/can/simulator.py _run": "the top of a worker",
    "der_client/can/bus.py _serve_safely": "the top of a thread in which a vendor's library runs",
    "openadr_ven/containing.py translated": "an event that fails in an unforeseen way takes no other with it",
    "sep2_server/feed.py _tell": "a listener that fails takes neither the writer nor other listeners with it",
    "sep2_server/feed.py _catch_up_or": "what is committed is told and acknowledged, whatever cannot be read",
    "sep2_server/feed.py _watch": "the top of a thread",
    "sep2_server/lease.py _attempt": "the top of a worker loop: a lease that is given up holds up everybody",
    "sep2_server/writer.py _commit": "the top of the writer's thread: who waits gets what was raised",
    "sep2_server/commits.py commit": "the top of the writer: who waits gets what was raised",
    "sep2_server/commits.py _run": "a job of others: who waits for it gets what it raised",
    "sep2_server/commits.py _run_all": "what was raised goes on, as it is or as a reason to begin anew",
    "sep2_server/operator/counter.py _told_of": "whatever fails is an audit line, and goes on",
}
"""Where everything is caught, and why."""


@cache
def nodes_of(path: Path) -> tuple[ast.AST, ...]:
    """Every node of a module's syntax tree."""
    return tuple(ast.walk(ast.parse(path.read_text())))


def imported(path: Path) -> set[str]:
    """Top-level names of everything that a module imports."""
    found = set()
    for node in nodes_of(path):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module.split(".")[0])
    return found


def functions(path: Path) -> list[tuple[str, int]]:
    """Every function of a module with its length in lines."""
    nodes = nodes_of(path)
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


def catches_all(handler: ast.ExceptHandler) -> bool:
    """Whether a handler takes every Exception and does not simply raise it again after tidying up."""
    kind = handler.type
    if kind is not None and not (isinstance(kind, ast.Name) and kind.id in {"Exception", "BaseException"}):
        return False
    last = handler.body[-1]
    is_tidying = isinstance(kind, ast.Name) and kind.id == "BaseException"
    return not (is_tidying and isinstance(last, ast.Raise) and last.exc is None)


def handlers(path: Path) -> Iterator[tuple[str, ast.ExceptHandler]]:
    """Every such handler of a module with the name of its function."""
    for function in nodes_of(path):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.ExceptHandler) and catches_all(node):
                    yield function.name, node


def test_everything_is_caught_only_where_there_is_a_reason_and_never_in_silence() -> None:
    found: set[str] = set()
    for name, path in zip(NAMES, MODULES, strict=True):
        for function, handler in handlers(path):
            found.add(f"{name} {function}")
            text = ast.unparse(handler)
            assert re.search(r"log\.exception|raise|set_exception", text), f"{name} {function} is silent"
    assert found == set(CATCH_ALL)


def test_only_schemas_the_judge_and_the_wire_of_2_0b_parse_xml_with_lxml() -> None:
    """The judge has a parser of its own: it must not share code with the codec that it judges.

    OpenADR 2.0b has its own schema and signatures, for which the libraries want trees of lxml.
    """
    users = {str(Path(n).parent) for n, p in zip(NAMES, MODULES, strict=True) if "lxml" in imported(p)}
    assert users == {"schemas", "conformance_tests/judge", "openadr_ven/v2b"}


def test_the_judge_shares_nothing_with_the_codec() -> None:
    """Of `schemas` it takes the folder of the packaged schema alone."""
    folder = ROOT / "conformance_tests" / "judge"
    users = [p.name for p in sorted(folder.glob("*.py")) if "schemas" in imported(p)]
    assert users == ["sources.py"]
    assert re.findall(r"schemas\.(?!__file__)", (folder / "sources.py").read_text()) == []


def test_only_the_context_of_certs_imports_ssl() -> None:
    users = [n for n, p in zip(NAMES, MODULES, strict=True) if "ssl" in imported(p)]
    assert users == ["certs/context.py"]


def test_nobody_asks_for_the_class_of_a_transport() -> None:
    """Those of uvloop are no `asyncio.Transport`."""
    pattern = re.compile(r"isinstance\([^)]*asyncio\.\w*Transport")
    assert [n for n, p in zip(NAMES, MODULES, strict=True) if pattern.search(p.read_text())] == []


@pytest.mark.parametrize(
    "package",
    ["schemas", "function_sets", "der_client/physics", "openadr_ven/events", "openadr_ven/to_sep2"],
)
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
