"""Every message of 2.0b: valid by the schema, and read back as it was written."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from openadr_ven.events import Event, EventStatus, Interval, OptType, Randomization, Signal, Target, Unit
from openadr_ven.v2b import messages as m
from openadr_ven.v2b import report_messages as r
from openadr_ven.v2b.document import MOST_OCTETS, message_of, parsed
from openadr_ven.v2b.errors import Malformed
from openadr_ven.v2b.http import url_of
from openadr_ven.v2b.reading import read
from openadr_ven.v2b.writing import enveloped, signed_object, write
from tests.unit.openadr_ven.v2b.conversations import (
    ANSWER,
    EVENT,
    MESSAGES,
    NOW,
    OK,
    REQUEST,
    SCHEDULE,
    STATUS_DATA,
    USAGE,
)

EVERY = pytest.mark.parametrize("message", MESSAGES, ids=lambda one: type(one).__name__)


@EVERY
def test_message_is_valid_by_the_schema_and_reads_as_it_was_written(message: m.Message) -> None:
    assert read(write(message)) == message


@EVERY
def test_r45_no_message_names_a_schema_location(message: m.Message) -> None:
    assert b"schemaLocation" not in write(message)


@EVERY
def test_r509_every_message_has_its_schema_version(message: m.Message) -> None:
    element = message_of(parsed(write(message)))

    assert element.get("{http://docs.oasis-open.org/ns/energyinterop/201110}schemaVersion") == "2.0b"


def test_r509_message_of_another_version_is_refused() -> None:
    with pytest.raises(Malformed, match="schemaVersion is not"):
        read(write(m.Poll(venID="v")).replace(b'"2.0b"', b'"2.0a"'))


def test_r42_request_id_of_the_message_stays_empty_where_there_are_answers() -> None:
    written = write(m.CreatedEvent(venID="v", answers=(ANSWER,), response=OK))

    message = read(written)
    assert isinstance(message, m.CreatedEvent)
    assert message.response.requestID == ""
    assert message.answers == (ANSWER,)


def test_every_answer_has_its_own_code_and_opt() -> None:
    message = read(write(m.CreatedEvent(venID="v", answers=(ANSWER,))))

    assert isinstance(message, m.CreatedEvent)
    assert [(one.code, one.optType) for one in message.answers] == [(450, OptType.OUT)]


def test_r406_first_registration_holds_no_ids_and_a_re_registration_both() -> None:
    first = write(m.CreatePartyRegistration(requestID="r", venName="n"))
    again = write(m.CreatePartyRegistration(requestID="r", venName="n", registrationID="g", venID="v"))

    assert b"registrationID" not in first
    assert b"venID" not in first
    assert b"<ei:registrationID>g</ei:registrationID><ei:venID>v</ei:venID>" in again


def test_r206_opt_of_an_event_holds_no_schedule_and_no_market_context() -> None:
    both = m.CreateOptMessage(
        venID="v",
        requestID="r",
        createdDateTime=NOW,
        opt=replace(SCHEDULE, eventID="e"),
    )

    written = write(both)

    parsed(written)
    assert b"vavailability" not in written
    assert b"marketContext" not in written
    assert b"<ei:eiTarget><ei:venID>v</ei:venID></ei:eiTarget>" in written


def test_r210_schedule_without_end_has_a_duration_of_0() -> None:
    message = m.CreateOptMessage(venID="v", requestID="r", createdDateTime=NOW, opt=SCHEDULE)

    assert b"<xcal:duration>PT0S</xcal:duration>" in write(message)


def test_r305_who_reports_nothing_leaves_the_report_out() -> None:
    assert b"oadrReport>" not in write(m.RegisterReport(requestID="r", offers=(), venID="v"))


def test_r311_metadata_reports_answer_no_request() -> None:
    written = write(m.RegisterReport(requestID="r", offers=(USAGE, USAGE), venID="v"))

    assert written.count(b"<ei:reportRequestID>0</ei:reportRequestID>") == 2


def test_r312_metadata_has_the_buffer_and_the_name_with_its_prefix() -> None:
    offer = r.ReportOffer(
        reportSpecifierID="u", reportName="TELEMETRY_USAGE", buffer_s=3600, points=USAGE.points
    )
    written = write(m.RegisterReport(requestID="r", offers=(offer,), venID="v"))

    assert b"<xcal:duration><xcal:duration>PT3600S</xcal:duration></xcal:duration>" in written
    assert b"<ei:reportName>METADATA_TELEMETRY_USAGE</ei:reportName>" in written


def test_r333_metadata_of_telemetry_has_its_sampling_rates() -> None:
    written = write(m.RegisterReport(requestID="r", offers=(USAGE,), venID="v"))

    assert written.count(b"<oadr:oadrMinPeriod>PT10S</oadr:oadrMinPeriod>") == 2
    assert written.count(b"<oadr:oadrOnChange>false</oadr:oadrOnChange>") == 2


def test_status_is_reported_as_a_status_and_never_as_a_number() -> None:
    written = write(m.UpdateReport(requestID="r", reports=(STATUS_DATA,), venID="v"))

    assert written.count(b"<oadr:oadrPayloadResourceStatus>") == 2
    assert b"payloadFloat" not in written


def only(message: m.Message) -> Event:
    assert isinstance(message, m.DistributeEvent)
    (event,) = message.events
    return event


def distributed(event: Event = EVENT) -> bytes:
    return write(m.DistributeEvent(vtnID="vtn", requestID="r1", events=(event,)))


def test_scale_of_a_unit_always_counts() -> None:
    event = only(read(distributed().replace(b"<scale:siScaleCode>none", b"<scale:siScaleCode>k", 1)))

    assert event.signals[0].unit is Unit.W
    assert [one.values for one in event.signals[0].intervals] == [(Decimal("-2500500"),), (Decimal(3000000),)]


def test_r1_fractions_of_a_second_are_cut_off_on_reading() -> None:
    at = b"<xcal:date-time>2027-01-15T09:00:00Z"
    assert at in distributed()

    event = only(read(distributed().replace(at, at.replace(b"00Z", b"00.999Z"))))

    assert event.start == NOW + 3600


def test_nested_startafter_is_found() -> None:
    assert only(read(distributed())).randomization == Randomization(late_s=120)


def test_event_of_duration_0_has_no_end_and_neither_has_its_interval() -> None:
    simple = replace(EVENT.signals[0], intervals=(Interval(uid=0, duration_s=None, values=(Decimal(1),)),))
    event = replace(EVENT, duration_s=None, signals=(simple,))

    found = only(read(distributed(event)))

    assert (found.duration_s, found.signals[0].intervals[0].duration_s) == (None, None)


def together(first: bytes, second: bytes) -> bytes:
    """One message with the events of two."""
    event = second[second.index(b"<oadr:oadrEvent>") : second.index(b"</oadr:oadrDistributeEvent>")]
    return first.replace(b"</oadr:oadrDistributeEvent>", event + b"</oadr:oadrDistributeEvent>")


@pytest.mark.parametrize(
    ("old", "new", "flaw"),
    [
        (b"<xcal:text>0</xcal:text>", b"<xcal:text>first</xcal:text>", "invalid literal"),
        (b"2027-01-15T09:00:00Z", b"0001-01-01T00:00:00Z", "a dtstart in the year 1"),
        (b"<ei:value>3000", b"<ei:value>INF", "INF is no number"),
        (b"<ei:value>3000", b"<ei:value>NaN", "NaN is no number"),
    ],
    ids=["uid", "year 1", "infinite", "no number"],
)
def test_event_that_makes_no_sense_has_a_flaw_and_the_others_stand(old: bytes, new: bytes, flaw: str) -> None:
    message = read(together(distributed().replace(old, new, 1), distributed(replace(EVENT, eventID="good"))))

    assert isinstance(message, m.DistributeEvent)
    bad, fine = message.events
    assert flaw in (bad.flaw or "")
    assert (bad.eventID, bad.modification, bad.is_response_required) == ("e1 <&>", 2, True)
    assert fine == replace(EVENT, eventID="good")


def endless_intervals(seconds: int) -> tuple[Signal, ...]:
    """The signals of the event with intervals of so many seconds."""
    return tuple(
        replace(one, intervals=tuple(replace(i, duration_s=seconds) for i in one.intervals))
        for one in EVENT.signals
    )


@pytest.mark.parametrize(
    "change",
    [
        {"duration_s": 10**400},
        {"signals": endless_intervals(10**400)},
        {"randomization": Randomization(late_s=10**400)},
        {"notification_s": 10**400},
        {"ramp_up_s": -(10**400)},
        {"recovery_s": 10**400},
    ],
    ids=["duration", "interval", "startafter", "notification", "ramp up", "recovery"],
)
def test_event_whose_durations_are_beyond_all_bounds_has_a_flaw(change: dict[str, object]) -> None:
    event = only(read(distributed(replace(EVENT, **change))))  # type: ignore[arg-type]

    assert "is a duration beyond all bounds" in (event.flaw or "")


@pytest.mark.parametrize("value", [b"1E31", b"1E12000", b"1E-31", b"1" * 65])
def test_event_whose_numbers_are_beyond_all_bounds_has_a_flaw(value: bytes) -> None:
    written = distributed()
    begin = written.index(b"<ei:value>") + len(b"<ei:value>")
    event = only(read(written[:begin] + value + written[written.index(b"</ei:value>") :]))

    assert event.flaw is not None


@pytest.mark.parametrize(
    ("asked", "poll_s"),
    [
        (10, 10),
        (1, 1),
        (0, None),
        (-10, None),
        (86_401, 86_400),
        (100 * 365 * 86_400, 86_400),
        (10**400, 86_400),
    ],
)
def test_r500_pace_that_is_asked_for_is_kept_within_bounds(asked: int, poll_s: int | None) -> None:
    found = read(write(m.CreatedPartyRegistration(response=OK, vtnID="vtn", poll_s=asked)))

    assert isinstance(found, m.CreatedPartyRegistration)
    assert found.poll_s == poll_s


def test_status_cancelled_survives_a_flaw() -> None:
    bad = distributed().replace(b"<xcal:text>0<", b"<xcal:text>x<", 1)

    event = only(read(bad.replace(b"eventStatus>far", b"eventStatus>cancelled")))

    assert event.eventStatus is EventStatus.CANCELLED


def trace(vectors: Path) -> Iterator[Path]:
    return iter(sorted((vectors / "openadr" / "v20b" / "trace").glob("*.xml")))


def test_messages_of_a_real_run_are_read_and_written_again(vectors: Path) -> None:
    found = [read(path.read_bytes()) for path in trace(vectors)]

    assert len(found) == 18
    assert [read(write(one)) for one in found] == found


def test_events_of_openleadr_are_read_though_they_break_rules(vectors: Path) -> None:
    """A dtstart in the intervals, no x-eiNotification, no unit, `None` as a requestID."""
    path = next(one for one in trace(vectors) if one.name.startswith("10_"))

    event = only(read(path.read_bytes()))

    assert (event.signals[0].unit, event.notification_s) == (None, None)
    assert [one.uid for one in event.signals[0].intervals] == [0, 1]
    assert {one.kind for one in event.targets} == {"resourceID", "venID"}


def wrapped(body: bytes) -> bytes:
    start = body.index(b"<oadr:")
    return enveloped("@").replace(
        b"@", b"<oadr:oadrSignedObject>" + body[start:] + b"</oadr:oadrSignedObject>"
    )


def test_messages_of_others_are_read_where_the_schema_allows_them(vectors: Path) -> None:
    folder = vectors / "openadr" / "v20b" / "avob"
    bare = [one for one in sorted(folder.rglob("*.xml")) if one.parent.name != "xmlsignature"]
    read_, refused = [], []
    for path in bare:
        body = path.read_bytes()
        try:
            read(wrapped(body) if b"oadrPayload " not in body[:2000] else body)
            read_.append(path.stem)
        except Malformed:
            refused.append(path.stem)

    assert len(read_) + len(refused) == len(bare) > 40
    assert {"oadrDistributeEvent", "oadrCreateReport", "oadrRegisterReport", "oadrCreatedOpt"} <= set(read_)
    assert {"unvalidationOadrDistributeEvent", "unvalidationOadrPoll"} <= set(refused)


BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x "xxxxxxxxxx"><!ENTITY y "&x;&x;&x;">]>'
    b"<oadr:oadrPayload xmlns:oadr='http://openadr.org/oadr-2.0b/2012/07'>&y;</oadr:oadrPayload>"
)
POLL = write(m.Poll(venID="v"))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no XML"),
        (b"\x00\xff\xfe", "no XML"),
        (b"<oadr:oadrPayload", "no XML"),
        (POLL[:-5], "no XML"),
        (BOMB, "a document type declaration"),
        (POLL.replace(b"?>\n", b"?><!DOCTYPE oadrPayload SYSTEM 'file:///etc/passwd'>", 1), "document type"),
        (POLL.decode().replace("utf-8", "utf-16").encode("utf-16"), "not UTF-8"),
        (POLL + b" " * MOST_OCTETS, "octets, more than"),
        (POLL.replace(b"oadrPoll", b"oadrPull"), "oadrPull"),
        (POLL.replace(b"oadrPayload", b"payload"), "not oadrPayload"),
        (POLL.replace(b"<ei:venID>v</ei:venID>", b""), "oadrPoll"),
        (enveloped(""), "oadrSignedObject"),
        (enveloped(signed_object(m.Poll(venID="v")) * 2), "oadrSignedObject"),
    ],
    ids=[
        "empty",
        "octets",
        "cut short",
        "cut at the end",
        "entities",
        "DTD",
        "UTF-16",
        "too large",
        "unknown message",
        "root",
        "nothing in it",
        "no object",
        "two objects",
    ],
)
def test_what_is_no_message_is_malformed(data: bytes, why: str) -> None:
    with pytest.raises(Malformed, match=why) as caught:
        read(data)

    assert caught.value.code == 454


def test_text_of_others_cannot_become_elements() -> None:
    evil = "</ei:venID><ei:venID>other"

    message = read(write(m.Poll(venID=evil)))

    assert message == m.Poll(venID=evil)


def test_characters_that_xml_does_not_have_are_left_out() -> None:
    assert read(write(m.Poll(venID="a\x00b\x0bc\ud800d\U0001f50b"))) == m.Poll(venID="abcd\U0001f50b")


def test_targets_of_every_kind_are_kept_apart() -> None:
    kinds = ("aggregatedPnode", "meterAsset", "pnode", "serviceDeliveryPoint", "groupName", "partyID")
    targets = tuple(Target(kind=kind, value=f"{kind}-1") for kind in kinds)
    event = replace(EVENT, targets=targets)

    assert set(only(read(distributed(event))).targets) == set(targets)


def test_r511_url_ends_with_the_service() -> None:
    assert url_of("https://vtn:8443/prefix/", m.Service.EVENT) == (
        "https://vtn:8443/prefix/OpenADR2/Simple/2.0b/EiEvent"
    )
    assert {one.value for one in m.Service} == {
        "EiRegisterParty",
        "EiEvent",
        "EiReport",
        "EiOpt",
        "OadrPoll",
    }


@pytest.mark.parametrize("start", [b"0001-01-02T00:00:00Z", b"1969-12-31T23:59:59Z"])
def test_report_request_of_another_age_is_malformed(start: bytes) -> None:
    """It could be neither kept nor told."""
    written = write(m.CreateReport(requestID="r", requests=(REQUEST,), venID="v"))

    with pytest.raises(Malformed, match="before 1970"):
        read(written.replace(b"2027-01-15T08:00:00Z", start))


def test_baseline_is_read_in_plain_units() -> None:
    signals = distributed().replace(
        b"</ei:eiEventSignals>",
        b"<ei:eiEventBaseline><xcal:dtstart><xcal:date-time>2027-01-15T08:00:00Z</xcal:date-time>"
        b"</xcal:dtstart><xcal:duration><xcal:duration>PT1H</xcal:duration></xcal:duration><strm:intervals>"
        b"<ei:interval><xcal:uid><xcal:text>0</xcal:text></xcal:uid><ei:signalPayload><ei:payloadFloat>"
        b"<ei:value>5</ei:value></ei:payloadFloat></ei:signalPayload></ei:interval></strm:intervals>"
        b"<ei:baselineID>b1</ei:baselineID><ei:baselineName>usual</ei:baselineName><power:powerReal>"
        b"<power:itemDescription>RealPower</power:itemDescription><power:itemUnits>W</power:itemUnits>"
        b"<scale:siScaleCode>k</scale:siScaleCode><power:powerAttributes><power:hertz>50</power:hertz>"
        b"<power:voltage>230</power:voltage><power:ac>true</power:ac></power:powerAttributes>"
        b"</power:powerReal></ei:eiEventBaseline></ei:eiEventSignals>",
    )

    baseline = only(read(signals)).baseline

    assert baseline is not None
    assert (baseline.signalID, baseline.unit) == ("b1", Unit.W)
    begins = 1_800_000_000
    assert baseline.intervals == (Interval(uid=0, duration_s=3600, values=(Decimal(5000),), start=begins),)
