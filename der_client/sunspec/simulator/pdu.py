"""Answers of a Modbus server: function codes 3, 6 and 16, exceptions for the rest. Pure functions.

MODBUS Application Protocol V1.1b3, sections 6.3, 6.6, 6.12 and 7.
"""

import struct
from collections.abc import Sequence
from typing import Protocol

from der_client.sunspec.requests import (
    MAX_READ,
    MAX_WRITE,
    READ_HOLDING,
    WRITE_MULTIPLE,
    WRITE_SINGLE,
    exception_answer,
    read_answer,
)
from der_client.sunspec.simulator.bank import ILLEGAL_VALUE, IllegalRequestError

ILLEGAL_FUNCTION = 1


class RegisterStore(Protocol):
    """Holding registers behind a server; both methods raise IllegalRequestError for what they refuse."""

    def read(self, address: int, count: int) -> Sequence[int]:
        """`count` registers from `address` on."""
        ...

    def write(self, address: int, words: Sequence[int]) -> None:
        """Take registers from `address` on."""
        ...


def answer(store: RegisterStore, request: bytes) -> bytes:
    """The PDU that answers a request PDU of at least one octet."""
    function = request[0]
    try:
        return request[:1] + _answer_body(store, function, request[1:])
    except IllegalRequestError as error:
        return exception_answer(function, error.code)


def _answer_body(store: RegisterStore, function: int, body: bytes) -> bytes:
    if function not in {READ_HOLDING, WRITE_SINGLE, WRITE_MULTIPLE}:
        raise IllegalRequestError(ILLEGAL_FUNCTION, f"function code {function}")
    if len(body) < 4:
        raise IllegalRequestError(ILLEGAL_VALUE, "the request is too short")
    address, count = struct.unpack_from(">HH", body)
    if function == READ_HOLDING:
        return _read(store, address, count, len(body))
    if function == WRITE_SINGLE:
        store.write(address, (count,))
        return body[:4]
    _write_multiple(store, address, count, body[4:])
    return body[:4]


def _read(store: RegisterStore, address: int, count: int, size: int) -> bytes:
    if not 1 <= count <= MAX_READ or size != 4:
        raise IllegalRequestError(ILLEGAL_VALUE, f"{count} registers")
    return read_answer(store.read(address, count))[1:]


def _write_multiple(store: RegisterStore, address: int, count: int, data: bytes) -> None:
    if not 1 <= count <= MAX_WRITE or len(data) != 1 + 2 * count or data[0] != 2 * count:
        raise IllegalRequestError(ILLEGAL_VALUE, f"{count} registers, {len(data)} octets")
    store.write(address, struct.unpack(f">{count}H", data[1:]))
