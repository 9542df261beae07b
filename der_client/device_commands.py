"""What the commands of `lineside device` do: wire a driver, ask it, write the answer."""

import argparse
import json
import sys
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import asdict
from typing import Final

from der_client.commissioning import Guard, Report, Trial, TrialSettings, Verdict, bms_commands
from der_client.commissioning.describe import (
    hint_of,
    kind_lines,
    map_lines,
    map_values,
    plate_lines,
    point_lines,
    reading_lines,
)
from der_client.commissioning.trial import WRITING
from der_client.device import (
    Applied,
    Fault,
    PowerFactorSetpoint,
    Reversion,
    Setpoint,
    Telemetry,
    VarSetpoint,
)
from der_client.device_factory import device_of
from der_client.driver import Driver, not_executed
from der_client.driver_registry import driver_kind, installed
from der_client.patient import until_done
from der_client.settings import DeviceSettings, device_settings, overridden
from der_client.sunspec import DeviceMap
from der_client.sunspec import dump as dump_of
from der_client.sunspec.scan import Failure
from der_client.sunspec_driver import SunSpecDriverSettings, inverter_of, keeper_of
from owner import SettingsError

FINE: Final = 0
CHECK_FAILED: Final = 1
REF_MAX_VAR: Final = 2
NO_LIMIT_PCT: Final = 100
LONGEST_TIMER_S: Final = 65_534
FAILURES: Final = frozenset({Verdict.FAILED, Verdict.ABORTED})


async def kinds(args: argparse.Namespace) -> int:
    """Print the installed drivers with their settings."""
    names = args.kinds or installed()
    for name in names:
        _print(kind_lines(driver_kind(name)))
    return FINE


async def scan(args: argparse.Namespace) -> int:
    """Print the map of a device, or why there is none."""
    if args.host is None:
        return await bms_commands.scan(args)
    found = await _map_of(args)
    if isinstance(found, Fault):
        return _failed(args, found)
    if args.json:
        _print([json.dumps(map_values(found), indent=2)])
    else:
        _print(map_lines(found))
    return FINE


async def read(args: argparse.Namespace) -> int:
    """Print ratings and readings."""
    if args.host is None:
        return await bms_commands.read(args)
    async with _driver_of(args) as driver:
        plate = await driver.identify()
        if isinstance(plate, Fault):
            return _failed(args, plate)
        _print([_json(asdict(plate))] if args.json else plate_lines(plate))
        code = FINE
        async with aclosing(driver.subscribe(args.every)) as readings:
            for _ in range(args.count):
                code = _print_reading(args, await anext(readings))
    return code


def _print_reading(args: argparse.Namespace, found: Telemetry | Fault) -> int:
    if isinstance(found, Fault):
        return _failed(args, found)
    _print([_json(asdict(found))] if args.json else reading_lines(found))
    return FINE


async def apply(args: argparse.Namespace) -> int:
    """Set a device once; nothing without `--yes`."""
    if args.host is None:
        raise SettingsError("apply: a BMS takes no setpoints; give the address of the inverter")
    _check_timer("--for", args.for_s)
    setpoint = _setpoint_of(args)
    async with _driver_of(args) as driver:
        plate = await driver.identify()
        if isinstance(plate, Fault):
            return _failed(args, plate)
        _print([f"{plate.manufacturer} {plate.model}, serial {plate.serial}", f"  {_asked(setpoint)}"])
        if not args.yes:
            _print(["  nothing was written: --yes does it"])
            return CHECK_FAILED
        return await _apply(args, driver, setpoint)


async def _apply(args: argparse.Namespace, driver: Driver[object], setpoint: Setpoint) -> int:
    result = await until_done(lambda: driver.apply(setpoint, Reversion(after_s=args.for_s)))
    if isinstance(result, Fault):
        return _failed(args, result)
    for point in result.points:
        raw = " ".join(f"{word:04X}" for word in point.raw)
        _print([f"  {point.address} {point.point} = {point.value:g} ({raw}), read back"])
    for name in sorted(result.unsupported):
        _print([f"  NOT SUPPORTED by this device: {name}"])
    _print(_outlook(setpoint, result, args.for_s))
    return CHECK_FAILED if result.unsupported else FINE


def _outlook(setpoint: Setpoint, result: Applied, for_s: int) -> Iterator[str]:
    """What becomes of it without this command: what no timer ends, and what falls back."""
    for name in sorted(result.unguarded):
        release = "--connect" if name == "connect" else "--release"
        yield f"  NOT GUARDED: {name} stays until {release}, for no timer of the device ends it"
    released = {"connect"} if setpoint.connect else set()
    released |= {"max_w_pct"} if setpoint.max_w_pct == NO_LIMIT_PCT else set()
    ended = not_executed(setpoint, result.unsupported | result.unguarded | released)
    if ended:
        which = f": {', '.join(sorted(ended))}" if result.unguarded else ""
        yield f"  the device falls back by itself after {for_s} s{which}"


def _check_timer(option: str, seconds: int) -> None:
    """Raise SettingsError for a reversion time that not every timer takes: 0 is none, 65535 no number."""
    if not 0 < seconds <= LONGEST_TIMER_S:
        raise SettingsError(f"{option}: {seconds} s is outside 1 to {LONGEST_TIMER_S}")


