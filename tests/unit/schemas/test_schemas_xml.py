"""What the codec reads, refuses and writes, rule by rule."""

import contextlib
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from schemas import (
    ActivePower,
    Codec,
    DateTimeInterval,
    DERControl,
    DERControlBase,
    DERControlList,
    DERControlResponse,
    DERCurve,
    DERCurveLink,
    DERProgram,
    EndDevice,
    Error,
    EventStatus,
    FunctionSetAssignmentsList,
    LogEvent,
    Malformed,
    MirrorMeterReading,
    MirrorReadingSet,
    Notification,
    Profile,
    Reading,
    Resource,
    Response,
    ResponseList,
    Scalar,
    Time,
    Unwritable,
    csip_aus,
    validate,
)
from schemas.scalars import Known, reader_of
from schemas.xml import MOST_OCTETS

NS = 'xmlns="urn:ieee:std:2030.5:ns"'
XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
CODEC = Codec()
TIME = (
    "<currentTime>10</currentTime><dstEndTime>0</dstEndTime><dstOffset>0</dstOffset><dstStartTime>0</dstStartTime>"
    "<quality>7</quality><tzOffset>0</tzOffset>"
)


def document(name: str, body: str, attributes: str = "") -> bytes:
    return f"<{name} {NS} {attributes}>{body}</{name}>".encode()


def refusal(data: bytes, expected: type = Resource) -> tuple[str, str]:
    with pytest.raises(Malformed) as caught:
        CODEC.decode(data, expected)
    return caught.value.rule, caught.value.path


def a_control(**changes: object) -> DERControl:
    values = {
        "href": "/derp/1/derc/1",
        "mRID": "0A",
        "creationTime": 1,
        "EventStatus_": EventStatus(currentStatus=0, dateTime=1, potentiallySuperseded=False),
        "interval": DateTimeInterval(duration=60, start=100),
        "DERControlBase_": DERControlBase(opModMaxLimW=5000),
    }
    return DERControl(**{**values, **changes})  # type: ignore[arg-type]


def test_reads_a_resource_with_its_attributes_and_defaults_left_out() -> None:
    time = CODEC.decode(document("Time", TIME, 'href="/tm"'), Time)
    assert time == Time(
        href="/tm", currentTime=10, dstEndTime=0, dstOffset=0, dstStartTime=0, quality=7, tzOffset=0
    )
    assert time.pollRate is None


def test_white_space_around_numbers_and_between_elements_is_no_content() -> None:
    body = TIME.replace("<currentTime>10<", "\n  <currentTime> 10\n<")
    assert CODEC.decode(document("Time", body), Time).currentTime == 10


def test_number_written_with_sign_or_zeros_is_the_number() -> None:
    body = TIME.replace(">10<", ">+0010<")
    assert CODEC.decode(document("Time", body), Time).currentTime == 10


@pytest.mark.parametrize("text", ["", "1_0", "0x10", "1.0", "\u0661", "ten", "--1", "9" * 40])
def test_text_that_is_no_whole_number_is_refused(text: str) -> None:
    body = TIME.replace(">10<", f">{text}<")
    assert refusal(document("Time", body)) == ("lexical", "/Time/currentTime")


def test_number_outside_of_its_type_is_refused_with_the_bounds() -> None:
    with pytest.raises(Malformed, match=r"256 outside UInt8 \(0 to 255\)"):
        CODEC.decode(document("Time", TIME.replace(">7<", ">256<")), Time)


@pytest.mark.parametrize(("text", "value"), [("true", True), ("1", True), ("false", False), ("0", False)])
def test_boolean_has_four_forms(text: str, value: bool) -> None:
    data = document("DERControlBase", f"<opModConnect>{text}</opModConnect>")
    assert CODEC.decode(data, DERControlBase).opModConnect is value


def test_other_text_is_no_boolean() -> None:
    data = document("DERControlBase", "<opModConnect>yes</opModConnect>")
    assert refusal(data, DERControlBase) == ("lexical", "/DERControlBase/opModConnect")


def test_string_longer_than_its_type_is_refused() -> None:
    body = f"<mRID>0A</mRID><description>{'x' * 33}</description><primacy>1</primacy>"
    assert refusal(document("DERProgram", body)) == ("length", "/DERProgram/description")


def test_repeated_element_is_refused_as_occurrence() -> None:
    body = TIME.replace("<quality>7</quality>", "<quality>7</quality><quality>7</quality>")
    assert refusal(document("Time", body)) == ("occurrence", "/Time/quality")


