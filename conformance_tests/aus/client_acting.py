"""What the scripted server does in a procedure for a client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from conformance_tests.aus.client_words import (
    AddControl,
    AddInterval,
    AddProgram,
    AddRate,
    AddTariff,
    Advertise,
    CancelControls,
    CancelIntervals,
    DropAssignment,
    DropRate,
    Open,
    Rates,
    Reachable,
    Register,
    RegistrationLinks,
    ServeDcapAt,
    SetDefault,
)
from conformance_tests.client.faults import Fault
from conformance_tests.evidence import Exchange, kept

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance_tests.aus.client_scene import Scene
    from conformance_tests.aus.client_words import Act
    from conformance_tests.client.http import Answer, Request

ROUTES: Final = {
    "dcap": "DeviceCapability",
    "edev": "EndDeviceList",
    "fsa": "FunctionSetAssignmentsList",
    "der": "DERList",
    "derp": "DERProgramList",
    "mup": "MirrorUsagePointList",
    "tariffs": "TariffProfileList",
    "intervals": "TimeTariffIntervalList",
}
"""Resources whose pollRate is set, by the name of the rate."""


class Acting:
    """The acts of one run, on its scene."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.stage = scene.bench.stage

    def act(self, act: Act) -> None:
        """Do one act at once."""
        ACTS[type(act)](self, act)

    def order(self, act: Act) -> int:
        """Programs come before what is set or issued in them."""
        return 0 if isinstance(act, AddProgram) else 2 if isinstance(act, AddControl) else 1

    def rates(self, act: Rates) -> None:
        """Set pollRates and postRates."""
        for name, route in ROUTES.items():
            seconds: int | None = getattr(act, name)
            if seconds is not None:
                self.stage.set_rate(route, seconds)
        if act.mup is not None:
            self.stage.set_post_rate(act.mup)
        for device in self.scene.devices if act.device_post is not None else ():
            self.stage.change(device.href, postRate=act.device_post)

    def registration_links(self, act: RegistrationLinks) -> None:
        """Let EndDevices have no RegistrationLink."""
        self.scene.has_registration = act.shown

    def add_program(self, act: AddProgram) -> None:
        """Add a program."""
        self.scene.add_program(act)

    def set_default(self, act: SetDefault) -> None:
        """Change a default, or remove it."""
        program = self.scene.programs[(act.program or 1) - 1]
        if act.removed:
            self.scene.remove_default(program)
        else:
            self.scene.set_default(program, self.scene.modes_of(act.modes), act.ramp)

    def add_control(self, act: AddControl) -> None:
        """Publish a control."""
        self.scene.publish(act)

    def cancel_controls(self, _: CancelControls) -> None:
        """Cancel all controls."""
        self.scene.cancel_controls()

    def drop_assignment(self, act: DropAssignment) -> None:
        """Take an assignment away."""
        self.scene.drop_assignment(act.assignment)

    def reachable(self, act: Reachable) -> None:
        """Answer again, or answer everything with 500."""
        if act.up:
            self.scene.bench.lift()
        else:
            self.scene.bench.fault(Fault(status=500))

    def advertise(self, act: Advertise) -> None:
        """Name a version in the file of version discovery."""
        self.scene.adverts.append((act.version, [self.scene.decoy(one) for one in act.decoys]))

    def serve_dcap_at(self, act: ServeDcapAt) -> None:
        """Let the DeviceCapability be at a path that is named there."""
        self.scene.served.add(self.scene.decoy(act.decoy))

    def add_tariff(self, act: AddTariff) -> None:
        """Add a tariff."""
        self.scene.tariffs.add_tariff(act)

    def add_rate(self, act: AddRate) -> None:
        """Add a rate component."""
        self.scene.tariffs.add_rate(act)

    def add_interval(self, act: AddInterval) -> None:
        """Add an interval."""
        self.scene.tariffs.add_interval(act, self.scene.at(act.start))

    def cancel_intervals(self, act: CancelIntervals) -> None:
        """Cancel intervals."""
        self.scene.tariffs.cancel(act.tag)

    def drop_rate(self, act: DropRate) -> None:
        """Remove a rate component."""
        self.scene.tariffs.drop_rate(act.tag)

    def nothing(self, _: Act) -> None:
        """What is done when the stage is set."""

    def exchange(self, request: Request, answer: Answer) -> Exchange:
        """A request and its answer as they are kept."""
        return Exchange(
            at_s=self.scene.bench.trial.now(),
            by="client",
            method=request.method,
            uri=request.target,
            request_headers=request.headers,
            request_body=kept(request.body),
            status=answer.status,
        )


ACTS: Final[dict[type, Callable[..., None]]] = {
    Rates: Acting.rates,
    Register: Acting.nothing,
    Open: Acting.nothing,
    RegistrationLinks: Acting.registration_links,
    AddProgram: Acting.add_program,
    SetDefault: Acting.set_default,
    AddControl: Acting.add_control,
    CancelControls: Acting.cancel_controls,
    DropAssignment: Acting.drop_assignment,
    Reachable: Acting.reachable,
    AddTariff: Acting.add_tariff,
    AddRate: Acting.add_rate,
    AddInterval: Acting.add_interval,
    CancelIntervals: Acting.cancel_intervals,
    DropRate: Acting.drop_rate,
    Advertise: Acting.advertise,
    ServeDcapAt: Acting.serve_dcap_at,
}
