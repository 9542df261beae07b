"""What siblings need of each other, as small Protocols; `lineside` wires them."""

from typing import Protocol


class Clock(Protocol):
    """Server time."""

    def now(self) -> int:
        """Seconds since 1970 UTC."""
        ...
