"""The judge of bodies: what is wrong is named by path and kind, and nothing that is right is named."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conformance_tests.case import Level
from conformance_tests.errors import UsageError
from conformance_tests.judge import Flaw, Judge, Judgement, Kind, packaged, schema_of
from conformance_tests.judge.parsing import MOST_ELEMENTS, MOST_OCTETS

SEP = 'xmlns="urn:ieee:std:2030.5:ns"'
AUS = 'xmlns:aus="https://csipaus.org/ns"'
EVENT = (
    "<mRID>AB</mRID><creationTime>1</creationTime>"
    "<EventStatus><currentStatus>1</currentStatus><dateTime>1</dateTime>"
    "<potentiallySuperseded>false</potentiallySuperseded></EventStatus>"
    "<interval><duration>60</duration><start>1</start></interval>"
)
POWER = "<multiplier>0</multiplier><value>5</value>"


def judged(text: str, content_type: str | None = None) -> Judgement:
    return Judge().judge(text.encode(), content_type)


def control(base: str, spaces: str = SEP) -> str:
    """A list with one control of these modes."""
    held = f"<DERControlBase>{base}</DERControlBase>"
    item = f"<DERControl>{EVENT}{held}</DERControl>"
    return f'<DERControlList {spaces} all="2" results="2">{item}{item}</DERControlList>'


def told(judgement: Judgement) -> list[tuple[Kind, str]]:
    return [(flaw.kind, flaw.path) for flaw in judgement.flaws]


def test_a_good_body_has_no_flaw_and_tells_what_it_is() -> None:
    judgement = judged(control("<opModMaxLimW>50</opModMaxLimW>"), "application/sep+xml; level=+S1")
    assert judgement.ok
    assert (judgement.root, judgement.elements, judgement.flaws) == ("DERControlList", 25, ())
    assert judgement.words() == ""


BASE = "/DERControlList/DERControl[1]/DERControlBase"
WRONG = [
    ("<opModMaxLimW>5</opModMaxLimW><opModConnect>true</opModConnect>", Kind.ORDER, "/opModMaxLimW"),
    ("<opModTargetW><multiplier>0</multiplier></opModTargetW>", Kind.MISSING, "/opModTargetW/value"),
    ("<opModMystery>1</opModMystery>", Kind.UNKNOWN, "/opModMystery"),
    ("<rampTms>70000</rampTms>", Kind.RANGE, "/rampTms"),
    ("<rampTms>soon</rampTms>", Kind.VALUE, "/rampTms"),
    ("<opModConnect>yes</opModConnect>", Kind.VALUE, "/opModConnect"),
    ("<rampTms>1</rampTms><rampTms>2</rampTms>", Kind.REPEATED, "/rampTms"),
    ('<rampTms xmlns="http://ieee.org/2030.5">1</rampTms>', Kind.NAMESPACE, "/rampTms"),
    ('<rampTms xmlns="">1</rampTms>', Kind.NAMESPACE, "/rampTms"),
    ("<rampTms><value>1</value></rampTms>", Kind.CONTENT, "/rampTms"),
    ("now<rampTms>1</rampTms>", Kind.CONTENT, ""),
    ('<rampTms unit="s">1</rampTms>', Kind.UNKNOWN, "/rampTms/@unit"),
    ('<opModVoltVar href="/x"/><opModTargetW>&#32;</opModTargetW>', Kind.ORDER, "/opModVoltVar"),
]


@pytest.mark.parametrize("zeros", [41, 5_000])
def test_a_number_may_begin_with_zeros(zeros: int) -> None:
    wrong, long = "<opModMystery>1</opModMystery>", f"<rampTms>{'0' * zeros}7</rampTms>"
    flaws = {flaw.path.rpartition("/")[2] for flaw in judged(control(wrong + long)).flaws}
    assert judged(control(long)).ok
    assert flaws == {"opModMystery"}


@pytest.mark.parametrize(("base", "kind", "below"), WRONG)
def test_what_is_wrong_is_named_by_kind_and_path(base: str, kind: Kind, below: str) -> None:
    whole, empty = control(""), "<DERControlBase></DERControlBase>"
    judgement = judged(whole.replace(empty, f"<DERControlBase>{base}</DERControlBase>", 1))
    assert judged(whole).ok
    assert not judgement.ok
    assert (kind, BASE + below) in told(judgement)


def test_an_order_flaw_says_before_what_the_element_belongs() -> None:
    base = (
        "<opModMaxLimW>5</opModMaxLimW><opModConnect>true</opModConnect><opModEnergize>true</opModEnergize>"
    )
    flaw = judged(control(base)).flaws[0]
    assert flaw.text == "opModMaxLimW stands before opModEnergize, it must stand behind it"
    assert str(flaw) == f"{BASE}/opModMaxLimW: wrong order: {flaw.text} (line 1)"


def test_missing_attributes_and_unknown_documents_are_named() -> None:
    assert told(judged(f'<DERControlList {SEP} all="1"/>')) == [(Kind.MISSING, "/DERControlList/@results")]
    assert told(judged(f"<Mystery {SEP}/>")) == [(Kind.UNKNOWN, "/Mystery")]
    assert told(judged("<Mystery/>")) == [(Kind.UNKNOWN, "/Mystery")]


def test_a_document_of_an_old_namespace_is_one_flaw() -> None:
    old = f"<Time {SEP}/>".replace("urn:ieee:std:2030.5:ns", "http://zigbee.org/sep")
    assert [kind for kind, _ in told(judged(old))].count(Kind.NAMESPACE) == 1
    assert judged(
        f"<Error {SEP.replace('urn:ieee:std:2030.5:ns', '')}><reasonCode>1</reasonCode></Error>"
    ).flaws == (
        Flaw(
            kind=Kind.NAMESPACE,
            path="/Error",
            text="Error has no namespace, it belongs in urn:ieee:std:2030.5:ns",
            line=1,
        ),
    )


@pytest.mark.parametrize("seen", ["text/xml", "application/xml", ""])
def test_the_content_type_is_judged_where_it_is_given(seen: str) -> None:
    error = f"<Error {SEP}><reasonCode>1</reasonCode></Error>"
    assert told(judged(error, seen)) == [(Kind.MEDIA_TYPE, "")]
    assert judged(error).ok


def test_lists_of_several_types_are_judged_by_what_their_items_say() -> None:
    head = f'<ResponseList {SEP} xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" all="1" results="1">'
    response = (
        "<Response{}><endDeviceLFDI>AB</endDeviceLFDI><subject>AB</subject>{}</Response></ResponseList>"
    )
    override = "<overrideDuration>7</overrideDuration>"
    assert judged(head + response.format(' xsi:type="DrResponse"', override)).ok
    assert not judged(head + response.format("", override)).ok
    strange = judged(head + response.format(' xsi:type="Nothing"', ""))
    assert told(strange) == [(Kind.UNKNOWN, "/ResponseList/Response")]


def test_extensions_are_judged_as_such() -> None:
    good = f"<opModMaxLimW>5</opModMaxLimW><aus:opModExpLimW>{POWER}</aus:opModExpLimW>"
    judgement = judged(control(good, f"{SEP} {AUS}"))
    assert judgement.ok
    assert judgement.extensions == ("{https://csipaus.org/ns}opModExpLimW",) * 2


EXTENDED = [
    (f"<aus:opModExpLimW>{POWER}</aus:opModExpLimW><rampTms>1</rampTms>", Kind.EXTENSION, "/opModExpLimW"),
    ("<aus:opModExpLimW><value>5</value></aus:opModExpLimW>", Kind.MISSING, "/opModExpLimW/multiplier"),
    (f"<aus:opModSoonW>{POWER}</aus:opModSoonW>", Kind.UNKNOWN, "/opModSoonW"),
    ("<aus:doeModesEnabled>0F</aus:doeModesEnabled>", Kind.EXTENSION, "/doeModesEnabled"),
    (
        f"<aus:opModExpLimW>{POWER}</aus:opModExpLimW><aus:opModImpLimW>{POWER}</aus:opModImpLimW>",
        Kind.ORDER,
        "/opModImpLimW",
    ),
    ("<aus:opModMaxLimW>5</aus:opModMaxLimW>", Kind.NAMESPACE, "/opModMaxLimW"),
]


@pytest.mark.parametrize(("base", "kind", "below"), EXTENDED)
def test_what_is_wrong_with_an_extension_is_named(base: str, kind: Kind, below: str) -> None:
    judgement = judged(control(base, f"{SEP} {AUS}"))
    assert (kind, BASE + below) in told(judgement)


def test_extensions_of_others_may_stand_last_whatever_they_are() -> None:
    spaces = f'{SEP} xmlns:v="urn:vendor"'
    assert judged(control('<rampTms v:since="3">1</rampTms><v:any><v:thing/></v:any>', spaces)).ok
    assert told(judged(control("<v:any/><rampTms>1</rampTms>", spaces)))[0] == (Kind.EXTENSION, f"{BASE}/any")


def test_a_connection_point_is_judged_by_the_extension() -> None:
    point = f"<aus:ConnectionPoint {AUS}><aus:{{0}}>1</aus:{{0}}></aus:ConnectionPoint>"
    assert judged(point.format("connectionPointId")).ok
    assert judged(point.format("id")).ok
    assert not judged(point.format("nmi")).ok


HOSTILE = [
    (b"", Kind.NOT_XML),
    (b"  \n", Kind.NOT_XML),
    (b"<Time", Kind.NOT_XML),
    (b"\xff\xfe", Kind.NOT_XML),
    (b"<a>\x00</a>", Kind.FORBIDDEN),
    (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', Kind.FORBIDDEN),
    (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', Kind.FORBIDDEN),
    ("<!DOCTYPE a []><a/>".encode("utf-16"), Kind.FORBIDDEN),
    (b'<?xml version="1.0" encoding="ISO-8859-1"?><a/>', Kind.FORBIDDEN),
    (b"<a>" * 100_000, Kind.NOT_XML),
    (b"<a/>" * (2 * MOST_ELEMENTS + 1), Kind.SIZE),
    (b"<a>" + b" " * MOST_OCTETS + b"</a>", Kind.SIZE),
]


@pytest.mark.parametrize(("body", "kind"), HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_bodies_are_refused_soon(body: bytes, kind: Kind) -> None:
    begun = time.monotonic()
    (flaw,) = Judge().judge(body).flaws
    assert flaw.kind is kind
    assert time.monotonic() - begun < 5


def test_a_large_body_full_of_flaws_is_judged_in_bounded_time() -> None:
    items = "<EndDevice><sFDI>x</sFDI></EndDevice>" * 45_000
    begun = time.monotonic()
    judgement = judged(f'<EndDeviceList {SEP} all="1" results="1">{items}</EndDeviceList>')
    assert len(judgement.flaws) == 50
    assert time.monotonic() - begun < 10


def test_a_large_good_body_is_judged_whole() -> None:
    text = control("<rampTms>1</rampTms>").partition("<DERControl>")
    items = f"<DERControl>{EVENT}<DERControlBase/></DERControl>" * 300
    assert judged(f"{text[0]}{items}</DERControlList>").ok
    bad = items + items.replace("<duration>60<", "<duration>-60<", 1)
    (flaw,) = judged(f"{text[0]}{bad}</DERControlList>").flaws
    assert (flaw.kind, flaw.path) == (Kind.RANGE, "/DERControlList/DERControl[301]/interval/duration")


def facts(vectors: Path) -> Judge:
    return Judge(schema_of(vectors / "schema_2018_facts.json"))


@pytest.mark.parametrize("source", ["packaged", "schema_2018_facts.json", "xsd/csipaus-core.xsd"])
def test_each_schema_gives_the_same_verdict_on_the_samples(vectors: Path, source: str) -> None:
    judge = Judge(packaged() if source == "packaged" else schema_of(vectors / source))
    wrong = {"epri-2013-ns", "invalid"}
    modes = {"dercapability.xml"} if source.endswith("core.xsd") else set()
    samples = sorted((vectors / "xml").rglob("*.xml"))
    found = {path.name for path in samples if not judge.judge(path.read_bytes()).ok}
    assert len(samples) > 60
    assert found == {path.name for path in samples if path.parent.name in wrong} | modes


def test_each_invalid_sample_is_refused_for_what_is_in_its_name(vectors: Path) -> None:
    kinds = {}
    for path in sorted((vectors / "xml" / "own" / "invalid").glob("*.xml")):
        (flaw,) = Judge().judge(path.read_bytes()).flaws
        kinds[path.stem] = flaw.kind
    assert kinds == {
        "bad_curve_11_points": Kind.REPEATED,
        "bad_element_order": Kind.ORDER,
        "bad_missing_required": Kind.MISSING,
        "bad_mrid_too_long": Kind.RANGE,
        "bad_odd_hex_mrid": Kind.VALUE,
        "bad_value_range": Kind.RANGE,
    }


def test_facts_tell_numbers_that_no_table_has_and_refuse_none(vectors: Path) -> None:
    alarm = f"<DERStatus {SEP}><alarmStatus>FFFF</alarmStatus>"
    body = f"{alarm}<inverterStatus><dateTime>1</dateTime><value>99</value></inverterStatus>"
    judgement = facts(vectors).judge(f"{body}<readingTime>1</readingTime></DERStatus>".encode())
    assert judgement.ok
    assert {(flaw.kind, flaw.path, flaw.level) for flaw in judgement.reserved} == {
        (Kind.ENUMERATION, "/DERStatus/alarmStatus", Level.SHOULD),
        (Kind.ENUMERATION, "/DERStatus/inverterStatus/value", Level.SHOULD),
    }


def test_an_enumeration_of_a_schema_is_told_as_one(tmp_path: Path) -> None:
    path = tmp_path / "mine.xsd"
    path.write_text(
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="urn:x" targetNamespace="urn:x"'
        ' elementFormDefault="qualified"><xs:simpleType name="N"><xs:restriction base="xs:string">'
        '<xs:enumeration value="a"/><xs:enumeration value="b"/></xs:restriction></xs:simpleType>'
        '<xs:complexType name="T"><xs:choice><xs:element name="n" type="N"/></xs:choice></xs:complexType>'
        '<xs:element name="N" type="N"/><xs:element name="T" type="T"/></xs:schema>'
    )
    judge = Judge(schema_of(path))
    assert judge.judge(b'<N xmlns="urn:x">a</N>').ok
    assert told(judge.judge(b'<N xmlns="urn:x">c</N>')) == [(Kind.ENUMERATION, "/N")]
    (choice,) = judge.judge(b'<T xmlns="urn:x"><m/></T>').flaws
    assert choice.kind is Kind.CONTENT
    assert "m" in choice.text


@pytest.mark.parametrize("text", ["<no", "<a/>", "", None])
def test_a_schema_that_cannot_be_used_is_a_usage_error(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "sep.xsd"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UsageError, match="--schema"):
        schema_of(path)


@pytest.mark.parametrize(
    "text", ["{", "{}", "[]", json.dumps({"_about": {"namespace": "x"}, "types": {"A": {}}})]
)
def test_facts_that_cannot_be_used_are_a_usage_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "facts.json"
    path.write_text(text)
    with pytest.raises(UsageError, match="no facts file"):
        schema_of(path)
    assert schema_of(None) is packaged()


def test_the_judge_stays_small() -> None:
    """A hostile body takes less than 200 MB."""
    script = (
        "from conformance_tests.judge import Judge; j = Judge();"
        "body = b'<EndDeviceList xmlns=\"urn:ieee:std:2030.5:ns\">';"
        "j.judge(body + b'<EndDevice><sFDI>x</sFDI></EndDevice>' * 45000 + b'</EndDeviceList>');"
        "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 200_000


@pytest.mark.parametrize(
    ("uri", "is_one"),
    [
        ("/derp/2?x=1&amp;y=2", True),
        ("https://a.example:8443/derp/2", True),
        ("https://a.example: 443/derp/2", False),
        ("https://a.example:port/derp/2", False),
        ("/derp/%zz", False),
    ],
)
def test_a_uri_that_is_none_is_named(uri: str, is_one: bool) -> None:
    body = (
        f"<Subscription {SEP}><subscribedResource>{uri}</subscribedResource><encoding>0</encoding>"
        "<level>+S1</level><limit>1</limit><notificationURI>https://b.example/n</notificationURI></Subscription>"
    )
    path = "/Subscription/subscribedResource"
    assert told(judged(body)) == ([] if is_one else [(Kind.VALUE, path)])
