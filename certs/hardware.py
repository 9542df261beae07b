"""HardwareModuleName, the only name a device certificate carries: its value and its DER form. RFC 4108, 5.

HardwareModuleName ::= SEQUENCE { hwType OBJECT IDENTIFIER, hwSerialNum OCTET STRING }.
IEEE 2030.5-2018, 6.11.7.4.
"""

import re
from dataclasses import dataclass
from typing import Final, Self

from certs.errors import HardwareNameError

_SEQUENCE: Final = 0x30
_OBJECT_IDENTIFIER: Final = 0x06
_OCTET_STRING: Final = 0x04
_OID_TEXT: Final = re.compile(r"[0-2](\.(0|[1-9][0-9]{0,37}))+")
_LONGEST_OCTETS: Final = 0xFFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class HardwareModuleName:
    """Type (dotted OID under the maker's arc) and serial number of a device. IEEE 2030.5-2018, 6.11.7.4.

    HardwareNameError for a type that is no OID or a serial number that is empty or above 65,535 octets.
    """

    hwType: str
    hwSerialNum: bytes

    def __post_init__(self) -> None:
        _arcs_of(self.hwType)
        if not 0 < len(self.hwSerialNum) <= _LONGEST_OCTETS:
            raise HardwareNameError(
                f"hwSerialNum: {len(self.hwSerialNum)} octets, not 1 to {_LONGEST_OCTETS}"
            )

    def to_der(self) -> bytes:
        """DER encoding, the value of an otherName of type id-on-hardwareModuleName. RFC 4108, 5."""
        hw_type = _tagged(_OBJECT_IDENTIFIER, _oid_octets(self.hwType))
        return _tagged(_SEQUENCE, hw_type + _tagged(_OCTET_STRING, self.hwSerialNum))

    @classmethod
    def from_der(cls, encoded: bytes) -> Self:
        """Name that DER octets hold, strictly read; HardwareNameError for anything else. RFC 4108, 5."""
        content, rest = _untagged(encoded, _SEQUENCE)
        hw_type, after_type = _untagged(content, _OBJECT_IDENTIFIER)
        hw_serial_num, after_serial = _untagged(after_type, _OCTET_STRING)
        if rest or after_serial:
            raise HardwareNameError("HardwareModuleName: octets follow its end")
        return cls(hwType=_oid_text(hw_type), hwSerialNum=hw_serial_num)


def _arcs_of(oid: str) -> list[int]:
    if _OID_TEXT.fullmatch(oid) is None:
        raise HardwareNameError(
            f"hwType: {oid[:60]!r} is no dotted object identifier such as 1.3.6.1.4.1.40732.1"
        )
    first, second, *others = (int(arc) for arc in oid.split("."))
    if first < 2 and second >= 40:
        raise HardwareNameError(f"hwType: the second number of {oid[:60]!r} is above 39")
    return [40 * first + second, *others]


def _oid_octets(oid: str) -> bytes:
    return b"".join(_base_128(arc) for arc in _arcs_of(oid))


def _base_128(number: int) -> bytes:
    """Groups of seven bits, most significant first, high bit set on all but the last. ITU-T X.690, 8.19."""
    octets = [number & 0x7F]
    while number := number >> 7:
        octets.append(number & 0x7F | 0x80)
    return bytes(reversed(octets))


def _oid_text(octets: bytes) -> str:
    arcs: list[int] = []
    number, fresh = 0, True
    for octet in octets:
        if fresh and octet == 0x80:
            raise HardwareNameError("hwType: a number starts with a needless zero")
        number = number << 7 | octet & 0x7F
        fresh = octet < 0x80
        if fresh:
            arcs.append(number)
            number = 0
    if not arcs or not fresh:
        raise HardwareNameError("hwType: the object identifier is cut short")
    first = min(arcs[0] // 40, 2)
    return ".".join(str(arc) for arc in (first, arcs[0] - 40 * first, *arcs[1:]))


def _tagged(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    size_octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size_octets)]) + size_octets + content


def _untagged(encoded: bytes, tag: int) -> tuple[bytes, bytes]:
    """Content of the value with this tag at the start, and the rest. ITU-T X.690, 10.1."""
    if len(encoded) < 2 or encoded[0] != tag:
        raise HardwareNameError(f"HardwareModuleName: no value with tag 0x{tag:02X} where one is due")
    size, start = encoded[1], 2
    if size >= 0x80:
        start += size - 0x80
        size = int.from_bytes(encoded[2:start], "big")
    content, rest = encoded[start : start + size], encoded[start + size :]
    if _tagged(tag, content) + rest != encoded or len(content) != size:
        raise HardwareNameError(f"HardwareModuleName: the length of the value with tag 0x{tag:02X} is wrong")
    return content, rest
