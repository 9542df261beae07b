"""What operators set while the server runs, in the place of its settings; options of the store."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from sep2_server.environment import Environment
from sep2_server.reader import Reader

RATE_OPTION: Final = "poll_rate."
"""Prefix of the options that set a pollRate, by the id of the resource."""
POST_RATE_OPTION: Final = "post_rate."
"""Prefix of the options that set the postRate of what is new, by the id of the resource."""
IN_BAND: Final = "in_band_registration"
TIME_QUALITY: Final = "time_quality"
TIME_OFFSET: Final = "time_offset_s"
OUTAGE: Final = "outage"
SET_AT_RUN_TIME: Final = (IN_BAND, TIME_QUALITY, TIME_OFFSET, OUTAGE)
POSTED: Final = ("EndDevice", "MirrorUsagePoint")
"""Resources that carry a postRate."""
YES, NO = "true", "false"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTime:
    """What holds now. `time_offset_s` and `is_out` are for test benches: another time, no answer but 500."""

    in_band_registration: bool
    time_quality: int
    time_offset_s: int = 0
    is_out: bool = False
    poll_rates: Mapping[str, int] = field(default_factory=dict)


def run_time_of(options: Mapping[str, str], environment: Environment) -> RunTime:
    """What options and settings say; what a test bench set counts only while `test_bench` is set."""
    given = dict(options) if environment.settings.test_bench else _without_bench(options)
    return RunTime(
        in_band_registration=_truth(given.get(IN_BAND), environment.rules.in_band_registration),
        time_quality=int(given.get(TIME_QUALITY, environment.settings.time_quality)),
        time_offset_s=int(given.get(TIME_OFFSET, 0)),
        is_out=_truth(given.get(OUTAGE), False),
        poll_rates={
            name.removeprefix(RATE_OPTION): int(value)
            for name, value in given.items()
            if name.startswith(RATE_OPTION)
        },
    )


def has_in_band_registration(reader: Reader, environment: Environment) -> bool:
    """Whether clients may register themselves now."""
    return _truth(reader.option(IN_BAND), environment.rules.in_band_registration)


def post_rate_of(reader: Reader, environment: Environment, kind: str) -> int:
    """The postRate of a new resource of a kind, s."""
    held = reader.option(f"{POST_RATE_OPTION}{kind}")
    return environment.rules.post_rate_s if held is None else int(held)


def _truth(text: str | None, otherwise: bool) -> bool:
    return otherwise if text is None else text == YES


def _without_bench(options: Mapping[str, str]) -> dict[str, str]:
    bench = {TIME_QUALITY, TIME_OFFSET, OUTAGE}
    return {name: value for name, value in options.items() if name not in bench}
