"""Steps that procedures share: from DeviceCapability to one's own EndDevice, programs, controls and DERs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from conformance_tests.case import Need
from conformance_tests.errors import Ended
from schemas import (
    DER,
    DefaultDERControl,
    DERControl,
    DERControlList,
    DERControlResponse,
    DERList,
    DERProgram,
    DERProgramList,
    DeviceCapability,
    EndDevice,
    EndDeviceList,
    FunctionSetAssignments,
    FunctionSetAssignmentsList,
    Registration,
    spec_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance_tests.evidence import Exchange
    from conformance_tests.server.bench import ServerBench, Viewer

T = TypeVar("T")

PIN: Final = 111115
WRITTEN: Final = frozenset({200, 201, 204})


def linked(bench: ServerBench, resource: object, link: str) -> str:
    """The href behind a link, which must be there."""
    found = getattr(resource, f"{link}_")
    href: str = found.href if found is not None else ""
    bench.trial.require(href, f"{type(resource).__name__} has a {link}", seen="none")
    return href


async def end_devices(bench: ServerBench, viewer: Viewer) -> Sequence[EndDevice]:
    """All EndDevices that an identity sees."""
    dcap = await viewer.read(bench.dcap, DeviceCapability)
    return await viewer.items(linked(bench, dcap, "EndDeviceListLink"), EndDeviceList, EndDevice)


async def end_device(bench: ServerBench, viewer: Viewer, lfdi: str | None = None) -> EndDevice:
    """The one EndDevice with an LFDI, that of the identity itself unless said."""
    wanted = lfdi or viewer.lfdi
    found = [one for one in await end_devices(bench, viewer) if (one.lFDI or "").upper() == wanted.upper()]
    bench.trial.require(
        len(found) == 1,
        f"the EndDeviceList of the {viewer.name} has exactly one EndDevice with the LFDI {wanted}",
        seen=len(found),
    )
    return found[0]


async def own(bench: ServerBench, *, ders: int = 1) -> EndDevice:
    """The device's own EndDevice; where an operator is at hand, it is registered first."""
    if Need.OPERATOR in bench.has:
        await bench.operator.ensure_device(bench.device.lfdi, pin=PIN, ders=ders)
    return await end_device(bench, bench.device)


async def check_pin(bench: ServerBench, viewer: Viewer, device: EndDevice) -> None:
    """The Registration of an EndDevice tells the PIN of the tests."""
    registration = await viewer.read(linked(bench, device, "RegistrationLink"), Registration)
    bench.trial.check(registration.pIN == PIN, f"Registration.pIN is {PIN}", seen=registration.pIN)


async def assignments(
    bench: ServerBench, viewer: Viewer, device: EndDevice
) -> Sequence[FunctionSetAssignments]:
    """The FunctionSetAssignments of an EndDevice in list order."""
    href = linked(bench, device, "FunctionSetAssignmentsListLink")
    return await viewer.items(href, FunctionSetAssignmentsList, FunctionSetAssignments)


async def programs(bench: ServerBench, viewer: Viewer, device: EndDevice) -> Sequence[DERProgram]:
    """The DERPrograms of all assignments of an EndDevice, each once."""
    found: dict[str, DERProgram] = {}
    for one in await assignments(bench, viewer, device):
        if one.DERProgramListLink_ is None:
            continue
        for program in await viewer.items(one.DERProgramListLink_.href, DERProgramList, DERProgram):
            found.setdefault(program.mRID, program)
    return list(found.values())


async def program_of(bench: ServerBench, viewer: Viewer, device: EndDevice, primacy: int) -> DERProgram:
    """The one program of a primacy."""
    found = [one for one in await programs(bench, viewer, device) if one.primacy == primacy]
    bench.trial.require(
        len(found) == 1, f"the device has one DERProgram of primacy {primacy}", seen=len(found)
    )
    return found[0]


async def controls(bench: ServerBench, viewer: Viewer, program: DERProgram) -> Sequence[DERControl]:
    """The DERControls of a program in list order."""
    href = linked(bench, program, "DERControlListLink")
    return await viewer.items(href, DERControlList, DERControl)


