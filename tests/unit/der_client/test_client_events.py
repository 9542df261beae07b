import ast
from pathlib import Path

import pytest

import der_client
from der_client.errors import MissingError

SOURCES = sorted(Path(der_client.__file__).parent.rglob("*.py"))
DRIVERS = ("sunspec", "can")


def _calls(path: Path, name: str) -> list[str]:
    """Expressions on which a method of this name, or a function, is called in a module."""
    calls = [node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    methods = [ast.unparse(f.value) for f in calls if isinstance(f, ast.Attribute) and f.attr == name]
    return methods + [f.id for f in calls if isinstance(f, ast.Name) and f.id == name]


def _own(name: str) -> dict[str, list[str]]:
    """Calls by module, drivers and simulators left out."""
    folder = Path(der_client.__file__).parent
    found = {str(path.relative_to(folder)): _calls(path, name) for path in SOURCES}
    return {module: calls for module, calls in found.items() if calls and not module.startswith(DRIVERS)}


def test_only_the_controller_and_the_battery_system_tell_a_device_what_to_do() -> None:
    assert _own("apply") == {"battery_system.py": ["self._inverter"], "control.py": ["self._device"]}


def test_only_the_safety_layer_makes_a_safe_setpoint() -> None:
    assert _own("SafeSetpoint") == {"safety.py": ["SafeSetpoint"]}


def test_only_the_controller_asks_the_safety_layer() -> None:
    assert _own("clamp") == {"control.py": ["clamp"]}


def test_an_exchange_that_failed_names_its_uri() -> None:
    error = MissingError("/dcap", "404", 404)

    assert (str(error), error.href, error.status) == ("/dcap: 404", "/dcap", 404)
    with pytest.raises(MissingError):
        raise error
