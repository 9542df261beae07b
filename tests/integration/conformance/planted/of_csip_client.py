"""DER clients with one fault each that a CSIP procedure catches."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from typing import Final

from der_client.device import PowerFactorSetpoint
from der_client.list_pages import ListPages
from der_client.member import Member
from der_client.poller import Poller
from function_sets import Draw
from schemas import DERControl
from tests.integration.conformance.planted.doings import (
    accepting_html,
    drives,
    first_for_ever,
    holding,
    losing,
    reading,
    reading_later,
    sending,
    sending_later,
    speaks,
    staying,
    twice,
)
from tests.integration.conformance.planted.row import Kind, Plant, Planted, instead


def row(
    kind: Kind, name: str, broken: str, clause: str, told: str, plant: Plant, *, is_long: bool = False
) -> Planted:
    """One fault that one procedure catches."""
    ids = (f"csip/{clause}/client",)
    return Planted(name=name, kind=kind, broken=broken, cases=ids, told=told, plant=plant, is_long=is_long)


def draws(duration_s: Callable[[int], int]) -> Plant:
    """The client draws durations of its own, of randomizeDuration."""

    def draw(_: Member, control: DERControl) -> Draw:
        return Draw(duration_s=duration_s(control.randomizeDuration or 0))

    return lambda _: instead(Member, "_draw", lambda _: draw)


def leaving_one_out(_: object) -> AbstractContextManager[None]:
    """Lists are read from their second item on."""
    return instead(ListPages, "next_query", _from_the_second)


def _from_the_second(next_query: Callable[[object], str | None]) -> Callable[[object], str | None]:
    def query(pages: object) -> str | None:
        asked = next_query(pages)
        return None if asked is None else asked.replace("s=0&", "s=1&")

    return query


def trusting_pins(_: object) -> AbstractContextManager[None]:
    """The client does not compare its PIN."""
    return instead(Poller, "_compare_pin", lambda _: lambda *_: None)


def exchanged(found: re.Match[bytes]) -> bytes:
    """Response 1 is sent as 2, and 2 as 1."""
    other = {b"1": b"2", b"2": b"1"}[found[2]]
    return found[1] + other


UNITY: Final = PowerFactorSetpoint(power_factor=1.0, absorbing=False)
response = partial(row, Kind.RESPONSE)
value = partial(row, Kind.VALUE)
STATUS: Final = rb"(Response.*?<status>)"
RESPONSES: Final = (
    response(
        "received-lost",
        "Response 1 is never sent",
        "BASIC-017",
        "answers control c1",
        losing(rb"Response.*<status>1<"),
    ),
    response(
        "started-lost",
        "Response 2 is never sent",
        "BASIC-017",
        "answers control c1",
        losing(rb"Response.*<status>2<"),
    ),
    response(
        "completed-lost",
        "Response 3 is never sent",
        "BASIC-018",
        "answers control c1",
        losing(rb"Response.*<status>3<"),
    ),
    response(
        "cancelled-lost",
        "Response 6 is never sent",
        "CORE-022",
        "answers c1",
        losing(rb"Response.*<status>6<"),
    ),
    response(
        "superseded-lost",
        "Response 7 is never sent",
        "BASIC-021",
        "answers control c1",
        losing(rb"Response.*<status>7<"),
    ),
    row(
        Kind.CODE,
        "completed-as-8",
        "Response 3 is sent as 8",
        "BASIC-017",
        "answers control c1",
        sending(STATUS + rb"3<", rb"\g<1>8<"),
    ),
    row(
        Kind.CODE,
        "superseded-as-cancelled",
        "Response 7 is sent as 6",
        "BASIC-021",
        "answers control c1",
        sending(STATUS + rb"7<", rb"\g<1>6<"),
    ),
    row(
        Kind.CODE,
        "response-twice",
        "Response 2 is posted twice",
        "BASIC-017",
        "each once",
        twice(rb"Response.*<status>2<"),
    ),
    row(
        Kind.ORDER,
        "started-before-received",
        "Response 2 comes where 1 is due, and 1 where 2 is",
        "BASIC-017",
        "in this order",
        sending(STATUS + rb"([12])", exchanged),
    ),
    row(
        Kind.ORDER,
        "better-program-loses",
        "of two programs the one of the larger primacy is followed",
        "BASIC-021",
        "answers control c",
        reading(rb"(<primacy>)(\d+)", lambda found: b"%b%d" % (found[1], 100 - int(found[2]))),
    ),
    value(
        "subject-of-none",
        "Responses are to an event that is none",
        "BASIC-017",
        "answers control c1",
        sending(rb"<subject>\w+<", b"<subject>" + 31 * b"0" + b"1<"),
    ),
    row(
        Kind.STALE,
        "response-by-own-clock",
        "createdDateTime of Responses is an hour behind the server's clock",
        "BASIC-017",
        "createdDateTime of Response",
        sending_later(b"createdDateTime", -3600),
    ),
)
TIMES: Final = (
    row(
        Kind.EARLY,
        "clock-ahead",
        "the client takes the server's clock to be a minute ahead, and starts early",
        "BASIC-017",
        "Response 2 to control c1 comes",
        reading_later(b"currentTime", 60),
    ),
    row(
        Kind.EARLY,
        "starts-early",
        "controls are run thirty seconds before their start",
        "BASIC-018",
        "Response 2 to control c1 comes",
        reading_later(b"start", -30),
    ),
    row(
        Kind.DEAF,
        "starts-late",
        "controls are run thirty seconds after their start",
        "BASIC-017",
        "Response 2 to control c1 comes",
        reading_later(b"start", 30),
    ),
    row(
        Kind.EARLY,
        "ends-early",
        "controls end half a minute before their time",
        "BASIC-017",
        "Response 3 to control c1 comes",
        reading(rb"(<interval>\s*<duration>)60<", rb"\g<1>30<"),
    ),
    row(
        Kind.RANDOM,
        "beyond-its-bounds",
        "durations are drawn of three times randomizeDuration",
        "CORE-021",
        "c2 runs",
        draws(lambda bound_s: 3 * bound_s),
    ),
    row(
        Kind.RANDOM,
        "randomised-upwards-only",
        "a randomizeDuration below zero makes events longer",
        "CORE-021",
        "c3",
        draws(abs),
        is_long=True,
    ),
    row(
        Kind.PACE,
        "polls-too-often",
        "pollRate is taken for two seconds",
        "CORE-003",
        "is polled at most every",
        reading(rb'pollRate="\d+"', b'pollRate="2"'),
    ),
    row(
        Kind.PACE,
        "readings-too-often",
        "readings are posted twice",
        "BASIC-029",
        "the postRate",
        twice(rb"^.{,60}<MirrorMeterReading"),
    ),
)
DEVICE: Final = (
    row(
        Kind.DEAF,
        "limit-ignored",
        "a device says that it holds a limit, and does not",
        "BASIC-010",
        "holds opModMaxLimW 60",
        drives(max_w_pct=50.0),
    ),
    row(
        Kind.STALE,
        "limit-for-ever",
        "a device keeps to its first limit after all others",
        "BASIC-010",
        "holds opModMaxLimW",
        holding(first_for_ever),
    ),
    row(
        Kind.DEAF,
        "never-ceases",
        "a device goes on energizing",
        "BASIC-009",
        "holds opModEnergize",
        drives(energize=True),
    ),
    row(
        Kind.DEAF,
        "no-power-factor",
        "a device has a power factor of one whatever it is told",
        "BASIC-008",
        "holds opModFixedPFInjectW",
        holding(lambda _, setpoint: replace(setpoint, pf_inject=UNITY)),
    ),
    row(
        Kind.DEAF,
        "no-ramps",
        "a device ramps at a rate of its own",
        "BASIC-007",
        "ramps by setGradW",
        drives(grad_w_pct_per_s=17.0),
    ),
    row(
        Kind.DEAF,
        "no-curves",
        "a device runs no volt-var curve",
        "BASIC-006",
        "holds opModVoltVar",
        drives(curves=()),
    ),
    value(
        "default-misread",
        "the default power factor is read as another",
        "BASIC-008",
        "by default",
        reading(rb"(<displacement>)950<", rb"\g<1>930<"),
    ),
)
REPORTS: Final = (
    row(
        Kind.MISSING,
        "no-status",
        "DERStatus is never put",
        "CORE-009",
        "puts the DERStatus",
        losing(rb"^.{,60}<DERStatus"),
    ),
    value(
        "setting-above-rating",
        "setMaxW is larger than rtgMaxW",
        "CORE-014",
        "setMaxW <= rtgMaxW",
        sending(rb"(<setMaxW>.*?<value>)\d+", rb"\g<1>30000"),
    ),
    row(
        Kind.MISSING,
        "no-inverter-status",
        "DERStatus has no inverterStatus",
        "BASIC-028",
        "has inverterStatus",
        sending(rb"<inverterStatus>.*?</inverterStatus>", b""),
    ),
    row(
        Kind.FORM,
        "status-unordered",
        "readingTime of DERStatus does not stand where the schema has it",
        "BASIC-028",
        "is valid and taken",
        sending(
            rb"(<genConnectStatus>.*?</genConnectStatus>)(.*)(<readingTime>.*?</readingTime>)", rb"\3\1\2"
        ),
    ),
    row(
        Kind.STALE,
        "status-of-yesterday",
        "readingTime of DERStatus is a day old",
        "CORE-005",
        "the time in a DERStatus",
        sending_later(b"readingTime", -86_400),
    ),
    row(
        Kind.MISSING,
        "alarms-unreported",
        "LogEvents are never posted",
        "BASIC-027",
        "LogEvents are posted",
        losing(rb"^.{,60}<LogEvent"),
        is_long=True,
    ),
    value(
        "watts-as-volt-amperes",
        "active power is mirrored with the unit of apparent power",
        "BASIC-029",
        "active power",
        sending(rb"<uom>38<", b"<uom>61<"),
    ),
    row(
        Kind.PAGING,
        "from-the-second-item",
        "lists are read from their second item on",
        "CORE-010",
        "are read",
        leaving_one_out,
    ),
    row(
        Kind.MISSING,
        "registration-unread",
        "the Registration of the EndDevice is never read",
        "CORE-003",
        "reads the Registration",
        reading(rb"<RegistrationLink [^>]*/>", b""),
    ),
)
ADDRESSES: Final = (
    row(
        Kind.DEAF,
        "redirects-ignored",
        "a redirect is an error",
        "ERR-001",
        "follows a 302",
        speaks(staying),
    ),
    row(
        Kind.FORM,
        "asks-for-html",
        "resources are asked for as HTML",
        "COMM-002",
        "takes application/sep+xml",
        speaks(accepting_html),
    ),
    Planted(
        name="pin-not-compared",
        kind=Kind.SECURITY,
        broken="a client goes on with a Registration of another PIN",
        cases=("csip/CORE-009/client",),
        told="whose PIN is not the one",
        plant=trusting_pins,
        warns=True,
    ),
)
FAULTS: Final = (*RESPONSES, *TIMES, *DEVICE, *REPORTS, *ADDRESSES)