async def control_of(bench: ServerBench, viewer: Viewer, program: DERProgram, mrid: str) -> DERControl | None:
    """One control by its mRID, None where the list has it no more."""
    wanted = mrid.upper()
    return next((c for c in await controls(bench, viewer, program) if c.mRID.upper() == wanted), None)


async def present(bench: ServerBench, viewer: Viewer, program: DERProgram, mrid: str) -> DERControl:
    """One control by its mRID, which must be in the list."""
    found = await control_of(bench, viewer, program, mrid)
    bench.trial.require(found, f"the DERControlList has the control {mrid}", seen="it has not")
    if found is None:
        raise Ended(mrid)
    return found


async def active_mrids(bench: ServerBench, viewer: Viewer, program: DERProgram) -> Sequence[str]:
    """The mRIDs in the ActiveDERControlList of a program; none where the program has no such list."""
    if program.ActiveDERControlListLink_ is None:
        return []
    held = await viewer.items(program.ActiveDERControlListLink_.href, DERControlList, DERControl)
    return [one.mRID.upper() for one in held]


async def default_of(bench: ServerBench, viewer: Viewer, program: DERProgram) -> DefaultDERControl | None:
    """The default of a program, None where it has none."""
    if program.DefaultDERControlLink_ is None:
        return None
    exchange = await viewer.get(program.DefaultDERControlLink_.href)
    if exchange.status == 404:
        return None
    bench.trial.require(
        exchange.status == 200, "GET of a DefaultDERControl answers 200", seen=exchange.status
    )
    return viewer.decoded(exchange, DefaultDERControl)


async def ders(bench: ServerBench, viewer: Viewer, device: EndDevice) -> Sequence[DER]:
    """The DERs of an EndDevice, of which there is at least one."""
    found = await viewer.items(linked(bench, device, "DERListLink"), DERList, DER)
    bench.trial.require(found, "the DERList has a DER", seen=len(found))
    return found


async def put_and_read_back(
    bench: ServerBench, viewer: Viewer, href: str, resource: T, ignored: Sequence[str] = ()
) -> None:
    """PUT a resource and read back the same; `ignored` are fields that the server sets."""
    name = type(resource).__name__
    exchange = await viewer.put(href, resource)
    bench.trial.require(
        exchange.status in WRITTEN, f"PUT of {name} answers 204 (or 200, 201)", seen=exchange.status
    )
    held = await viewer.read(href, type(resource))
    skipped = {"href", "subscribable", "pollRate", *ignored}
    names = [f.attr for f in spec_of(type(resource)) if f.attr not in skipped]
    unlike = [
        f"{one}: put {getattr(resource, one)}, got {getattr(held, one)}"
        for one in names
        if getattr(resource, one) != getattr(held, one)
    ]
    bench.trial.check(not unlike, f"what is read of {name} is what was put", seen="; ".join(unlike)[:400])


async def created(bench: ServerBench, exchange: Exchange, what: str) -> str:
    """The Location of what a POST made; 201 and a Location are required."""
    bench.trial.require(exchange.status == 201, f"POST of {what} answers 201", seen=exchange.status)
    location = exchange.header("Location") or ""
    bench.trial.require(location, f"the 201 of {what} has a Location", seen="none")
    return location


async def respond(bench: ServerBench, viewer: Viewer, control: DERControl, lfdi: str, status: int) -> None:
    """POST a DERControlResponse to the replyTo of a control; it must be taken."""
    reply_to = control.replyTo or ""
    bench.trial.require(reply_to, "a control that asks for Responses has a replyTo", seen="none")
    answer = DERControlResponse(
        createdDateTime=await bench.now(), endDeviceLFDI=lfdi, status=status, subject=control.mRID
    )
    exchange = await viewer.post(reply_to, answer)
    what = f"a DERControlResponse with status {status}"
    bench.trial.check(exchange.status == 201, f"POST of {what} answers 201", seen=exchange.status)
    bench.trial.check(exchange.header("Location"), f"the 201 of {what} has a Location", seen="none")
