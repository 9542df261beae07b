"""`lineside device`: find a device, read it, set it once, test it, keep its registers."""

import argparse
import asyncio
import logging
import math
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from der_client import device_commands
from der_client.can import CanConfigError
from der_client.errors import ClientError
from owner import SettingsError

WRONG_USAGE: Final = 2
TRACE: Final = "der_client.sunspec.trace"
EPILOG: Final = """\
a new inverter, step by step:
  lineside device scan 10.0.0.5             is it there, and what does it have
  lineside device read 10.0.0.5             its ratings and a reading
  lineside device test 10.0.0.5 --yes       sign, limit, ramp and loss of communication, with a report
  lineside device dump 10.0.0.5 > it.regs   all its registers, for a bug report or the simulator

a BMS on CAN: `--can can0` in place of the address (or beside it: inverter and battery as one device).
Any installed driver: `--kind KIND --set key=value`; `lineside device kinds` lists them.
"""
DAY_S, MOST_READINGS, MOST_W = 86_400, 1_000_000, 1e9
RAW: Final = argparse.RawDescriptionHelpFormatter


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `device` and its commands; each sets `run`, a function of the parsed arguments to the exit code."""
    device = subparsers.add_parser(
        "device",
        help="find, read, set and test a device",
        description="Commission a device.",
        epilog=EPILOG,
        formatter_class=RAW,
    )
    commands = device.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_scan(commands)
    _add_read(commands)
    _add_apply(commands)
    _add_test(commands)
    _add_dump(commands)
    kinds = _command(commands, "kinds", "the installed drivers and what can be set of them", "kinds battery")
    kinds.add_argument("kinds", nargs="*", metavar="KIND", help="only these")
    kinds.set_defaults(run=_guarded(device_commands.kinds))


def _add_scan(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    scan = _command(commands, "scan", "find a device and list what it has, or say why not", "scan 10.0.0.5")
    _add_device(scan)
    scan.add_argument("--listen", type=float, default=5.0, metavar="S", help="time on the CAN bus (5)")
    scan.set_defaults(run=_guarded(device_commands.scan))


def _add_read(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    read = _command(commands, "read", "ratings and readings of a device", "read 10.0.0.5 --count 10")
    _add_device(read)
    read.add_argument("--count", type=_whole(1, MOST_READINGS), default=1, metavar="N", help="readings (1)")
    read.add_argument(
        "--every", type=_within(0, DAY_S), default=1.0, metavar="S", help="time between them (1)"
    )
    read.set_defaults(run=_guarded(device_commands.read))


def _add_apply(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    example = "apply 10.0.0.5 --limit-pct 50 --for 60 --yes"
    apply = _command(
        commands, "apply", "set a device for a time, after which it falls back by itself", example
    )
    _add_device(apply)
    apply.add_argument("--limit-pct", type=_within(0, 100), metavar="PCT", help="most power, %% of setMaxW")
    apply.add_argument(
        "--target-w", type=_within(-MOST_W, MOST_W), metavar="W", help="power in W; negative charges"
    )
    apply.add_argument(
        "--var-pct", type=_within(-100, 100), metavar="PCT", help="reactive power, %% of setMaxVar"
    )
    apply.add_argument("--pf", type=_factor, metavar="PF", help="power factor; negative absorbs vars")
    apply.add_argument("--connect", action=argparse.BooleanOptionalAction, help="in service or not")
    apply.add_argument("--release", action="store_true", help="let go of everything that was set")
    apply.add_argument(
        "--for", type=int, default=60, dest="for_s", metavar="S", help="reversion time, 1 to 65534 (60)"
    )
    apply.add_argument("--yes", action="store_true", help="do it; without, it only says what it would do")
    apply.set_defaults(run=_guarded(device_commands.apply))


def _add_test(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    test = _command(
        commands,
        "test",
        "test a device: identity, readings, sign, limit, ramp, loss of communication",
        "test 10.0.0.5 --yes --report report.json",
    )
    _add_device(test)
    test.add_argument("--yes", action="store_true", help="write to the device; it is restored afterwards")
    test.add_argument("--report", type=Path, metavar="FILE", help="the report as JSON")
    test.add_argument(
        "--power-pct", type=_within(1, 100), default=20.0, metavar="PCT", help="power of a battery (20)"
    )
    test.add_argument("--reversion", type=int, default=20, metavar="S", help="reversion time tried (20)")
    test.add_argument(
        "--settle", type=_within(0, DAY_S), default=20.0, metavar="S", help="longest wait for power (20)"
    )
    test.add_argument(
        "--min-soc", type=_within(0, 100), default=15.0, metavar="PCT", help="no test below (15)"
    )
    test.add_argument(
        "--max-soc", type=_within(0, 100), default=90.0, metavar="PCT", help="no test above (90)"
    )
    test.add_argument("--listen", type=float, default=15.0, metavar="S", help="time on the CAN bus (15)")
    test.set_defaults(run=_guarded(device_commands.test))


def _add_dump(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    dump = _command(
        commands, "dump", "all registers, or all CAN frames, as they are", "dump 10.0.0.5 > it.regs"
    )
    _add_device(dump)
    dump.add_argument("--points", action="store_true", help="points with their values in place of registers")
    dump.add_argument("--hide-serial", action="store_true", help="leave the serial number out")
    dump.add_argument("--listen", type=float, default=5.0, metavar="S", help="time on the CAN bus (5)")
    dump.set_defaults(run=_guarded(device_commands.dump))


def _add_device(parser: argparse.ArgumentParser) -> None:
    """Where the device is."""
    where = parser.add_argument_group("the device")
    where.add_argument(
        "host", nargs="?", metavar="HOST", help="address, address:port, or a serial port as /dev/ttyUSB0"
    )
    where.add_argument("--port", type=int, help="Modbus TCP port (502)")
    where.add_argument("--unit", type=int, help="Modbus unit id (1)")
    where.add_argument("--base", type=int, action="append", default=[], help="address of the map; repeat it")
    where.add_argument("--max-block", type=int, help="registers that one read may ask for (125)")
    where.add_argument("--timeout", type=float, help="longest wait for an answer, s (1)")
    where.add_argument("--can", metavar="CHANNEL", help="CAN channel of a BMS (can0)")
    where.add_argument("--interface", default="socketcan", help="python-can interface (socketcan)")
    where.add_argument("--profile", help="frames of the BMS: a built-in profile or a file")
    where.add_argument("--kind", help="driver; sunspec, or battery with --can")
    where.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="setting of the driver"
    )
    where.add_argument("--trace", action="store_true", help="show every Modbus request and answer")
    where.add_argument("--json", action="store_true", help="answer in JSON")


def _within(low: float, high: float) -> Callable[[str], float]:
    """Reads a number from `low` to `high`; ArgumentTypeError for what is none."""

    def read(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not low <= number <= high:
            raise argparse.ArgumentTypeError(f"{text}: a number from {low:g} to {high:g} is wanted")
        return number

    return read


def _whole(low: int, high: int) -> Callable[[str], int]:
    """Reads a whole number from `low` to `high`; ArgumentTypeError for what is none."""

    def read(text: str) -> int:
        number = _within(low, high)(text)
        if not number.is_integer():
            raise argparse.ArgumentTypeError(f"{text}: a whole number is wanted")
        return int(number)

    return read


def _factor(text: str) -> float:
    """Reads a power factor; ArgumentTypeError for what is none."""
    factor = _within(-1, 1)(text)
    if not factor:
        raise argparse.ArgumentTypeError("0: a power factor is not 0; --var-pct sets reactive power")
    return factor


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, says: str, example: str
) -> argparse.ArgumentParser:
    epilog = f"example: lineside device {example}"
    return commands.add_parser(name, help=says, description=f"{says}.", epilog=epilog)


def _guarded(
    run: Callable[[argparse.Namespace], Coroutine[None, None, int]],
) -> Callable[[argparse.Namespace], int]:
    def guarded(args: argparse.Namespace) -> int:
        with _tracing(getattr(args, "trace", False)):
            return _outcome(run, args)

    return guarded


def _outcome(
    run: Callable[[argparse.Namespace], Coroutine[None, None, int]], args: argparse.Namespace
) -> int:
    try:
        return asyncio.run(run(args))
    except BrokenPipeError:
        raise  # who reads the output has left
    except (ClientError, SettingsError, CanConfigError, OSError, ValueError) as error:
        sys.stderr.write(f"lineside device: {error}\n")
        return WRONG_USAGE


@contextmanager
def _tracing(is_wanted: bool) -> Iterator[None]:
    """Requests and answers on standard error, where they are wanted."""
    log, handler = logging.getLogger(TRACE), logging.StreamHandler()
    before = log.level
    if is_wanted:
        log.addHandler(handler)
        log.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(before)
