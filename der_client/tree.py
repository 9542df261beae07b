"""What a server offers to a certificate, as lines of a tree. Pure."""

from collections.abc import Iterator

from der_client.view import ServerView
from der_client.wording import mode_text
from function_sets import Program
from schemas import DERControl, DERControlBase, codes, spec_of


def tree_of(view: ServerView) -> Iterator[str]:
    """The server's part of this client, one line for each thing a person would ask about."""
    device = view.end_device
    if device is None:
        yield "no EndDevice for this certificate: it is not registered here"
        return
    yield f"EndDevice {device.href} SFDI {device.sFDI}"
    yield f"  Registration {'found' if view.registration else 'not offered'}"
    yield f"  Time {view.time_href}"
    for assignment in view.assignments:
        yield f"  FunctionSetAssignments {assignment.href} {assignment.description or ''}".rstrip()
    for program in sorted(view.programs, key=lambda one: one.primacy):
        yield from _program_lines(program)
    for der in view.ders:
        links = (der.DERCapabilityLink_, der.DERSettingsLink_, der.DERStatusLink_, der.DERAvailabilityLink_)
        yield f"  DER {der.href}: {', '.join(link.href for link in links if link) or 'no links'}"
    yield f"  LogEventList {view.log_event_href or 'not offered'}"
    yield f"  MirrorUsagePointList {view.mirror_href or 'not offered'}"
    yield from (f"  polled every {want.poll_s} s: {want.href}" for want in view.wants.values())


def _program_lines(program: Program) -> Iterator[str]:
    yield f"  DERProgram {program.href} primacy {program.primacy}"
    if program.default is not None:
        yield f"    default: {_base_text(program.default.DERControlBase_)}"
    yield from (f"    {_control_text(control)}" for control in program.controls)


def _control_text(control: DERControl) -> str:
    interval, status = control.interval, control.EventStatus_.currentStatus
    known = {int(state): state.name.lower().replace("_", " ") for state in codes.EventState}
    return (
        f"DERControl {control.mRID} {known.get(status, status)} from {interval.start} for "
        f"{interval.duration} s: {_base_text(control.DERControlBase_)}"
    )


def _base_text(base: DERControlBase) -> str:
    cls: type = type(base)
    values = ((f.name, getattr(base, f.attr)) for f in spec_of(cls))
    return ", ".join(mode_text(name, value) for name, value in values if value is not None) or "no mode"