def test_element_of_another_type_is_refused_as_unknown() -> None:
    assert refusal(document("Time", TIME + "<mRID>0A</mRID>")) == ("unknown", "/Time/mRID")


def test_element_that_the_schema_does_not_know_is_refused() -> None:
    assert refusal(document("Time", TIME + "<colour>red</colour>")) == ("unknown", "/Time/colour")


def test_element_without_a_namespace_is_refused() -> None:
    assert refusal(document("Time", TIME + '<extra xmlns=""/>')) == ("unknown", "/Time/extra")


def test_foreign_elements_are_skipped_wherever_they_stand() -> None:
    body = '<v:a xmlns:v="urn:v"><v:b/>text</v:a>' + TIME + '<v:c xmlns:v="urn:v"/>'
    assert CODEC.decode(document("Time", body), Time).quality == 7


def test_what_a_foreign_element_holds_is_skipped_with_it() -> None:
    body = TIME + f'<v:a xmlns:v="urn:v"><v:b><Time {NS}/><colour {NS}/><plain xmlns=""/></v:b></v:a>'
    assert CODEC.decode(document("Time", body), Time).quality == 7


def test_place_of_an_unknown_element_counts_what_was_sent() -> None:
    body = '<v:a xmlns:v="urn:v"/>' + TIME + "<colour/><colour/>"
    assert refusal(document("Time", body)) == ("unknown", "/Time/colour[1]")


@pytest.mark.parametrize(
    "strange",
    [
        pytest.param('<a xmlns="urn:a">' + "<a>" * 239 + "<b/>" * 20_000 + "</a>" * 240, id="deep"),
        pytest.param('<a xmlns="urn:a"/>' * 50_000, id="wide"),
        pytest.param(
            "<v:a>" + "".join(f"<v{n}:a/>" for n in range(20_000)) + "</v:a>", id="namespaces-of-the-root"
        ),
        pytest.param(
            "<v:a>" + "".join(f'<a xmlns="{n}"/>' for n in range(50_000)) + "</v:a>", id="namespaces"
        ),
        pytest.param("<v:a/><quality " + " ".join(f'a{n}=""' for n in range(50_000)) + "/>", id="attributes"),
    ],
)
def test_foreign_elements_cost_no_more_than_their_octets(strange: str) -> None:
    spaces = " ".join(f'xmlns:v{n}="{n}"' for n in range(20_000)) if "<v1:" in strange else ""
    data = document("Time", TIME + strange, 'xmlns:v="urn:v" ' + spaces)
    before = time.thread_time()
    with contextlib.suppress(Malformed):
        CODEC.decode(data, Time)
    assert time.thread_time() - before < 1


def test_foreign_attributes_are_skipped() -> None:
    data = document("Time", TIME.replace("<quality>", '<quality v:u="1">'), 'v:x="1" xmlns:v="urn:v"')
    assert CODEC.decode(data, Time).quality == 7


def test_unknown_attribute_of_a_resource_is_refused() -> None:
    assert refusal(document("Time", TIME, 'colour="red"')) == ("attribute", "/Time")


def test_unknown_attribute_of_a_value_is_refused() -> None:
    body = TIME.replace("<quality>", '<quality unit="s">')
    assert refusal(document("Time", body)) == ("attribute", "/Time/quality")


def test_bad_value_of_an_attribute_names_the_attribute() -> None:
    with pytest.raises(Malformed, match="@pollRate: 'often' is not a whole number") as caught:
        CODEC.decode(document("Time", TIME, 'pollRate="often"'), Time)
    assert caught.value.path == "/Time"


def test_missing_attribute_is_named() -> None:
    with pytest.raises(Malformed, match="@all is missing"):
        CODEC.decode(document("DERControlList", "", 'results="0"'), DERControlList)


def test_elements_inside_of_a_value_are_refused_as_content() -> None:
    body = "<mRID>0A</mRID><description>a<version>1</version></description><primacy>1</primacy>"
    assert refusal(document("DERProgram", body)) == ("content", "/DERProgram/description")


def test_last_value_that_holds_elements_is_refused_as_content() -> None:
    data = document("DateTimeInterval", "<duration>1</duration><start>2<start>3</start></start>")
    assert refusal(data, DateTimeInterval) == ("content", "/DateTimeInterval/start")


def test_text_where_elements_belong_is_refused() -> None:
    assert refusal(document("Time", "hello" + TIME)) == ("content", "/Time")


