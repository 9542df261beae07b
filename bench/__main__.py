"""`python -m bench`: every promise, its floor, and whether it is kept; exit code 1 if one is missed."""

from __future__ import annotations

import os
import platform
import sys

from bench import codec, server
from bench.measure import table


def main() -> int:
    """Measure and print."""
    cores = os.cpu_count()
    print(f"Python {platform.python_version()}, {cores} cores, {platform.machine()}; medians of one run\n")
    results = [*codec.measure(), *server.measure()]
    print(table(results))
    return 0 if all(r.is_kept for r in results) else 1


if __name__ == "__main__":
    sys.exit(main())
