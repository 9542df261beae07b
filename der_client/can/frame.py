"""One CAN 2.0 data frame as a value. Remote, error and FD frames never get this far."""

from __future__ import annotations

from dataclasses import dataclass

MAX_STANDARD_ID = 0x7FF
MAX_EXTENDED_ID = 0x1FFF_FFFF
MAX_DATA_BYTES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class CanFrame:
    """Identifier (11 bit, or 29 bit if `is_extended`), 0 to 8 data bytes, and the time of arrival.

    `received_s` is on the clock of whoever received the frame (monotonic unless said otherwise), s; 0 for
    a frame to be sent.
    """

    arbitration_id: int
    data: bytes
    is_extended: bool = False
    received_s: float = 0.0

    def __post_init__(self) -> None:
        highest = MAX_EXTENDED_ID if self.is_extended else MAX_STANDARD_ID
        if not 0 <= self.arbitration_id <= highest:
            raise ValueError(f"CanFrame.arbitration_id: {self.arbitration_id:#x} outside 0..{highest:#x}")
        if len(self.data) > MAX_DATA_BYTES:
            raise ValueError(f"CanFrame.data: {len(self.data)} bytes, at most {MAX_DATA_BYTES}")

    @property
    def id_text(self) -> str:
        """The identifier as candump writes it: 3 hex digits, 8 for a 29-bit identifier."""
        return f"{self.arbitration_id:08X}" if self.is_extended else f"{self.arbitration_id:03X}"

    def __str__(self) -> str:
        return f"{self.id_text}#{self.data.hex().upper()}"
