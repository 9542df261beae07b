"""What an event of OpenADR is to a device that walks its links on the IEEE 2030.5 side."""

from typing import Any, TypeVar

from openadr_ven.events import EventStatus
from schemas import (
    Codec,
    DERControlList,
    DERProgramList,
    DeviceCapability,
    EndDeviceList,
    FunctionSetAssignmentsList,
    ListLink,
    Resource,
)
from schemas.codes import EventState
from sep2_server.messages import Request
from tests.integration.openadr.conftest import Utility, Ven
from tests.unit.openadr_ven.house import HOUR, T0, dispatch, event

LFDI = "3E4F45AB31EDFE5B67E343E5E4562E31984E23E5"
R = TypeVar("R", bound=Resource)


async def got(utility: Utility, ven: Ven, href: str, cls: type[R]) -> R:
    """What a device gets at an href, ten items of a list."""
    assert utility.server is not None
    answer = await utility.server.answering.respond(
        Request(
            method="GET",
            path=href,
            query="l=10",
            lfdi=LFDI,
            body=b"",
            content_type="application/sep+xml",
            accept="application/sep+xml",
            now=ven.clock.now(),
        )
    )
    assert answer.status == 200, href
    return Codec().decode(answer.body, cls)


def href_of(link: ListLink | None) -> str:
    assert link is not None
    return str(link.href)


async def seen(utility: Utility, ven: Ven) -> list[tuple[int, int, int]]:
    """Primacy of the program, set point and state of each control, by the links from the beginning."""
    root = await got(utility, ven, "/dcap", DeviceCapability)
    devices = await got(utility, ven, href_of(root.EndDeviceListLink_), EndDeviceList)
    (mine,) = devices.EndDevice_
    sets = await got(utility, ven, href_of(mine.FunctionSetAssignmentsListLink_), FunctionSetAssignmentsList)
    found: list[tuple[int, int, int]] = []
    for one in sets.FunctionSetAssignments_:
        programs = await got(utility, ven, href_of(one.DERProgramListLink_), DERProgramList)
        for program in programs.DERProgram_:
            controls = await got(utility, ven, href_of(program.DERControlListLink_), DERControlList)
            for control in controls.DERControl_:
                target: Any = control.DERControlBase_.opModTargetW
                found.append((program.primacy, target.value, control.EventStatus_.currentStatus))
    return found


async def test_a_device_finds_the_control_and_its_cancellation(ven: Ven, utility: Utility) -> None:
    await ven.post("/devices", {"name": "battery-1", "lFDI": LFDI, "pIN": 111_115, "groups": ["g-battery"]})
    await ven.hears(event(dispatch(3000)))
    assert await seen(utility, ven) == [(5, -3000, EventState.SCHEDULED)]
    ven.clock.set(T0 + HOUR // 2)
    assert await seen(utility, ven) == [(5, -3000, EventState.ACTIVE)]
    await ven.hears(event(dispatch(3000), modification=1, eventStatus=EventStatus.CANCELLED))
    assert await seen(utility, ven) == [(5, -3000, EventState.CANCELLED)]
