"""All registers of a device as text for a report of a bug; the simulator can serve them again."""

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from der_client.device import FaultKind
from der_client.sunspec.definitions import HEADER_SIZE
from der_client.sunspec.scan import (
    ADDRESS_SPACE,
    BY_SILENCE,
    END_ID,
    ILLEGAL_ADDRESS,
    MARKER,
    MAX_LENGTH,
    MAX_MODELS,
    PASSING,
    Answer,
    Failure,
    Read,
    ScanSettings,
)
from der_client.sunspec.transport import ModbusTransport, TransportSettings

WORDS_A_LINE: Final = 16
UNKNOWN: Final = "----"
SERIAL_NUMBER: Final = (1, 50, 66)
"""Model, first register of SN and the one after it, counted from ID."""

Registers = dict[int, int | None]
"""By address; `None` is one that the device did not give."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dump:
    """The registers of a device. `broken_by`: why some are missing that it may give another time."""

    registers: Registers
    broken_by: Failure | None = None

    def text(self) -> str:
        """The registers as lines, and what they lack."""
        lack = f"# NOT COMPLETE: {self.broken_by.detail}\n" if self.broken_by else ""
        return image_text(self.registers) + lack


Steps = Generator[Read, Answer, Dump | Failure]


async def dump(
    host: str,
    port: int,
    unit: int,
    settings: TransportSettings,
    scan: ScanSettings,
    *,
    hide_serial: bool = False,
) -> Dump | Failure:
    """The registers of every model, known or not; a Failure where there is no SunSpec map.

    With `hide_serial` the serial number is left out, as if it had not been read.
    """
    transport = ModbusTransport(host, port, unit, settings)
    try:
        found = await _read(transport, scan)
    finally:
        await transport.close()
    if isinstance(found, Failure) or not hide_serial:
        return found
    return replace(found, registers=without_serial(found.registers))


async def _read(transport: ModbusTransport, settings: ScanSettings) -> Dump | Failure:
    """Carry the reads of a dump to the bus and the answers back."""
    steps = dump_steps(settings)
    try:
        read = next(steps)
        while True:
            read = steps.send(await transport.read(read.address, read.count))
    except StopIteration as done:
        result: Dump | Failure = done.value
        return result


def dump_steps(settings: ScanSettings) -> Steps:
    """The reads of a dump: marker, header by header, all of each model. What is refused is left out."""
    reasons: list[str] = []
    kind = FaultKind.NO_ANSWER
    for base in settings.bases:
        answer = yield Read(base, len(MARKER))
        if answer == MARKER:
            return (yield from _models(base, settings))
        reasons.append(f"{base}: {answer.detail if isinstance(answer, Failure) else 'no SunS marker'}")
        kind = answer.kind if isinstance(answer, Failure) else FaultKind.MALFORMED
    return Failure(kind, "no SunSpec map at " + "; ".join(reasons))


def _models(base: int, settings: ScanSettings) -> Generator[Read, Answer, Dump]:
    """Everything after the marker, up to the end of the map or of what the device says."""
    registers: Registers = dict(enumerate(MARKER, base))
    address = base + len(MARKER)
    broken_by: Failure | None = None
    for _ in range(MAX_MODELS):
        header = yield Read(address, HEADER_SIZE)
        if isinstance(header, Failure):
            broken_by = broken_by or (None if _ends(header, settings) else header)
            break
        registers |= dict(enumerate(header, address))
        model_id, length = header
        end = address + HEADER_SIZE + length
        if model_id in {0, END_ID} or length > MAX_LENGTH or end + HEADER_SIZE > ADDRESS_SPACE:
            break
        for start in range(address + HEADER_SIZE, end, settings.max_block):
            count = min(settings.max_block, end - start)
            answer = yield Read(start, count)
            if isinstance(answer, Failure) and (answer.code is None or answer.code in PASSING):
                broken_by = broken_by or answer
            registers |= dict(enumerate([None] * count if isinstance(answer, Failure) else answer, start))
        address = end
    return Dump(registers=registers, broken_by=broken_by)


def _ends(failure: Failure, settings: ScanSettings) -> bool:
    """True for what a device without an end model says at the end of its map."""
    is_silent = failure.kind is FaultKind.NO_ANSWER and settings.map_end == BY_SILENCE
    return failure.code == ILLEGAL_ADDRESS or is_silent


def without_serial(registers: Mapping[int, int | None]) -> Registers:
    """The same with the serial number of every common model taken away."""
    model_id, start, end = SERIAL_NUMBER
    hidden = {
        address + at
        for address, found_id, length in _headers(registers)
        if found_id == model_id
        for at in range(start, min(end, length + HEADER_SIZE))
    }
    return {address: None if address in hidden else word for address, word in registers.items()}


def _headers(registers: Mapping[int, int | None]) -> Iterator[tuple[int, int, int]]:
    """Address, number and length of each model of a dump."""
    address = min(registers) + len(MARKER)
    while (model_id := registers.get(address)) not in {None, 0, END_ID}:
        length = registers.get(address + 1)
        if length is None:
            return
        yield address, model_id or 0, length
        address += HEADER_SIZE + length


def image_text(registers: Mapping[int, int | None]) -> str:
    """Registers as lines of an address and up to 16 words in hex; `----` is one that is not known."""
    models = ", ".join(f"{model_id} ({length})" for _, model_id, length in _headers(registers))
    lines = [f"# SunSpec map at {min(registers)}: models {models or 'none'}"]
    addresses = sorted(registers)
    line: list[int] = []
    for address in addresses:
        if line and (address != line[-1] + 1 or len(line) == WORDS_A_LINE):
            lines.append(_line(line, registers))
            line = []
        line.append(address)
    lines.append(_line(line, registers))
    return "\n".join(lines) + "\n"


def _line(addresses: list[int], registers: Mapping[int, int | None]) -> str:
    words = (registers[address] for address in addresses)
    return f"{addresses[0]}: " + " ".join(UNKNOWN if word is None else f"{word:04X}" for word in words)
