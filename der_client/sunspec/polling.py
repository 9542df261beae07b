"""Which registers a cycle reads, in as few requests as possible, and how answers enter the map. Pure."""

from collections.abc import Iterator, Mapping, Sequence

from der_client.sunspec.definitions import HEADER_SIZE
from der_client.sunspec.model import DeviceMap, Model
from der_client.sunspec.scan import Read, blocks

TELEMETRY: Mapping[int, str | None] = {701: "ThrotSrc", 713: None, 714: None, 715: None}
IDENTITY: Mapping[int, str | None] = {1: None, 702: None, 120: None, 121: None}
CONTROLS: Mapping[int, str | None] = dict.fromkeys((121, 123, 124, 703, 704, 715))


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
    """The first model of each wanted number that the device let us read."""
    for model_id in wanted:
        model = device_map.first(model_id)
        if model is not None:
            yield model


def _end_of(model: Model, last: str | None) -> int:
    """Offset after the last register of interest: of point `last`, or of the last point there is."""
    point = model.point(last) if last else None
    if point is None and model.layout and model.layout.points:
        point = model.layout.points[-1]
    return point.end if point else HEADER_SIZE


def absorb(device_map: DeviceMap, read: Read, words: Sequence[int]) -> str | None:
    """Put the answer to a read into the map; what changed in a header, which makes the whole map doubtful."""
    for model in device_map.models:
        low, high = max(read.address, model.address), min(read.address + read.count, model.end)
        if low >= high or not model.words:
            continue
        part = words[low - read.address : high - read.address]
        if low == model.address and tuple(part[:HEADER_SIZE]) != (model.model_id, model.length)[: len(part)]:
            return f"model {model.model_id} at {model.address} is now {part[0]}, length {part[1:2]}"
        model.update(low - model.address, part)
    return None
