"""`python -m bench`: every promise, its floor, and whether it is kept; exit code 1 if one is missed.

`--large` measures with 1,000,000 EndDevices in the store too; `--only NAME` measures one part (repeatable).
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench import (
    aggregator,
    can_decode,
    codec,
    conformance,
    cycle,
    events,
    gate,
    idle,
    modbus,
    notifications,
    openadr_event,
    openadr_latency,
    openadr_wire,
    reads,
    restart,
    scale,
    workers,
    writes,
)
from bench.measure import table
from bench.stand import DEVICES, make_stand, postgres_stand

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.measure import Result
    from bench.stand import Stand

PARTS: Final[dict[str, Callable[[Stand], list[Result]]]] = {
    "aggregator": lambda stand: aggregator.measure(stand.folder.parent / "fleet"),
    "codec": lambda _: codec.measure(),
    "openadr": lambda stand: [
        *openadr_wire.measure(),
        *openadr_event.measure(stand.folder.parent / "openadr-event"),
        *openadr_latency.measure(stand),
    ],
    "can": lambda _: can_decode.measure(),
    "reads": reads.measure,
    "writes": writes.measure,
    "cycle": cycle.measure,
    "idle": idle.measure,
    "workers": workers.measure,
    "events": events.measure,
    "notifications": lambda _: notifications.measure(),
    "gate": lambda _: gate.measure(),
    "modbus": lambda _: modbus.measure(),
    "conformance": lambda stand: conformance.measure(stand.folder.parent / "judged"),
}
LARGE: Final = 1_000_000
CACHE: Final = Path("build") / "bench"
"""Where the large store is kept for the next run."""


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure every promise.")
    parser.add_argument("--large", action="store_true", help=f"with {LARGE:,} EndDevices too")
    parser.add_argument(
        "--only", action="append", choices=[*PARTS, "postgres", "large"], help="one part; repeatable"
    )
    chosen = parser.parse_args()
    wanted = chosen.only or [*PARTS, "postgres", *(["large"] if chosen.large else [])]
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}\n", flush=True)
    with tempfile.TemporaryDirectory(prefix="lineside-bench-") as name:
        results, failed = _measured(Path(name), wanted)
    print(table(results))
    for one in failed:
        print(f"not measured: {one}")
    return 0 if not failed and all(result.is_kept for result in results) else 1


def _measured(folder: Path, wanted: list[str]) -> tuple[list[Result], list[str]]:
    """The results, and what could not be measured and why: what did not come in its time, or ended."""
    results: list[Result] = []
    failed: list[str] = []
    for part in wanted:
        start = time.monotonic()
        try:
            results += _part(folder, part)
        except (TimeoutError, RuntimeError) as error:
            failed.append(f"{part}: {error}")
        print(f"{part}: {time.monotonic() - start:.0f} s", file=sys.stderr)
    return results, failed


def _part(folder: Path, part: str) -> list[Result]:
    if part == "large":
        return _large(folder)
    if part == "postgres":
        with postgres_stand(folder / part) as stand:
            return writes.measure(stand)
    return PARTS[part](make_stand(folder / part))


def _large(folder: Path) -> list[Result]:
    large = make_stand(CACHE / "large", devices=LARGE, keep=True)
    small = make_stand(folder / "small")
    return [*scale.measure(large, small, (LARGE, DEVICES)), *restart.measure(large, LARGE)]


if __name__ == "__main__":
    sys.exit(main())