def test_text_between_elements_is_refused() -> None:
    assert refusal(document("Time", TIME.replace("</quality>", "</quality>hello"))) == (
        "content",
        "/Time/quality",
    )


def test_place_of_a_fault_in_a_list_names_the_item() -> None:
    good = CODEC.fragment(a_control()).decode()
    bad = good.replace("<duration>60<", "<duration>-1<")
    data = document("DERControlList", good + bad, 'all="2" results="2"')
    assert refusal(data) == ("range", "/DERControlList/DERControl[2]/interval/duration")


def test_repeated_structures_become_a_list_in_order() -> None:
    item = CODEC.fragment(a_control()).decode()
    data = document(
        "DERControlList", item.replace("0A", "01") + item.replace("0A", "02"), 'all="2" results="2"'
    )
    assert [c.mRID for c in CODEC.decode(data, DERControlList).DERControl_] == ["01", "02"]


def test_reading_behind_a_reading_set_belongs_to_the_meter_reading() -> None:
    reading = Reading(value=7)
    held = MirrorMeterReading(
        mRID="0A",
        MirrorReadingSet_=[
            MirrorReadingSet(
                mRID="0B", timePeriod=DateTimeInterval(duration=60, start=0), Reading_=[Reading(value=1)]
            )
        ],
        Reading_=reading,
    )
    assert CODEC.decode(CODEC.encode(held), MirrorMeterReading) == held


def test_curve_needs_a_point() -> None:
    body = (
        "<mRID>0A</mRID><creationTime>1</creationTime><curveType>11</curveType><xMultiplier>0</xMultiplier>"
        "<yMultiplier>0</yMultiplier><yRefType>1</yRefType>"
    )
    with pytest.raises(Malformed, match="CurveData is missing"):
        CODEC.decode(document("DERCurve", body), DERCurve)


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"", "well-formed"),
        (b"<Time", "well-formed"),
        (b"\xff\xfe", "well-formed"),
        (b"<Time xmlns='urn:ieee:std:2030.5:ns'>" + b"<a>" * 300 + b"</a>" * 300 + b"</Time>", "well-formed"),
        (b"<!DOCTYPE Time [<!ENTITY a 'b'>]><Time xmlns='urn:ieee:std:2030.5:ns'>&a;</Time>", "doctype"),
        (b"<!DOCTYPE Time SYSTEM 'file:///etc/passwd'><Time xmlns='urn:ieee:std:2030.5:ns'/>", "doctype"),
        ("<?xml version='1.0' encoding='UTF-16'?><Time/>".encode("utf-16"), "encoding"),
        (b"<?xml version='1.0' encoding='nonsense'?><Time/>", "well-formed"),
        (b"<?xml version='1.0' encoding='ISO-8859-1'?><Time/>", "encoding"),
        ("<Time xmlns='urn:ieee:std:2030.5:ns'/>".encode("utf-16"), "encoding"),
        ("<Time xmlns='urn:ieee:std:2030.5:ns'/>".encode("utf-32-le"), "encoding"),
        (b"<Time/>", "root"),
        (b"<DERControl xmlns='urn:ieee:std:2030.5:ns'/>", "root"),
        (b"<Nothing xmlns='urn:ieee:std:2030.5:ns'/>", "root"),
    ],
)
def test_hostile_or_foreign_document_is_refused(data: bytes, rule: str) -> None:
    assert refusal(data, Time)[0] == rule


def test_document_over_the_limit_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(Malformed) as caught:
        CODEC.decode(b"<" * 101, Time, most=100)
    assert caught.value.rule == "size"


def test_fragment_is_read_whatever_its_size() -> None:
    held = Notification(status=0, subscribedResource="/" + ">" * 400_000, subscriptionURI="/b")
    fragment = CODEC.fragment(held)
    assert len(fragment) > MOST_OCTETS
    assert CODEC.decode_fragment(fragment, Notification) == held


def test_unexpanded_entity_is_refused_where_a_value_belongs() -> None:
    assert refusal(document("Time", TIME.replace(">7<", ">&undefined;<")))[0] == "well-formed"


def test_any_resource_is_read_by_its_root() -> None:
    assert isinstance(CODEC.decode_any(document("Error", "<reasonCode>1</reasonCode>")), Error)


def test_unknown_root_is_refused_where_any_resource_may_stand() -> None:
    with pytest.raises(Malformed) as caught:
        CODEC.decode_any(document("Nothing", ""))
    assert caught.value.rule == "root"


