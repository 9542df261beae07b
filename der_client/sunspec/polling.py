"""Which registers a cycle reads, in as few requests as possible, and how answers enter the map. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from der_client.sunspec.definitions import HEADER_SIZE
from der_client.sunspec.model import DeviceMap, Model
from der_client.sunspec.ratings import inverter_of
from der_client.sunspec.scan import Read, blocks

TELEMETRY: Mapping[int, str | None] = {701: "ThrotSrc", 713: None, 714: None, 715: None, 160: None}
OLDER_TELEMETRY: Mapping[int, str | None] = {122: None, 124: None, 160: None}
BATTERY: Mapping[int, str | None] = {802: None, 803: None, 804: None, 805: "NCellBal"}
REPEATED = frozenset({160, 804, 805})
"""Models of which a device has one for each gateway unit, string or module: all of them are read."""
IDENTITY: Mapping[int, str | None] = {1: None, 702: None, 120: None, 121: None}
CONTROLS: Mapping[int, str | None] = dict.fromkeys((121, 123, 124, 703, 704, 715))


def telemetry_models(device_map: DeviceMap) -> Mapping[int, str | None]:
    """The models that a reading of this device is made of: those of one series, and its battery."""
    ac = inverter_of(device_map)
    if ac is None or ac.model_id == 701:
        return {**TELEMETRY, **BATTERY}
    return {ac.model_id: None, **OLDER_TELEMETRY, **BATTERY, 713: None, 715: None}


def reads_of(device_map: DeviceMap, wanted: Mapping[int, str | None], max_block: int) -> tuple[Read, ...]:
    """The reads that refresh the wanted models, header included; models side by side share one request.

    `wanted` gives per model number the last point of interest, `None` for the whole model.
    """
    stretches: list[list[int]] = []
    for model in sorted(_wanted_models(device_map, wanted), key=lambda model: model.address):
        for low, high in blocks(0, _end_of(model, wanted[model.model_id]), model.layout, max_block):
            start, end = model.address + low, model.address + high
            if stretches and stretches[-1][1] == start and end - stretches[-1][0] <= max_block:
                stretches[-1][1] = end
            else:
                stretches.append([start, end])
    return tuple(Read(start, end - start) for start, end in stretches)


def _wanted_models(device_map: DeviceMap, wanted: Mapping[int, str | None]) -> Iterator[Model]:
    """The first model of each wanted number that the device let us read, all of those that repeat."""
    for model_id in wanted:
        models = device_map.all(model_id)
        yield from models if model_id in REPEATED else models[:1]


def _end_of(model: Model, last: str | None) -> int:
    """Offset after the last register of interest: of point `last`, or of the last point there is."""
    point = model.point(last) if last else None
    if point is None and model.layout and model.layout.points:
        point = model.layout.points[-1]
    return point.end if point else HEADER_SIZE


@dataclass(frozen=True, slots=True)
class Part:
    """The registers of one model in the answer to a read: `answer[start:end]` go to the model's `offset`."""

    model: Model
    offset: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Poll:
    """A read of a cycle, and which models its answer is for."""

    read: Read
    parts: tuple[Part, ...]

    def absorb(self, words: Sequence[int]) -> str | None:
        """Put the answer into the models; what changed in a header, which makes the whole map doubtful."""
        for part in self.parts:
            model, registers = part.model, words[part.start : part.end]
            header = (model.model_id, model.length)
            if part.offset == 0 and registers[:HEADER_SIZE] != header[: len(registers)]:
                now = ", length ".join(str(word) for word in registers[:HEADER_SIZE])
                return f"model {model.model_id} at {model.address} is now {now}"
            model.update(part.offset, registers)
        return None


def polls_of(device_map: DeviceMap, wanted: Mapping[int, str | None], max_block: int) -> tuple[Poll, ...]:
    """`reads_of` with where each answer goes."""
    return tuple(poll_of(device_map, read) for read in reads_of(device_map, wanted, max_block))


def poll_of(device_map: DeviceMap, read: Read) -> Poll:
    """Where the answer to a read goes: to every model with registers that it covers, wholly or in part."""
    parts = []
    for model in device_map.models:
        low, high = max(read.address, model.address), min(read.address + read.count, model.end)
        if low < high and model.words:
            parts.append(Part(model, low - model.address, low - read.address, high - read.address))
    return Poll(read, tuple(parts))
