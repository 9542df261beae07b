"""The gate is the only path to a device: who may tell a device what to do, and who may touch a bus."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OURS = ("der_client", "lineside")
SOURCES = {
    str(path.relative_to(ROOT)): ast.parse(path.read_text())
    for package in OURS
    for path in sorted((ROOT / package).rglob("*.py"))
}
DRIVERS = ("der_client/sunspec/", "der_client/can/")
"""What speaks on a bus: registers and frames, and the simulators of both."""

APPLIES = {
    "der_client/control.py": "what the gate let through",
    "der_client/battery_system.py": "hands a setpoint on to its inverter",
    "der_client/crowd.py": "hands a setpoint on to one device of a crowd, when its turn comes",
    "der_client/relay.py": "hands a setpoint on to a device that stands behind a relay",
    "der_client/driver.py": "hands a setpoint on to the device of a driver",
    "der_client/driver_rig.py": "the contract that an author checks a driver against, on a rig",
    "der_client/driver_checks.py": "the contract that an author checks a driver against, on a rig",
    "der_client/commissioning/trial.py": "an engineer's test of a device: guarded with each sample, restored",
    "der_client/device_commands.py": "an engineer at the device, by hand, with --yes",
}
"""Who calls `apply` of a device, and why."""
BUSES = frozenset({"pymodbus", "can", "cantools", "serial", "sunspec2"})
"""Libraries of buses; `ModbusTransport` and `CanLink` are ours."""
DOORS = frozenset({"ModbusTransport", "CanLink", "Connection", "Bus", "TcpLine", "SerialLine", "SerialPort"})


def calls(tree: ast.Module, name: str) -> Iterator[ast.Call]:
    """Calls of a function or method of this name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func
            found = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            if found == name:
                yield node


def callers(name: str) -> set[str]:
    """Modules outside of the drivers that call a function or method of this name."""
    return {at for at, tree in SOURCES.items() if not at.startswith(DRIVERS) and any(calls(tree, name))}


def imports(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Module and name of everything that is imported."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.module, alias.name) for alias in node.names)


def is_of_a_bus(module: str, name: str) -> bool:
    return module.split(".", maxsplit=1)[0] in BUSES or (module.startswith("der_client") and name in DOORS)


def test_only_the_controller_tells_a_device_what_to_do() -> None:
    assert callers("apply") <= set(APPLIES)


def test_only_the_safety_layer_makes_a_safe_setpoint() -> None:
    assert callers("SafeSetpoint") == {"der_client/safety.py"}


def test_only_the_controller_asks_the_safety_layer() -> None:
    assert callers("clamp") == {"der_client/control.py"}


def test_the_controller_applies_nothing_but_what_the_gate_gave() -> None:
    tree = SOURCES["der_client/control.py"]
    applied = [ast.unparse(call.args[0]) for call in calls(tree, "apply")]

    assert applied == ["setpoint"]
    assert [ast.unparse(call.args[0]) for call in calls(tree, "_apply")] == ["safe"]


def test_nobody_but_the_drivers_speaks_on_a_bus() -> None:
    found = {
        (at, module)
        for at, tree in SOURCES.items()
        for module, name in imports(tree)
        if not at.startswith(DRIVERS) and is_of_a_bus(module, name)
    }

    assert found == set()
