"""The commands of `lineside device` for a BMS alone on its CAN bus."""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Final

from der_client.battery_driver import BatteryDriverSettings, CanSettings, bms_of, bus_of, profile_of
from der_client.can import CanFrame, Profile, builtin_profiles, listen, load_profile
from der_client.commissioning.bms_test import BmsTest
from der_client.commissioning.can_survey import Survey, best_profile
from der_client.commissioning.describe import battery_lines
from der_client.commissioning.report import Report, Verdict
from der_client.device import BatteryState, Fault
from der_client.settings import device_settings, overridden
from owner import SettingsError

FINE: Final = 0
CHECK_FAILED: Final = 1
FIRST_STATE_S: Final = 10.0


def can_table(args: argparse.Namespace) -> dict[str, object]:
    """The table `can` of a battery that the command line describes."""
    table: dict[str, object] = {"interface": args.interface, "channel": args.can}
    if args.profile:
        table["profile"] = args.profile
    return table


async def scan(args: argparse.Namespace) -> int:
    """List what is on the bus, and the profile that fits."""
    settings = _can_of(args)
    survey = Survey()
    fault = await _listen(settings, args.listen, survey, survey.take)
    if fault is not None:
        return _failed(args, fault)
    own = None if args.profile is None else profile_of(settings)
    best = own or best_profile(survey, tuple(load_profile(name) for name in builtin_profiles()))
    _print(f"{survey.frames} frames of {len(survey.heard)} identifiers in {args.listen:g} s")
    for line in survey.lines(best or profile_of(settings)):
        _print(line)
    return _said_profile(survey, best)


def _said_profile(survey: Survey, best: Profile | None) -> int:
    missing = () if best is None else survey.missing(best)
    if best is None or missing:
        lacks = f": {', '.join(missing)} was not heard" if missing else ""
        _print(f"no profile fits{lacks}; a DBC and a profile of yours read any BMS (--profile FILE)")
        return CHECK_FAILED
    _print(f"profile {best.name} fits: it reads {survey.share(best):.0%} of them and lacks nothing")
    return FINE


async def read(args: argparse.Namespace) -> int:
    """Print what the BMS says."""
    bms = bms_of("bms", _can_of(args))
    await bms.start()
    try:
        async with asyncio.timeout(FIRST_STATE_S):
            while isinstance(answer := bms.battery(), Fault):
                await bms.updated(frames=bms.frames + 1)
    except TimeoutError:
        answer = bms.battery()
    finally:
        await bms.close()
    texts = {name: text for name in ("manufacturer", "model") if (text := bms.text(name))}
    if not isinstance(answer, BatteryState):
        return _failed(args, answer)
    if args.json:
        _print(json.dumps({**texts, **asdict(answer), **bms.details()}, default=sorted))
        return FINE
    for line in (*battery_lines(answer), *(f"{n:<20} {v:g}" for n, v in bms.details().items())):
        _print(line)
    for name, text in texts.items():
        _print(f"{name:<20} {text}")
    return FINE


async def test(args: argparse.Namespace) -> int:
    """Listen to the BMS and report."""
    settings = _can_of(args)
    trial = BmsTest(profile_of(settings))
    started_s = time.time()
    fault = await _listen(settings, args.listen, trial.survey, trial.take)
    report = trial.report(
        f"BMS on {settings.channel}", started_s=started_s, now_s=time.monotonic(), bus_fault=fault
    )
    write_report(args, report)
    return FINE if report.verdict in {Verdict.PASSED, Verdict.NOT_DONE, Verdict.WARNING} else CHECK_FAILED


async def dump(args: argparse.Namespace) -> int:
    """Print the frames of the bus as candump writes them."""
    settings = _can_of(args)
    ahead_s = time.time() - time.monotonic()

    def write(frame: CanFrame) -> None:
        _print(f"({frame.received_s + ahead_s:.6f}) {settings.channel} {frame}")

    fault = await _listen(settings, args.listen, Survey(), write)
    return FINE if fault is None else _failed(args, fault)


def write_report(args: argparse.Namespace, report: Report) -> None:
    """The report on standard output, and as JSON where that was asked for."""
    text = json.dumps(report.as_json(), indent=2)
    _print(text if args.json else report.as_text())
    if args.report is not None:
        args.report.write_text(text + "\n")


def _can_of(args: argparse.Namespace) -> CanSettings:
    """The bus that the command line describes."""
    if args.can is None:
        raise SettingsError("HOST or --can CHANNEL is wanted")
    table: dict[str, object] = {"kind": "battery", "can": can_table(args)}
    settings = device_settings(overridden(table, args.set), "").driver
    if not isinstance(settings, BatteryDriverSettings):
        raise SettingsError("--can: a setting of the driver battery")
    return settings.can


async def _listen(
    settings: CanSettings, seconds: float, survey: Survey, take: Callable[[CanFrame], None]
) -> Fault | None:
    """Hand each frame of so many seconds on; the fault if the bus is not open at the end of them."""
    survey.duration_s = seconds
    return await listen(bus_of(settings), seconds, take)


def _failed(args: argparse.Namespace, fault: Fault) -> int:
    sys.stderr.write(f"{args.can}: {fault.kind}: {fault.detail}\n")
    return CHECK_FAILED


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
