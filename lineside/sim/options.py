"""What can be chosen for a simulation on the command line, and the wish that it makes."""

from __future__ import annotations

import argparse
import csv
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from lineside.sim.clock import start_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineside.sim.build import Wish
    from lineside.sim.rig import GridPoint

PTY = "pty"
SERIALS = {"inverter": "PV-0001", "battery": "BESS-0001", "ev": "EV-0001"}
AC_TYPES = {1: 0, 2: 1, 3: 2}
MOST_W, MOST_WH, MOST_DEVICES = 1e8, 1e7, 100_000
PER_UNIT, HERTZ = (0.0, 2.0), (10.0, 300.0)
"""What the grid may be made: shares of the nominal voltage, and Hz."""


def within(low: float, high: float) -> Callable[[str], float]:
    """Reads a number from `low` to `high`; ArgumentTypeError for what is none."""

    def read(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            number = float("nan")
        if not low <= number <= high:
            raise argparse.ArgumentTypeError(f"{text}: a number from {low:g} to {high:g} is wanted")
        return number

    return read


def whole(low: int, high: int) -> Callable[[str], int]:
    """Reads a whole number from `low` to `high`; ArgumentTypeError for what is none."""

    def read(text: str) -> int:
        number = within(low, high)(text)
        if not number.is_integer():
            raise argparse.ArgumentTypeError(f"{text}: a whole number is wanted")
        return int(number)

    return read


def add_place(parser: argparse.ArgumentParser) -> None:
    """Ports, how many, commands and faults."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=0, help="Modbus TCP port, the first of several; 0: any")
    parser.add_argument("--unit", type=whole(0, 255), default=1, help="unit number")
    parser.add_argument(
        "--count", type=whole(1, MOST_DEVICES), default=1, metavar="N", help="so many of them"
    )
    parser.add_argument("--one-port", action="store_true", help="all behind one port, as units 1, 2, ...")
    parser.add_argument(
        "--tls", type=Path, metavar="FOLDER", help="inside TLS, with a certificate of lineside certs modbus"
    )
    parser.add_argument(
        "--rtu", nargs="?", const=PTY, metavar="PORT", help="on a serial port; without PORT a pseudo terminal"
    )
    parser.add_argument("--control-port", type=int, metavar="PORT", help="take commands here; 0: any")
    parser.add_argument("--control", action="store_true", help="take commands on standard input")
    parser.add_argument(
        "--fault", action="append", default=[], metavar="NAME[=VALUE][@DEVICE]", help="begin with a fault"
    )


def add_device(parser: argparse.ArgumentParser, kind: str) -> None:
    """What all devices have: rating, models, wiring."""
    parser.add_argument("--max-w", type=within(1, MOST_W), default=5_000.0, help="rating of active power")
    parser.add_argument("--serial", default=SERIALS.get(kind, "SIM-0001"), help="serial number in model 1")
    parser.add_argument(
        "--series", type=int, choices=(700, 100), default=700, help="family of SunSpec models"
    )
    parser.add_argument("--phases", type=int, choices=(1, 2, 3), default=1, help="1, 2 (split) or 3 phases")
    parser.add_argument(
        "--voltage-v", type=within(1, 900), default=240.0, help="nominal voltage, as 702.VNom"
    )
    parser.add_argument("--hertz", type=within(*HERTZ), default=60.0, help="nominal frequency")
    parser.add_argument("--trips-early", action="store_true", help="trip where it may, not where it must")
    parser.add_argument(
        "--lab-hooks", action="store_true", help="model 64414: registers that set sun and grid"
    )


def add_world(parser: argparse.ArgumentParser) -> None:
    """Seed, time, weather and grid."""
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same world")
    parser.add_argument("--start", metavar="TIME", help="time to begin at (ISO 8601 or s since 1970; now)")
    parser.add_argument("--speed", type=within(0, 1e6), default=1.0, help="seconds for each of ours")
    parser.add_argument("--latitude", type=within(-90, 90), default=45.0, help="degrees north")
    parser.add_argument(
        "--utc-offset", type=within(-14, 14), default=0.0, metavar="H", help="hours east of UTC"
    )
    parser.add_argument("--cloudiness", type=within(0, 1), default=0.6, help="mean share of the sky in cloud")
    parser.add_argument(
        "--irradiance", type=within(0, 2), help="a constant share of full sun instead of the weather"
    )
    parser.add_argument(
        "--grid-profile", type=Path, metavar="CSV", help="lines of seconds,per unit voltage,hertz"
    )


def _add_battery(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--can-port", type=int, default=0, help="TCP port of the CAN bus (socketcand); 0: any"
    )
    parser.add_argument("--capacity-wh", type=within(1, MOST_WH), default=10_000.0, help="energy of the pack")
    parser.add_argument("--soc-pct", type=within(0, 100), default=60.0, help="state of charge at the start")
    parser.add_argument("--soh-pct", type=within(1, 100), default=100.0, help="state of health")
    parser.add_argument("--cells", type=whole(1, 512), default=16, help="cells in series (3.2 V each)")
    parser.add_argument("--model-802", action="store_true", help="the battery bank in the inverter's map too")
    parser.add_argument("--profile", default="pylontech_lv", help="frames of the BMS (a name, or a file)")


def _add_car(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--discharge-w", type=within(0, MOST_W), default=0.0, help="power out of the car; 0: none"
    )
    parser.add_argument("--no-habits", action="store_true", help="the car stays until it is told to leave")


def _add_car_alone(parser: argparse.ArgumentParser) -> None:
    _add_car(parser)
    parser.add_argument("--soc-pct", type=within(0, 100), default=40.0, help="state of charge at the start")


def _add_load(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--daily-wh", type=within(0, MOST_WH), default=9_000.0, help="what the household takes in a day"
    )
    parser.add_argument(
        "--flexible-w", type=within(0, MOST_W), default=2_000.0, help="heating or cooling that can wait"
    )
    parser.add_argument("--float-meter", action="store_true", help="meter model 211 to 213")
    parser.add_argument("--export-positive", action="store_true", help="the meter's W is positive outwards")


def _add_site(parser: argparse.ArgumentParser) -> None:
    _add_battery(parser)
    _add_car(parser)
    _add_load(parser)
    parser.add_argument(
        "--self-consumption", action="store_true", help="the battery makes up for the others unless told"
    )


ADDERS = {"battery": _add_battery, "ev": _add_car_alone, "load": _add_load, "site": _add_site}


def wish_of(chosen: argparse.Namespace, now: float) -> Wish:
    """What was chosen.

    Raises ValueError for a time or a grid profile that cannot be read, OSError for a file that is not there.
    """
    from lineside.sim.build import Wish  # noqa: PLC0415 - heavy, only where something is simulated

    given = vars(chosen)
    named = {name: given[name] for name in SAME_NAMES if name in given}
    return Wish(
        start=start_of(chosen.start, now),
        ac_type=AC_TYPES[chosen.phases],
        v_nom_v=chosen.voltage_v,
        nominal_hz=chosen.hertz,
        latitude_deg=chosen.latitude,
        utc_offset_h=chosen.utc_offset,
        has_lab_hooks=chosen.lab_hooks,
        trips_when_it_may=chosen.trips_early,
        habits=not given.get("no_habits", False),
        is_float_meter=given.get("float_meter", False),
        has_battery_model=given.get("model_802", False),
        grid=() if chosen.grid_profile is None else read_grid(chosen.grid_profile),
        **named,
    )


SAME_NAMES = (
    "kind",
    "count",
    "unit",
    "series",
    "max_w",
    "serial",
    "seed",
    "irradiance",
    "cloudiness",
    "capacity_wh",
    "cells",
    "soc_pct",
    "soh_pct",
    "profile",
    "discharge_w",
    "daily_wh",
    "flexible_w",
    "self_consumption",
    "export_positive",
)


def read_grid(path: Path) -> tuple[GridPoint, ...]:
    """A grid profile: lines of seconds after the start, per unit voltage, Hz; `#` begins a comment.

    Raises ValueError for a line of another form or times that do not rise, OSError where there is no file.
    """
    rows = [row for row in csv.reader(path.read_text().splitlines()) if row and not row[0].startswith("#")]
    if any(len(row) != 3 for row in rows):
        raise ValueError(f"{path}: a line is seconds,per unit,hertz")
    points = tuple((float(row[0]), float(row[1]), float(row[2])) for row in rows)
    if not all(later[0] > earlier[0] for earlier, later in pairwise(points)):
        raise ValueError(f"{path}: times must rise")
    for _, per_unit, hertz in points:
        if not (PER_UNIT[0] <= per_unit <= PER_UNIT[1] and HERTZ[0] <= hertz <= HERTZ[1]):
            raise ValueError(f"{path}: {per_unit:g},{hertz:g}: per unit 0 to 2 and 10 to 300 Hz are wanted")
    return points
