"""LogEvents of a device: each fault and alarm raised, and its return to normal. Pure."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final

from der_client.device_view import DeviceView
from der_client.report_status import alarm_bits
from schemas import LogEvent, codes

GENERAL, DER = 0, 11
"""LogEvent.functionSet: general, distributed energy resources."""
SOFTWARE: Final = 1
"""LE_GEN_SOFTWARE: what has no code of its own."""
PEN: Final = 40732
PROFILE: Final = 2
MOST_DETAIL: Final = 32
TOLD_OTHERWISE: Final = frozenset({15, 20, 29})
"""Interlocks whose cause is an incident of its own: a silent device, a control not held, local control."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """Something that is not as it should be; `raised` and `cleared` are its logEventCodes."""

    function_set: int
    raised: int
    cleared: int
    text: str


def incidents_of(view: DeviceView) -> dict[str, Incident]:
    """What is not as it should be with a device, by a name that stays the same while it lasts.

    Alarm bits have DER codes: twice the bit, plus one for the return to normal; all else is general.
    """
    found = {f"alarm {bit}": _alarm(bit) for bit in alarm_bits(view)}
    for reason in view.reasons:
        if reason.alarm_bit is None and reason.interlock not in TOLD_OTHERWISE:
            found[f"interlock {reason.interlock} {reason.name}"] = _general(reason.name)
    for name in view.failed:
        found[f"failed {name}"] = _general(f"{name} not held")
    if view.silent is not None:
        found["silent"] = _general("device does not answer")
    if view.is_local:
        found["local"] = _general("device under local control")
    return found


def incidents_text(incidents: Mapping[str, Incident]) -> str:
    """Incidents as a text that survives a restart."""
    return json.dumps({name: asdict(one) for name, one in incidents.items()})


def incidents_from(text: str | None) -> dict[str, Incident]:
    """Incidents of a text that `incidents_text` made; none for no text."""
    return {name: Incident(**one) for name, one in json.loads(text or "{}").items()}


def log_events(
    before: Mapping[str, Incident], after: Mapping[str, Incident], now: int, first_id: int
) -> list[LogEvent]:
    """The LogEvents that the change from `before` to `after` makes, at `now`, server time, s.

    Their identifiers count on from `first_id`, 16 bits.
    """
    raised = [(one, one.raised, "") for name, one in sorted(after.items()) if name not in before]
    cleared = [(one, one.cleared, "ok: ") for name, one in sorted(before.items()) if name not in after]
    return [
        LogEvent(
            createdDateTime=now,
            details=f"{prefix}{one.text}"[:MOST_DETAIL],
            functionSet=one.function_set,
            logEventCode=code,
            logEventID=(first_id + offset) & 0xFFFF,
            logEventPEN=PEN,
            profileID=PROFILE,
        )
        for offset, (one, code, prefix) in enumerate((*cleared, *raised))
    ]


def _alarm(bit: int) -> Incident:
    known = {int(alarm): alarm.name.lower().replace("_", " ") for alarm in codes.AlarmStatus}
    text = known.get(bit, f"alarm {bit}")
    return Incident(function_set=DER, raised=2 * bit, cleared=2 * bit + 1, text=text)


def _general(text: str) -> Incident:
    return Incident(function_set=GENERAL, raised=SOFTWARE, cleared=SOFTWARE, text=text)
