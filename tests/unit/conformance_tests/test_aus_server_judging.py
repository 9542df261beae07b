"""Each check of the procedures for servers holds where it must, and sees what was planted."""

from dataclasses import replace

import pytest

from conformance_tests.aus.server_client import Client, Seen, Subscribed
from conformance_tests.aus.server_deeds import Found, Location, Reading
from conformance_tests.aus.server_judging import Agreed, judge
from conformance_tests.aus.server_words import (
    Answered,
    Assignments,
    Between,
    Controls,
    Defaults,
    DeviceLists,
    Discovered,
    InTime,
    Mirrors,
    OwnDevice,
    PollRate,
    Programs,
    Test,
)
from conformance_tests.aus.values import SET_MAX_W
from schemas import (
    ActivePower,
    DateTimeInterval,
    DERControl,
    DERProgram,
    EndDeviceList,
    EventStatus,
    FunctionSetAssignments,
    MirrorMeterReading,
    MirrorUsagePoint,
    ReadingType,
    Registration,
    Time,
    csip_aus,
)
from schemas import DefaultDERControl as Default
from tests.unit.conformance_tests.aus_viewer import LFDI, SFDI, NoViewer

PROFILE = csip_aus.CSIP_AUS_V1_2
AGREED = Agreed(pin=111115)
BASE = csip_aus.DERControlBaseV12(opModExpLimW=ActivePower(multiplier=1, value=250))
HALF = (("opModExpLimW", SET_MAX_W * 0.5),)
DEVICE = csip_aus.EndDeviceV12(lFDI=LFDI, sFDI=SFDI, changedTime=1)
PROGRAM = DERProgram(mRID="0A", primacy=2)
CONTROL = DERControl(
    mRID="0B",
    responseRequired="03",
    creationTime=1,
    EventStatus_=EventStatus(currentStatus=1, dateTime=1, potentiallySuperseded=False),
    interval=DateTimeInterval(duration=60, start=1),
    randomizeStart=60,
    DERControlBase_=BASE,
)
MIRROR = MirrorUsagePoint(
    mRID="0C",
    roleFlags="0003",
    serviceCategoryKind=0,
    status=1,
    deviceLFDI=LFDI,
    MirrorMeterReading_=[MirrorMeterReading(mRID="0D", ReadingType_=ReadingType(uom=38))],
    postRate=60,
)


def client() -> Client:
    """A client that has found one of everything."""
    own = Seen(Found.EDEV, DEVICE, "/edev/1")
    assignment = Seen(Found.FSA, FunctionSetAssignments(mRID="0E"), "/fsa/1", own)
    program = Seen(Found.DERP, PROGRAM, "/derp/1", assignment)
    clock = Time(currentTime=1003, dstEndTime=0, dstOffset=0, dstStartTime=0, quality=7, tzOffset=0)
    found = (
        own,
        assignment,
        program,
        Seen(Found.DERC, CONTROL, "/derc/1", program),
        Seen(Found.DDERC, Default(mRID="0F", DERControlBase_=BASE, setGradW=100), "/dderc", program),
        Seen(Found.TIME, clock, "/tm", read_s=(1000.0, 1000.5)),
        Seen(Found.REGISTRATION, Registration(dateTimeRegistered=1, pIN=111115), "/rg", own),
        Seen(Found.EDEV_LIST, EndDeviceList(all=1, results=1, pollRate=30), "/edev"),
        Seen(Found.MUP, MIRROR, "/mup/1"),
    )
    made = Client(
        name="client", viewer=NoViewer(PROFILE), lfdi=LFDI, found={one.kind: [one] for one in found}
    )
    made.subscriptions["sub"] = Subscribed("/edev", "/sub/1", "https://here/sub", told=list(found))
    made.sent = [("0B", 1), ("0B", 2)]
    return made