def test_several_classes_may_be_expected() -> None:
    data = document("Error", "<reasonCode>1</reasonCode>")
    assert CODEC.decode(data, (Time, Error)) == Error(reasonCode=1)
    assert refusal(data, Time)[0] == "root"


def test_expected_base_class_takes_what_is_derived_from_it() -> None:
    response = DERControlResponse(endDeviceLFDI="AB" * 20, status=1, subject="0A")
    assert CODEC.decode(CODEC.encode(response), Response) == response


def test_resource_of_a_notification_carries_its_type() -> None:
    listed = FunctionSetAssignmentsList(all=0, results=0, href="/edev/1/fsa")
    held = Notification(
        subscribedResource="/edev/1/fsa", Resource_=listed, status=0, subscriptionURI="https://a/1"
    )
    data = CODEC.encode(held)
    assert b'xsi:type="FunctionSetAssignmentsList"' in data
    assert CODEC.decode(data, Notification) == held


def test_items_of_a_response_list_keep_their_own_types() -> None:
    items = [DERControlResponse(endDeviceLFDI="AB", subject="0A"), Response(endDeviceLFDI="AB", subject="0B")]
    held = ResponseList(all=2, results=2, Response_=items)
    assert CODEC.decode(CODEC.encode(held), ResponseList) == held


@pytest.mark.parametrize(("named", "rule"), [("Nothing", "type"), ("Time", "type")])
def test_type_that_does_not_fit_is_refused(named: str, rule: str) -> None:
    data = document("ResponseList", f'<Response {XSI} xsi:type="{named}"/>', 'all="1" results="1"')
    assert refusal(data) == (rule, "/ResponseList/Response")


def test_type_that_says_what_stands_there_anyway_is_fine() -> None:
    data = document("Error", "<reasonCode>1</reasonCode>", f"{XSI}")
    assert CODEC.decode(data, Error).reasonCode == 1
    same = document("Time", TIME, f'{XSI} xsi:type="Time"')
    assert CODEC.decode(same, Time).quality == 7


def test_special_characters_survive_a_round_trip() -> None:
    program = DERProgram(mRID="0A", description='a<b>&"\r\n\té', primacy=1, href='/d?a=1&b="2"\t')
    decoded = CODEC.decode(CODEC.encode(program), DERProgram)
    assert (decoded.description, decoded.href) == (program.description, '/d?a=1&b="2"')


def test_list_page_is_its_ends_and_what_is_between() -> None:
    bodies = [CODEC.fragment(a_control(mRID=f"{n:02X}")) for n in range(3)]
    head = DERControlList(href="/derp/1/derc", all=9, results=3)
    opening, closing = CODEC.ends(head)
    page = CODEC.decode(b"".join((opening, *bodies, closing)), DERControlList)
    assert [c.mRID for c in page.DERControl_] == ["00", "01", "02"]
    assert CODEC.decode(opening + closing, DERControlList) == head


def test_fragment_becomes_a_document_and_reads_back() -> None:
    control = a_control()
    assert CODEC.decode(CODEC.document(CODEC.fragment(control)), DERControl) == control
    assert CODEC.decode_fragment(CODEC.fragment(control), DERControl) == control


def test_namespace_is_an_argument_of_the_profile() -> None:
    old = Codec(Profile(name="old", namespace="http://zigbee.org/sep"))
    data = old.encode(a_control())
    assert b'xmlns="http://zigbee.org/sep"' in data
    assert old.decode(data, DERControl) == a_control()


def test_limits_at_the_connection_point_stand_last_in_their_namespace() -> None:
    codec = Codec(csip_aus.CSIP_AUS_V1_3)
    limits = csip_aus.DERControlBaseV13(
        opModExpLimW=ActivePower(multiplier=0, value=1500),
        opModStorageTargetW=ActivePower(multiplier=1, value=-200),
        rampTms=5,
    )
    control = a_control(DERControlBase_=limits)
    data = codec.encode(control)
    assert b'xmlns:csipaus="https://csipaus.org/ns/v1.3"' in data
    assert (
        data.index(b"<rampTms>")
        < data.index(b"<csipaus:opModExpLimW>")
        < data.index(b"<csipaus:opModStorage")
    )
    assert codec.decode(data, DERControl) == control
    assert CODEC.decode(data, DERControl).DERControlBase_ == DERControlBase(rampTms=5)


