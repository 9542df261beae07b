"""Faults that can be switched on in a simulated device while it runs."""

from dataclasses import dataclass

ALL_FUNCTIONS = frozenset({3, 6, 16})


@dataclass(slots=True, kw_only=True)
class FaultSwitches:
    """What the device does wrong now; all off at first.

    `silent`: takes requests, answers none. `answer_delay_s`: answers late. `ignore_writes`: acknowledges
    writes and keeps its registers. `exception_code`: answers requests of `exception_functions` with it (4
    device failure, 6 busy). `garbage`: answers with octets that are no Modbus. `drop_connection`: closes the
    connection on each request. `freeze_heartbeat`: 715.DERHb stands still. `freeze_timers`: reversion timers
    do not restart on a write.
    """

    silent: bool = False
    answer_delay_s: float = 0.0
    ignore_writes: bool = False
    exception_code: int | None = None
    exception_functions: frozenset[int] = ALL_FUNCTIONS
    garbage: bool = False
    drop_connection: bool = False
    freeze_heartbeat: bool = False
    freeze_timers: bool = False