ONE = Between(1, 1)
HOLD: list[Test] = [
    Discovered((Found.EDEV, Found.DERC)),
    OwnDevice(),
    OwnDevice(pin=True),
    InTime(),
    Controls(
        number=ONE,
        modes=HALF,
        status=1,
        unramped=True,
        response_required=3,
        duration_s=60,
        randomize_start_s=60,
        primacy=2,
    ),
    Controls(number=ONE, subscription="sub"),
    Defaults(number=ONE, modes=HALF, ramp=100, primacy=2),
    Assignments(number=ONE),
    Programs(number=ONE, primacy=2, assignment=0),
    DeviceLists(number=ONE, poll_s=30, subscription="sub"),
    PollRate(Found.EDEV_LIST, 30),
    Mirrors(location=Location.SITE, types=(Reading.ACTIVE,), mrid="0C", reading_mrids=("0D",), post_s=60),
    Answered(2),
]
FAIL: list[Test] = [
    Discovered((Found.DER,)),
    Discovered(links=(Found.CONNECTION_POINT,)),
    OwnDevice(there=False),
    Controls(number=Between(2)),
    Controls(number=Between(at_most=0)),
    Controls(number=ONE, modes=(("opModExpLimW", 0),)),
    Controls(number=ONE, modes=(("opModImpLimW", 0),)),
    Controls(number=ONE, modes=(("opModConnect", True),)),
    Controls(number=ONE, status=2),
    Controls(number=ONE, ramp=3000),
    Controls(number=ONE, response_required=1),
    Controls(number=ONE, duration_s=120),
    Controls(number=ONE, randomize_start_s=30),
    Controls(number=ONE, primacy=1),
    Controls(number=ONE, subscription="other"),
    Defaults(number=ONE, ramp=27),
    Defaults(number=ONE, primacy=1),
    Assignments(number=Between(2)),
    Programs(number=ONE, primacy=1, assignment=0),
    Programs(number=ONE, assignment=1),
    DeviceLists(number=ONE, poll_s=60, subscription="sub"),
    PollRate(Found.EDEV_LIST, 60),
    PollRate(Found.DER_LIST, 60),
    Mirrors(there=False),
    Mirrors(location=Location.DEVICE),
    Mirrors(types=(Reading.VOLTAGE,)),
    Mirrors(mrid="0A"),
    Mirrors(reading_mrids=("0A",)),
    Mirrors(post_s=300),
    Answered(3),
]


@pytest.mark.parametrize("check", HOLD, ids=str)
def test_check_holds_where_it_is_so(check: Test) -> None:
    found = client()
    found.subscriptions["other"] = Subscribed("/derc", "/sub/2", "https://here/other")
    assert judge(found, check, AGREED).held


@pytest.mark.parametrize("check", FAIL, ids=str)
def test_check_fails_where_it_is_not_so(check: Test) -> None:
    found = client()
    found.subscriptions["other"] = Subscribed("/derc", "/sub/2", "https://here/other")
    judged = judge(found, check, AGREED)
    assert not judged.held
    assert judged.what
    assert judged.seen


def test_a_clock_that_is_wrong_a_pin_that_is_another_and_an_sfdi_that_does_not_fit_are_seen() -> None:
    found = client()
    found.found[Found.TIME] = [replace(found.found[Found.TIME][0], read_s=(1014.0, 1014.5))]
    assert not judge(found, InTime(), AGREED).held
    assert not judge(found, OwnDevice(pin=True), Agreed(pin=123455)).held
    found.found[Found.EDEV] = [Seen(Found.EDEV, replace(DEVICE, sFDI=SFDI + 1), "/edev/1")]
    assert not judge(found, OwnDevice(), AGREED).held


@pytest.mark.parametrize(
    ("read_s", "seen"),
    [
        ((985.0, 1020.0), "0 s off"),
        ((1010.0, 1014.0), "-7 s off"),
        ((970.0, 990.0), "13 s off"),
        (None, "no Time"),
    ],
    ids=["slow answer", "behind", "ahead", "not read"],
)
def test_a_clock_is_held_against_the_time_at_which_it_was_read(
    read_s: tuple[float, float] | None, seen: str
) -> None:
    found = client()
    found.found[Found.TIME] = [replace(found.found[Found.TIME][0], read_s=read_s)]
    judged = judge(found, InTime(), AGREED)
    assert (judged.held, judged.seen) == (seen in {"0 s off", "-7 s off"}, seen)


def test_a_ramp_time_is_seen_where_there_must_be_none() -> None:
    found = client()
    ramped = replace(CONTROL, DERControlBase_=replace(BASE, rampTms=3000))
    found.found[Found.DERC] = [Seen(Found.DERC, ramped, "/derc/1")]
    assert not judge(found, Controls(number=ONE, unramped=True), AGREED).held
    assert judge(found, Controls(number=ONE, ramp=3000), AGREED).held