def test_extension_element_that_a_version_does_not_have_is_refused() -> None:
    data = Codec(csip_aus.CSIP_AUS_V1_3).encode(
        a_control(
            DERControlBase_=csip_aus.DERControlBaseV13(opModStorageTargetW=ActivePower(multiplier=0, value=1))
        )
    )
    older = data.replace(b"/ns/v1.3", b"/ns")
    with pytest.raises(Malformed) as caught:
        Codec(csip_aus.CSIP_AUS_V1_2).decode(older, DERControl)
    assert caught.value.rule == "unknown"


def test_connection_point_is_a_document_of_its_own_namespace() -> None:
    codec = Codec(csip_aus.CSIP_AUS_V1_2)
    point = csip_aus.ConnectionPoint(connectionPointId="NMI1", href="/edev/1/cp")
    data = codec.encode(point)
    assert data.startswith(b"<csipaus:ConnectionPoint ")
    assert codec.decode(data, csip_aus.ConnectionPoint) == point
    assert codec.decode_any(data) == point


def test_extended_device_is_an_end_device_for_whoever_expects_one() -> None:
    codec = Codec(csip_aus.CSIP_AUS_V1_2)
    device = csip_aus.EndDeviceV12(sFDI=1, changedTime=1)
    assert codec.decode(codec.encode(device), EndDevice) == device


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mRID": "ABC"}, "DERControl.mRID: 'ABC' is not a whole number of hex octets"),
        ({"mRID": None}, "DERControl.mRID: missing"),
        ({"version": 70000}, r"DERControl.version: 70000 outside VersionType \(0 to 65535\)"),
        ({"version": True}, "DERControl.version: True is not int"),
        ({"description": 5}, "DERControl.description: 5 is not str"),
        (
            {"interval": DateTimeInterval(duration=-3, start=0)},
            r"DateTimeInterval.duration: -3 outside UInt32 \(0 to 4294967295\)",
        ),
        ({"EventStatus_": EventStatus(currentStatus=0, dateTime=1, potentiallySuperseded=None)}, "missing"),  # type: ignore[arg-type]
        ({"href": 3}, "DERControl.href: 3 is not str"),
    ],
)
def test_check_names_the_field_that_we_got_wrong(changes: dict[str, object], message: str) -> None:
    with pytest.raises(Unwritable, match=message):
        validate(a_control(**changes))


def test_check_holds_a_curve_to_ten_points() -> None:
    curve = DERCurve(
        mRID="0A", creationTime=1, CurveData_=[], curveType=11, xMultiplier=0, yMultiplier=0, yRefType=1
    )
    with pytest.raises(Unwritable, match=r"DERCurve\.CurveData: 0 items, 1 to 10 allowed"):
        validate(curve)


def test_check_passes_what_is_right() -> None:
    base = DERControlBase(opModConnect=True, opModVoltVar=DERCurveLink(href="/dc/1"))
    validate(a_control(DERControlBase_=base, description="ok"))


def test_values_read_before_do_not_grow_without_bound() -> None:
    known: Known = {}
    read = reader_of(Scalar("UInt32", "xs:unsignedInt"), known)
    kept = [read(str(n)) for n in range(9000)]
    assert kept == list(range(9000))
    assert len(known) <= 8192


@pytest.mark.parametrize("scalar", [Scalar("UInt32", "xs:unsignedInt"), Scalar("boolean", "xs:boolean")])
def test_a_long_text_is_read_and_not_kept(scalar: Scalar) -> None:
    known: Known = {}
    read = reader_of(scalar, known)
    assert [read(" " * blanks + "1") for blanks in (0, 39, 40, 900_000)] == [1, 1, 1, 1]
    assert {len(text or "") for text in known} == {1, 40}


def test_element_with_very_many_attributes_is_refused_before_they_are_read() -> None:
    many = " ".join(f'x{n}="1"' for n in range(60_000))
    began = time.perf_counter()
    assert refusal(document("Time", TIME, many)) == ("attribute", "/Time")
    assert time.perf_counter() - began < 1.0


def test_threads_that_need_a_reader_at_the_same_time_all_get_a_whole_one() -> None:
    document = Codec().encode(
        LogEvent(
            createdDateTime=1, functionSet=11, logEventCode=0, logEventID=1, logEventPEN=40732, profileID=2
        )
    )
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            for codec in [Codec() for _ in range(200)]:
                read = [pool.submit(codec.decode, document, LogEvent) for _ in range(8)]
                assert {one.result().logEventID for one in read} == {1}
    finally:
        sys.setswitchinterval(interval)
