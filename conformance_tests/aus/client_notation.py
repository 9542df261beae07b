"""What many procedures for a client share: rates, programs, limits, and short forms of steps."""

from __future__ import annotations

from operator import itemgetter
from typing import Final

from conformance_tests.aus.client_words import (
    Act,
    AddControl,
    AddProgram,
    Asked,
    Check,
    Device,
    Elapsed,
    Finish,
    Modes,
    Part,
    Rates,
    Responded,
    SetDefault,
    Step,
    Stored,
)
from conformance_tests.aus.places import RESPONSES, Place
from conformance_tests.aus.values import (
    MAX_EXPORT_W,
    MAX_IMPORT_W,
    NOW,
    Amount,
    Bit,
    Moment,
    Reported,
    Wanted,
)

V12, BETA, V13 = "v1.2", "v1.3-beta/storage", "v1.3"
EVERY: Final = frozenset({V12, BETA, V13})
STORAGE: Final = frozenset({BETA, V13})
PRICING: Final = frozenset({V13})

RECEIVED, STARTED, COMPLETED, CANCELLED, SUPERSEDED = 1, 2, 3, 6, 7
"""Statuses of a Response. IEEE 2030.5-2018, 10.2.3.3."""

CONNECTED, AVAILABLE, OPERATING = 0, 1, 2
"""Bits of genConnectStatus. IEEE 2030.5-2018, B.2.5.7."""

FINISH: Final = (Finish(),)
REPORTED: Final = (Device(), Stored(Part.SETTINGS))
HALF_POWER: Final = "Let the DER generate or consume at least half of its rated active power."


def get(place: Place) -> Asked:
    """The client reads a place; what the step does shapes the answer already."""
    return Asked("GET", place)


def put(place: Place) -> Asked:
    """The client PUTs to a place."""
    return Asked("PUT", place)


def post(place: Place) -> Asked:
    """The client POSTs to a place."""
    return Asked("POST", place)


def answered(event: Asked) -> Asked:
    """The same once the request was served."""
    return Asked(event.method, event.place, answered=True)


def rates(seconds: int, **others: int) -> Rates:
    """All pollRates and the postRate, s, but for those that are named."""
    shared = dict.fromkeys(("dcap", "edev", "fsa", "der", "derp", "mup"), seconds)
    return Rates(**{**shared, **others})


RATES60: Final = rates(60)


def modes(**values: Amount | bool) -> Modes:
    """Modes of a control by their names."""
    return _in_order(tuple(values.items()))


def _share(of: Reported, times: float) -> Amount:
    return of * times if times else 0


def exports(times: float) -> Modes:
    """An export limit at that multiple of what the client can export."""
    return modes(opModExpLimW=_share(MAX_EXPORT_W, times))


def imports(times: float) -> Modes:
    """An import limit at that multiple of what the client can import."""
    return modes(opModImpLimW=_share(MAX_IMPORT_W, times))


def generates(times: float) -> Modes:
    """A generation limit at that multiple of what the client can export."""
    return modes(opModGenLimW=_share(MAX_EXPORT_W, times))


def loads(times: float) -> Modes:
    """A load limit at that multiple of what the client can import."""
    return modes(opModLoadLimW=_share(MAX_IMPORT_W, times))


def both(times: float) -> Modes:
    """Export and import limits at that multiple of what the client can do."""
    return exports(times) + imports(times)


def default_of(limits: Modes, ramp: int | None = None, program: int | None = None) -> SetDefault:
    """A default with these limits and setGradW in hundredths of %/s."""
    return SetDefault(modes=_in_order(limits), ramp=ramp, program=program)


def control(duration_s: int, wanted: Modes, tag: str = "", start: Moment = NOW) -> AddControl:
    """A control of so many seconds, from now on unless it says."""
    return AddControl(start=start, duration_s=duration_s, modes=_in_order(wanted), tag=tag)


def _in_order(wanted: Modes) -> Modes:
    return tuple(sorted(wanted, key=itemgetter(0)))


PROGRAM: Final = AddProgram(0)
NOTHING: Final = default_of(both(0), 27)
BASE: Final = (PROGRAM, NOTHING)
"""One program whose default allows neither export nor import; its ramp rate is the default of TS 5573."""


def with_default(ramp: int, limits: Modes | None = None) -> tuple[Act, ...]:
    """The usual rates, and one program whose default has these limits (none allowed) and this ramp."""
    return (RATES60, PROGRAM, default_of(both(0) if limits is None else limits, ramp))


def wait(name: str, seconds: int, *opens: str, acts: tuple[Act, ...] = (), tell: str = "") -> Step:
    """A step that comes after a time."""
    return Step(name, Elapsed(seconds), acts, opens, tell=tell)


def last_wait(name: str, seconds: int, tell: str = "") -> Step:
    """A step that ends the run after a time."""
    return Step(name, Elapsed(seconds), FINISH, tell=tell)


def on(name: str, event: Asked, *opens: str, acts: tuple[Act, ...] = (), tell: str = "") -> Step:
    """A step that comes with a request."""
    return Step(name, event, acts, opens, tell=tell)


def stored(
    name: str, place: Place, check: Check, *opens: str, acts: tuple[Act, ...] = (), tell: str = ""
) -> Step:
    """A step that comes once the client has PUT something that is as it must be."""
    return Step(name, answered(put(place)), acts, opens, when=check, tell=tell)


def responded(
    name: str, status: int, tag: str, *opens: str, acts: tuple[Act, ...] = (), latest: bool = True
) -> Step:
    """A step that comes with a Response to a control."""
    check = Responded(status, tag, latest=latest)
    return Step(name, answered(post(RESPONSES)), acts, opens, when=check)


def status(*facts: tuple[str, Wanted]) -> Stored:
    """DERStatus with these elements."""
    return Stored(Part.STATUS, facts)


def connect_bit(number: int, is_set: bool) -> Stored:
    """DERStatus with one bit of genConnectStatus so."""
    return Stored(Part.STATUS, (("genConnectStatus", Bit(number, is_set)),))


def settings(**facts: Amount) -> Stored:
    """DERSettings with these elements."""
    return Stored(Part.SETTINGS, tuple(facts.items()))
