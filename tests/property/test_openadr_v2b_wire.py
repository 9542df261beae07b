"""Laws of the 2.0b wire: what is written reads the same, and what is spoiled is refused, never worse."""

import string
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from functools import partial

from hypothesis import given, settings
from hypothesis import strategies as st
from signxml.verifier import SignatureConfiguration, XMLVerifier

from openadr_ven.events import (
    Event,
    EventStatus,
    Interval,
    Profile,
    Randomization,
    Signal,
    Target,
    Unit,
)
from openadr_ven.v2b import messages as m
from openadr_ven.v2b.document import Element, canonical, parsed
from openadr_ven.v2b.errors import Malformed, MessageError
from openadr_ven.v2b.exchange import stamp
from openadr_ven.v2b.reading import read
from openadr_ven.v2b.replay import ReplayGuard
from openadr_ven.v2b.signature import Verifier
from openadr_ven.v2b.writing import enveloped, signed_object, write
from tests.inputs import inputs
from tests.unit.openadr_ven.v2b.conversations import MESSAGES, NOW
from tests.unit.openadr_ven.v2b.keys import identity

FEW = partial(settings, deadline=None)
BYTES = [write(one) for one in MESSAGES]
NAME = st.text(string.ascii_letters + string.digits + "<>&'\"-_ ü€", min_size=1, max_size=12).map(
    lambda one: one.strip() or "x"
)
TIME = st.integers(min_value=0, max_value=4_000_000_000)
SPAN = st.integers(min_value=1, max_value=10_000_000)
NUMBER = st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9)


@st.composite
def events(draw: Callable[..., object]) -> Event:
    """Any event that 2.0b can say."""
    lengths = draw(st.lists(SPAN, min_size=1, max_size=4))
    assert isinstance(lengths, list)
    values = [draw(NUMBER) for _ in lengths]
    signal = Signal(
        signalID=draw(NAME),  # type: ignore[arg-type]
        signalName="LOAD_DISPATCH",
        signalType="setpoint",
        unit=draw(st.sampled_from([Unit.W, Unit.VA, Unit.VAR, None])),  # type: ignore[arg-type]
        device_classes=draw(st.sampled_from([(), ("Storage",), ("Storage", "EVSE")])),  # type: ignore[arg-type]
        intervals=tuple(
            Interval(uid=uid, duration_s=length, values=(value,))  # type: ignore[arg-type]
            for uid, (length, value) in enumerate(zip(lengths, values, strict=True))
        ),
    )
    kinds = draw(st.lists(st.sampled_from(["groupID", "resourceID", "venID", "partyID"]), max_size=3))
    assert isinstance(kinds, list)
    order = ["groupID", "resourceID", "venID", "partyID"]
    return Event(
        profile=Profile.V20B,
        eventID=draw(NAME),  # type: ignore[arg-type]
        modification=draw(st.integers(0, 1000)),  # type: ignore[arg-type]
        start=draw(TIME),  # type: ignore[arg-type]
        duration_s=sum(lengths),
        signals=(signal,),
        marketContext="http://dr/one",
        createdDateTime=draw(TIME),  # type: ignore[arg-type]
        priority=draw(st.one_of(st.none(), st.integers(0, 100))),  # type: ignore[arg-type]
        is_test=draw(st.booleans()),  # type: ignore[arg-type]
        eventStatus=draw(st.sampled_from(list(EventStatus))),  # type: ignore[arg-type]
        vtnComment=draw(st.one_of(st.just(""), NAME)),  # type: ignore[arg-type]
        is_response_required=draw(st.booleans()),  # type: ignore[arg-type]
        randomization=Randomization(late_s=draw(st.one_of(st.just(0), SPAN))),  # type: ignore[arg-type]
        notification_s=draw(st.one_of(st.none(), SPAN)),  # type: ignore[arg-type]
        ramp_up_s=draw(st.integers(-1000, 1000)),  # type: ignore[arg-type]
        recovery_s=draw(st.integers(0, 1000)),  # type: ignore[arg-type]
        targets=tuple(
            Target(kind=kind, value=draw(NAME))  # type: ignore[arg-type]
            for kind in sorted(kinds, key=order.index)
        ),
    )


