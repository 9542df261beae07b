"""Faults that can be switched on in a simulated device while it runs."""

from dataclasses import dataclass, field

ALL_FUNCTIONS = frozenset({3, 6, 16})


@dataclass(slots=True, kw_only=True)
class FaultSwitches:
    """What the device does wrong now; all off at first.

    `silent`: takes requests, answers none. `answer_delay_s`: answers late. `ignore_writes`: acknowledges
    writes and keeps its registers. `exception_code`: answers requests of `exception_functions` with it (4
    device failure, 6 busy). `garbage`: answers with octets that are no Modbus. `drop_connection`: closes the
    connection on each request. `freeze_heartbeat`: 715.DERHb stands still. `freeze_timers`: reversion timers
    do not restart on a write. `adoption_stuck`: a curve is never adopted, the result stays 0;
    `adoption_fails`: it is refused. `alarm_bits` stand in 701.Alrm, or in Evt1 of the legacy models, beside
    those of the grid. `deaf`: takes writes and shows them, and obeys none. `all_zero`: measurements read 0
    and the state fault. `scale_shift`: scale factors (`701.W_SF`) that read so much more than they are.
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
    adoption_stuck: bool = False
    adoption_fails: bool = False
    alarm_bits: int = 0
    deaf: bool = False
    all_zero: bool = False
    scale_shift: dict[str, int] = field(default_factory=dict)
