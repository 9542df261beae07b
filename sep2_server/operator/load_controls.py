"""Operations on load control: EndDeviceControls of a group. IEEE 2030.5-2018, 10.3."""

from collections.abc import Mapping
from typing import Final

from schemas import codes
from sep2_server.operator.desk import Desk
from sep2_server.operator.errors import BadRequest
from sep2_server.operator.happenings import group_events, program_for, publish, times_of, without_none
from sep2_server.operator.requests_events import PublishLoadControl
from sep2_server.operator.router import Answer, Call
from sep2_server.operator.shape import read
from sep2_server.operator.times import duration_s

PROGRAM: Final = "DemandResponseProgram"
CONTROLS: Final = "EndDeviceControlList"
CATEGORIES: Final[Mapping[str, int]] = {
    code.name.lower(): 1 << int(code) for code in codes.DeviceCategoryType
}
"""Bits of deviceCategory by name. IEEE 2030.5-2018, 10.3."""
_HEX_DIGITS: Final = 8


def publish_control(desk: Desk, call: Call) -> Answer:
    """Publish an EndDeviceControl to a group; its program is made where the group has none."""
    asked, group = read(PublishLoadControl, call.body), desk.group(call.names["group"])
    override = None if asked.override is None else duration_s(asked.override, "overrideDuration")
    body = without_none(
        {
            **times_of(asked),
            "deviceCategory": category_of(asked.categories),
            "drProgramMandatory": asked.is_mandatory,
            "loadShiftForward": asked.shifts_forward,
            "DutyCycle": asked.duty_cycle,
            "Offset": asked.offset,
            "SetPoint": asked.set_point,
            "TargetReduction": asked.target,
            "ApplianceLoadReduction": asked.appliance,
            "overrideDuration": override,
        }
    )
    program = program_for(desk, group, PROGRAM, call.query.get("program"), primacy=asked.primacy)
    return {"group": group.name, "program": program.mrid, **publish(desk, program, CONTROLS, body)}


def list_controls(desk: Desk, call: Call) -> Answer:
    """The EndDeviceControls of a group in the order of their lists, with their status now."""
    return group_events(desk, call, PROGRAM, CONTROLS)


def category_of(text: str) -> str:
    """A deviceCategory from hex, or from names of categories. BadRequest for a name that is none."""
    if all(digit in "0123456789abcdefABCDEF" for digit in text):
        return _hex(text)
    bits = 0
    for name in text.replace("-", "_").lower().split(","):
        if name.strip() not in CATEGORIES:
            raise BadRequest(
                f"deviceCategory: {name.strip()[:60]!r} is no category",
                f"allowed: hex, or names separated by commas: {', '.join(CATEGORIES)}",
            )
        bits |= CATEGORIES[name.strip()]
    return f"{bits:0{_HEX_DIGITS}X}"


def _hex(text: str) -> str:
    if len(text) > _HEX_DIGITS:
        raise BadRequest(f"deviceCategory: {text[:40]!r} is too long", f"allowed: {_HEX_DIGITS} hex digits")
    return text.upper().rjust(_HEX_DIGITS, "0")
