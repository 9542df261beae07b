"""Requests as PDUs and what their answers mean. MODBUS Application Protocol V1.1b3, 6.3, 6.6, 6.12 and 7."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der_client.device import FaultKind
from der_client.sunspec.requests import (
    answer_size,
    described,
    read_request,
    result_of,
    write_one_request,
    write_request,
)
from der_client.sunspec.scan import Failure
from der_client.sunspec.trace import answer_text, request_text

READ = read_request(40000, 2)
WRITE = write_request(40310, (1, 50))
WRITE_ONE = write_one_request(40310, 7)


def pdu(text: str) -> bytes:
    return bytes.fromhex(text)


@pytest.mark.parametrize(
    ("request_pdu", "octets", "text"),
    [
        (READ, "03 9c40 0002", "read 40000+2"),
        (WRITE, "10 9d76 0002 04 0001 0032", "write 40310+2"),
        (WRITE_ONE, "06 9d76 0007", "write 40310+1"),
    ],
)
def test_request_has_the_octets_of_its_function_code(request_pdu: bytes, octets: str, text: str) -> None:
    assert request_pdu == pdu(octets)
    assert described(request_pdu) == text


@pytest.mark.parametrize(
    ("request_pdu", "answer", "words"),
    [
        (READ, "03 04 5375 6e53", (0x5375, 0x6E53)),
        (WRITE, "10 9d76 0002", ()),
        (WRITE_ONE, "06 9d76 0007", ()),
    ],
)
def test_answer_gives_the_registers(request_pdu: bytes, answer: str, words: tuple[int, ...]) -> None:
    assert result_of(request_pdu, pdu(answer)) == words
    assert answer_size(request_pdu) == len(pdu(answer))


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        (1, "illegal function"),
        (2, "illegal data address"),
        (3, "illegal data value"),
        (4, "server device failure"),
        (5, "acknowledge"),
        (6, "server device busy"),
        (10, "gateway path unavailable"),
        (11, "gateway target did not respond"),
        (99, "unknown"),
    ],
)
def test_exception_is_a_refusal_with_its_code(code: int, meaning: str) -> None:
    refusal = result_of(READ, bytes((0x83, code)))
    assert refusal == Failure(FaultKind.REFUSED, f"read 40000+2: exception {code} ({meaning})", code)


@pytest.mark.parametrize(
    ("request_pdu", "answer", "detail"),
    [
        (READ, "03", "read 40000+2: an answer of 1 octets"),
        (READ, "03 04 5375", "read 40000+2: an answer of 4 octets"),
        (READ, "03 03 5375 6e", "read 40000+2: an answer of 5 octets"),
        (READ, "03 02 5375", "read 40000+2: 1 registers in the answer"),
        (READ, "83", "read 40000+2: an answer of 1 octets"),
        (READ, "83 02 02", "read 40000+2: an answer of 3 octets"),
        (READ, "04 04 5375 6e53", "read 40000+2: function code 4 in the answer"),
        (READ, "10 9c40 0002", "read 40000+2: function code 16 in the answer"),
        (WRITE, "03 02 5375", "write 40310+2: function code 3 in the answer"),
        (WRITE, "10 9d76 00", "write 40310+2: an answer of 4 octets"),
        (WRITE, "10 0001 0002", "write 40310+2: the answer is for 1+2"),
        (WRITE, "10 9d76 0001", "write 40310+2: the answer is for 40310+1"),
    ],
)
def test_answer_of_another_form_is_malformed(request_pdu: bytes, answer: str, detail: str) -> None:
    assert result_of(request_pdu, pdu(answer)) == Failure(FaultKind.MALFORMED, detail)


@given(st.sampled_from([READ, WRITE, WRITE_ONE]), st.binary(min_size=1, max_size=253))
def test_any_octets_are_registers_or_a_failure(request_pdu: bytes, answer: bytes) -> None:
    assert isinstance(result_of(request_pdu, answer), tuple | Failure)


@pytest.mark.parametrize(
    ("request_pdu", "answer", "asked", "said"),
    [
        (READ, "03 04 5375 6e53", "read 40000+2", "read 40000+2: 5375 6E53"),
        (WRITE, "10 9d76 0002", "write 40310+2: 0001 0032", "write 40310+2: done"),
        (WRITE_ONE, "86 02", "write 40310+1: 0007", "write 40310+1: exception 2 (illegal data address)"),
    ],
)
def test_trace_shows_what_was_asked_and_said(request_pdu: bytes, answer: str, asked: str, said: str) -> None:
    assert request_text(request_pdu) == asked
    assert answer_text(request_pdu, pdu(answer)) == said