@FEW(max_examples=inputs(60))
@given(st.lists(events(), max_size=3))
def test_any_list_of_events_reads_as_it_was_written(found: list[Event]) -> None:
    message = m.DistributeEvent(vtnID="vtn", requestID="r", events=tuple(found))

    assert read(write(message)) == message


@FEW(max_examples=inputs(300))
@given(st.sampled_from(BYTES), st.integers(0, 10_000), st.binary(min_size=1, max_size=4))
def test_spoiled_octets_are_a_message_or_malformed_and_nothing_else(
    data: bytes, place: int, spoil: bytes
) -> None:
    at = place % len(data)
    spoiled = data[:at] + spoil + data[at + len(spoil) :]
    try:
        read(spoiled)
    except Malformed:
        return


@FEW(max_examples=inputs(200))
@given(
    st.sampled_from(BYTES),
    st.integers(0, 200),
    st.sampled_from(
        [
            *("", "-1", "9" * 400, "NaN", "INF", "1e999999999", "true", "\u0660"),
            *("P", "P9999Y", "PT" + "9" * 5000 + "S", "-PT1S"),
            *("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-02-29T00:00:00Z"),
        ]
    ),
)
def test_spoiled_values_are_a_message_or_malformed_and_nothing_else(
    data: bytes, place: int, value: str
) -> None:
    parts = data.split(b">")
    leaves = [number for number, part in enumerate(parts) if b"</" in part and not part.startswith(b"<")]
    if not leaves:
        return
    at = leaves[place % len(leaves)]
    parts[at] = value.encode() + parts[at][parts[at].index(b"</") :]
    try:
        read(b">".join(parts))
    except Malformed:
        return


@FEW(max_examples=inputs(100))
@given(NAME, NAME)
def test_no_text_changes_the_form_of_a_message(one: str, other: str) -> None:
    message = m.CancelOpt(requestID=one, optID=other, venID=one)

    assert read(write(message)) == message


def test_exact_numbers_stay_exact() -> None:
    event = replace(
        next(one for one in MESSAGES if isinstance(one, m.DistributeEvent) and one.events).events[0]
    )
    value = Decimal("0.1234567890123456789")
    signal = replace(event.signals[0], intervals=(replace(event.signals[0].intervals[0], values=(value,)),))
    message = m.DistributeEvent(vtnID="v", requestID="r", events=(replace(event, signals=(signal,)),))

    assert read(write(message)) == message


WHO = identity("ven")
SIGNED = [
    enveloped(text, WHO.signer().sign(text, stamp(NOW), "n1"))
    for text in (signed_object(one) for one in (MESSAGES[0], MESSAGES[13], MESSAGES[14]))
]
FORM = SignatureConfiguration(location="./", expect_references=2)


def is_taken(data: bytes) -> Element | None:
    """What our verifier says is signed, if it takes a document."""
    try:
        return Verifier(ReplayGuard(), {WHO.fingerprint}).verified(parsed(data), NOW, None)
    except MessageError:
        return None


@FEW(max_examples=inputs(400))
@given(
    st.sampled_from(SIGNED),
    st.integers(0, 10_000),
    st.sampled_from([b"", b"A", b" ", b"<x/>", b"#", b"prop", b"replay", b"1", b"<!-- -->", b"&#32;"]),
    st.integers(0, 3),
)
def test_whatever_our_verifier_takes_a_general_one_takes_too(
    data: bytes, place: int, spoil: bytes, length: int
) -> None:
    at = place % len(data)
    spoiled = data[:at] + spoil + data[at + length :]

    signed = is_taken(spoiled)

    if signed is not None:
        results = XMLVerifier().verify(parsed(spoiled), x509_cert=WHO.certificate, expect_config=FORM)
        assert isinstance(results, list)
        judged = [one.signed_xml for one in results if one.signed_xml is not None]
        assert canonical(signed) in [canonical(one) for one in judged]


def test_signed_messages_of_the_law_are_taken_as_they_are() -> None:
    assert all(is_taken(data) is not None for data in SIGNED)
