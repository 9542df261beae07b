"""Who is late: a device that was to do something else from a second on, and was not told in time."""

from typing import Protocol, runtime_checkable


@runtime_checkable
class Hurrying(Protocol):
    """A device that waits its turn, and can be let go before others."""

    def hurry(self, *, is_late: bool) -> None:
        """Let it go before all that are not late, until told otherwise."""
        ...


def hurry_of(device: object) -> Hurrying:
    """The device itself; for one that waits for no turn, one that does nothing."""
    return device if isinstance(device, Hurrying) else _Alone()


class _Alone:
    """A device that has its bus for itself."""

    def hurry(self, *, is_late: bool) -> None:
        """It goes at once anyway."""
