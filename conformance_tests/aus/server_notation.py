"""What many procedures for a server share: clients, discoveries, controls and short forms of steps."""

from __future__ import annotations

from operator import itemgetter
from typing import Final

from conformance_tests.aus.server_deeds import Deed, Discover, Found
from conformance_tests.aus.server_words import (
    Between,
    Controls,
    Defaults,
    Duty,
    EnsureAssignment,
    EnsureControlList,
    EnsureDevice,
    EnsureProgram,
    Modes,
    OwnDevice,
    Player,
    Publish,
    PublishDefault,
    ServerStep,
    Test,
)
from conformance_tests.aus.values import SET_MAX_W, Amount

ONE_CLIENT: Final = (("client", Player.ANY),)
ONE_DEVICE: Final = (("client", Player.DEVICE),)
ONE_AGGREGATOR: Final = (("client", Player.AGGREGATOR),)
A, B = "CLIENT-A", "CLIENT-B"
TWO_CLIENTS: Final = ((A, Player.ANY), (B, Player.ANY))
TWO_DEVICES: Final = ((A, Player.DEVICE), (B, Player.DEVICE))

SCHEDULED, ACTIVE, CANCELLED, SUPERSEDED = 0, 1, 2, 4
"""EventStatus.currentStatus. IEEE 2030.5-2018, B.2.3.3."""

OWN: Final = OwnDevice()
REGISTERED: Final = EnsureDevice()
WITH_DER: Final = EnsureDevice(der=True)
ONE: Final = Between(1, 1)
SOME: Final = Between(1)
NONE_LEFT: Final = Between(at_most=0)
PROGRAMMED: Final = (REGISTERED, EnsureAssignment("fsa1"), EnsureProgram("fsa1"), EnsureControlList(True))


def modes(**values: Amount | bool) -> Modes:
    """Modes of a control by their names."""
    return tuple(sorted(values.items(), key=itemgetter(0)))


def export(times: float) -> Modes:
    """An export limit at that multiple of setMaxW."""
    return modes(opModExpLimW=SET_MAX_W * times)


COMBINED_LIMITS: Final = modes(
    opModExpLimW=SET_MAX_W * 0.5, opModGenLimW=0, opModImpLimW=SET_MAX_W * 0.5, opModLoadLimW=0
)
COMBINED: Final = modes(**dict(COMBINED_LIMITS), opModEnergize=False, opModConnect=False)
NO_EXCHANGE: Final = modes(opModExpLimW=0, opModImpLimW=0)


def find(
    name: str,
    *resources: Found,
    checks: tuple[Test, ...] = (),
    duties: tuple[Duty, ...] = (),
    until: bool = True,
    tell: str = "",
) -> ServerStep:
    """The client discovers until it has found what must be there."""
    return ServerStep(name, Discover(resources), checks, duties, until=until, tell=tell)


def do(
    name: str, deed: Deed, *checks: Test, duties: tuple[Duty, ...] = (), until: bool = False
) -> ServerStep:
    """The client does one thing."""
    return ServerStep(name, deed, checks, duties, until=until)


def there(*resources: Found, duties: tuple[Duty, ...] = (REGISTERED,), tell: str = "") -> ServerStep:
    """The usual beginning: the client finds its EndDevice and what else is needed."""
    return find("precondition", *resources, checks=(OWN,), duties=duties, tell=tell)


def active(wanted: Modes, ramp: int | None = None) -> Publish:
    """A control that is active at once."""
    return Publish(active=True, modes=wanted, ramp=ramp)


def allowed(wanted: Modes = (), ramp: int | None = None) -> PublishDefault:
    """A default with these values."""
    return PublishDefault(modes=wanted, ramp=ramp)


def controls(
    wanted: Modes, number: Between = ONE, status: int | None = None, subscription: str = ""
) -> Controls:
    """So many controls of these modes."""
    return Controls(number=number, modes=wanted, status=status, subscription=subscription)


def defaults(wanted: Modes, number: Between = SOME, subscription: str = "") -> Defaults:
    """So many defaults of these modes."""
    return Defaults(number=number, modes=wanted, subscription=subscription)