async def test(args: argparse.Namespace) -> int:
    """Test a device and report."""
    if args.host is None:
        return await bms_commands.test(args)
    _check_timer("--reversion", args.reversion)
    settings = _device_settings_of(args)
    keeper = keeper_of(settings.driver) if isinstance(settings.driver, SunSpecDriverSettings) else None
    async with _driver_of(args) as driver:
        trial = Trial(
            driver,
            keeper=keeper,
            settings=TrialSettings(
                power_pct=args.power_pct,
                reversion_s=args.reversion,
                settle_s=args.settle,
                guard=Guard(min_soc_pct=args.min_soc, max_soc_pct=args.max_soc),
            ),
            may_write=args.yes,
            tell=_tell,
        )
        report = await trial.run()
    bms_commands.write_report(args, report)
    return CHECK_FAILED if report.verdict in FAILURES or not _has_written(report) else FINE


def _has_written(report: Report) -> bool:
    """True if any of the tests that write was done."""
    return any(f.test in WRITING and f.verdict is not Verdict.NOT_DONE for f in report.findings)


async def dump(args: argparse.Namespace) -> int:
    """Print all registers of a device."""
    if args.host is None:
        return await bms_commands.dump(args)
    if not args.points:
        return await _dump_registers(args)
    found = await _map_of(args)
    if isinstance(found, Fault):
        return _failed(args, found)
    _print(point_lines(found))
    return FINE


async def _dump_registers(args: argparse.Namespace) -> int:
    """All registers, known or not, as the simulator serves them again."""
    driver = _sunspec_settings_of(args)
    found = await dump_of(
        driver.host, driver.port, driver.unit, driver.transport, driver.scan, hide_serial=args.hide_serial
    )
    failure = found if isinstance(found, Failure) else found.broken_by
    if not isinstance(found, Failure):
        _print(found.text().splitlines())
    return FINE if failure is None else _failed(args, Fault(kind=failure.kind, detail=failure.detail))


async def _map_of(args: argparse.Namespace) -> DeviceMap | Fault:
    device = inverter_of(args.host, _sunspec_settings_of(args))
    try:
        return await device.scan()
    finally:
        await device.close()


def _sunspec_settings_of(args: argparse.Namespace) -> SunSpecDriverSettings:
    driver = _device_settings_of(args).driver
    if not isinstance(driver, SunSpecDriverSettings):
        raise SettingsError(f"{args.kind}: only SunSpec devices have a map")
    return driver


@asynccontextmanager
async def _driver_of(args: argparse.Namespace) -> AsyncGenerator[Driver[object], None]:
    driver = device_of(_device_settings_of(args))
    try:
        yield driver
    finally:
        await driver.close()


def _device_settings_of(args: argparse.Namespace) -> DeviceSettings:
    """The settings that the command line describes, as a configuration file would."""
    kind = args.kind or ("battery" if args.can else "sunspec")
    table: dict[str, object] = {"kind": kind, "name": args.host, **_place_of(args)}
    if args.unit is not None:
        table["unit"] = args.unit
    scan_table = {"bases": args.base} if args.base else {}
    if args.max_block:
        scan_table["max_block"] = args.max_block
    table |= {"scan": scan_table} if scan_table else {}
    if args.can:
        table["can"] = bms_commands.can_table(args)
    return device_settings(overridden(table, args.set), "")


def _place_of(args: argparse.Namespace) -> dict[str, object]:
    """Where the device is: an address, or the path of a serial port; and how long it is waited for."""
    transport: dict[str, object] = {"timeout_s": args.timeout} if args.timeout else {}
    if args.host.startswith("/"):
        return {"transport": {**transport, "serial": {"port": args.host}}}
    host, _, port = args.host.partition(":")
    place: dict[str, object] = {"host": host} | ({"transport": transport} if transport else {})
    return place | ({"port": args.port or int(port)} if port or args.port else {})


def _setpoint_of(args: argparse.Namespace) -> Setpoint:
    factor = args.pf and PowerFactorSetpoint(power_factor=abs(args.pf), absorbing=args.pf < 0)
    setpoint = Setpoint(
        connect=args.connect,
        max_w_pct=args.limit_pct,
        target_w=args.target_w,
        pf_inject=factor or None,
        var=None if args.var_pct is None else VarSetpoint(value=args.var_pct, ref=REF_MAX_VAR),
    )
    if setpoint == Setpoint() and not args.release:
        raise SettingsError("apply: nothing to set; --limit-pct, --target-w, ... or --release")
    return setpoint


def _asked(setpoint: Setpoint) -> str:
    names = sorted(not_executed(setpoint, frozenset()))
    return ", ".join(f"{name} {getattr(setpoint, name)}" for name in names) or "release of everything"


def _failed(args: argparse.Namespace, fault: Fault) -> int:
    """Say what failed, and what to look for."""
    place = f" at {fault.point}" if fault.point else ""
    if args.json:
        _print([_json({"fault": fault.kind, "detail": fault.detail, "point": fault.point})])
    _tell(f"{args.host}: {fault.kind}{place}: {fault.detail}")
    if hint_of(fault):
        _tell(f"  {hint_of(fault)}")
    return CHECK_FAILED


def _json(values: Mapping[str, object]) -> str:
    return json.dumps(
        values, default=lambda value: sorted(value) if isinstance(value, frozenset) else str(value)
    )


def _tell(line: str) -> None:
    sys.stderr.write(line + "\n")


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        sys.stdout.write(line + "\n")
    sys.stdout.flush()
