"""How many inputs a property is tried with: `make fuzz` tries many times as many, new ones each time."""

import os

FACTOR = int(os.environ.get("LINESIDE_INPUTS", "1"))


def inputs(count: int) -> int:
    """So many inputs, and more where they are asked for."""
    return count * FACTOR
