"""What a unit is asked for and what its answer means: PDUs of function codes 3, 6 and 16. Pure functions.

MODBUS Application Protocol V1.1b3, sections 6.3, 6.6, 6.12 and 7.
"""

import struct
from collections.abc import Sequence
from typing import Final

from der_client.device import FaultKind
from der_client.sunspec.codec import Words
from der_client.sunspec.scan import Failure

READ_HOLDING: Final = 3
WRITE_SINGLE: Final = 6
WRITE_MULTIPLE: Final = 16
EXCEPTION_BIT: Final = 0x80
MAX_READ: Final = 125
MAX_WRITE: Final = 123
EXCEPTION_SIZE: Final = 2
ACKNOWLEDGEMENT_SIZE: Final = 5
GATEWAY_SILENT: Final = 11
EXCEPTIONS: Final = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "server device failure",
    5: "acknowledge",
    6: "server device busy",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "gateway target did not respond",
}

_HEAD = struct.Struct(">BHH")
_WRITE_HEAD = struct.Struct(">BHHB")


def read_request(address: int, count: int) -> bytes:
    """The PDU that asks for 1 to 125 holding registers."""
    return _HEAD.pack(READ_HOLDING, address, count)


def write_request(address: int, words: Sequence[int]) -> bytes:
    """The PDU that writes 1 to 123 registers with function code 16."""
    count = len(words)
    return _WRITE_HEAD.pack(WRITE_MULTIPLE, address, count, 2 * count) + struct.pack(f">{count}H", *words)


def write_one_request(address: int, word: int) -> bytes:
    """The PDU that writes one register with function code 6, for devices that know no other."""
    return _HEAD.pack(WRITE_SINGLE, address, word)


def described(request: bytes) -> str:
    """A request for a person: `read 40070+113`, `write 40310+6`."""
    address, count = span_of(request)
    return f"{'read' if request[0] == READ_HOLDING else 'write'} {address}+{count}"


def span_of(request: bytes) -> tuple[int, int]:
    """First register of a request and how many it is about."""
    function, address, count = _HEAD.unpack_from(request)
    return address, 1 if function == WRITE_SINGLE else count


def is_read(request: bytes) -> bool:
    """True for a request of function code 3 that a device can answer: 1 to 125 registers."""
    return len(request) == _HEAD.size and request[0] == READ_HOLDING and 1 <= span_of(request)[1] <= MAX_READ


def read_answer(words: Sequence[int]) -> bytes:
    """The PDU that answers a read with these registers."""
    return struct.pack(f">BB{len(words)}H", READ_HOLDING, 2 * len(words), *words)


def exception_answer(function: int, code: int) -> bytes:
    """The PDU that refuses a request."""
    return bytes((function | EXCEPTION_BIT, code))


def answer_size(request: bytes) -> int:
    """Octets of the PDU that answers a request which is not refused."""
    function, _, count = _HEAD.unpack_from(request)
    return 2 + 2 * count if function == READ_HOLDING else ACKNOWLEDGEMENT_SIZE


def result_of(request: bytes, answer: bytes) -> Words | Failure:
    """The registers that answer a read, none for a write that was acknowledged, or why it is no success."""
    function = request[0]
    size = len(answer)
    if answer[0] == function == READ_HOLDING and size > 1 and size == 2 + answer[1] and size % 2 == 0:
        count = request[3] << 8 | request[4]
        if answer[1] == 2 * count:
            return struct.unpack_from(f">{count}H", answer, 2)
        return _malformed(f"{described(request)}: {answer[1] // 2} registers in the answer")
    if answer[0] == function | EXCEPTION_BIT and size == EXCEPTION_SIZE:
        code = answer[1]
        detail = f"{described(request)}: exception {code} ({EXCEPTIONS.get(code, 'unknown')})"
        return Failure(FaultKind.REFUSED, detail, code)
    if answer[0] == function != READ_HOLDING and size == ACKNOWLEDGEMENT_SIZE:
        return _acknowledged(request, answer)
    if answer[0] & ~EXCEPTION_BIT != function:
        return _malformed(f"{described(request)}: function code {answer[0]} in the answer")
    return _malformed(f"{described(request)}: an answer of {size} octets")


def _acknowledged(request: bytes, answer: bytes) -> Words | Failure:
    """An acknowledgement repeats what was asked; a device that answers for something else is not believed."""
    if answer == request[:ACKNOWLEDGEMENT_SIZE]:
        return ()
    _, address, count = _HEAD.unpack_from(answer)
    return _malformed(f"{described(request)}: the answer is for {address}+{count}")


def _malformed(detail: str) -> Failure:
    return Failure(FaultKind.MALFORMED, detail)
