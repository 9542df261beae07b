"""Discovery of a SunSpec map without IO: the scan yields the reads it wants and is sent their answers.

SunSpec Device Information Model Specification 1.2, device map and discovery; the forms of map end and the
lengths that devices show in the field are accepted.
"""

from collections.abc import Callable, Container, Generator, Iterator
from dataclasses import dataclass

from der_client.device import FaultKind
from der_client.sunspec.codec import Words, decode
from der_client.sunspec.definitions import (
    HEADER_SIZE,
    Layout,
    count_points,
    fixed_size,
    is_defined,
    layout_of,
)
from der_client.sunspec.model import DeviceMap, Model

MARKER: Words = (0x5375, 0x6E53)
COMMON = 1
END_ID = 0xFFFF
MAX_MODELS = 256
MAX_LENGTH = 2000
ADDRESS_SPACE = 0x10000
ILLEGAL_ADDRESS = 2
ILLEGAL_VALUE = 3
PASSING = frozenset({5, 6, 10, 11})
"""Exception codes that say "not now": acknowledge, busy, and a gateway that did not reach the device."""
LEAST_BLOCK = 8
BY_EXCEPTION, BY_SILENCE = "exception", "silence"


@dataclass(frozen=True, slots=True)
class Read:
    """Holding registers wanted: `count` from `address` on."""

    address: int
    count: int


@dataclass(frozen=True, slots=True)
class Failure:
    """A request that brought nothing: `code` is the Modbus exception code if the device gave one."""

    kind: FaultKind
    detail: str
    code: int | None = None


Answer = Words | Failure
Steps = Generator[Read, Answer, DeviceMap | Failure]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanSettings:
    """Where maps may begin and how many registers a read may ask for (some gateways allow 50 only).

    `map_end`: what a device without an end model does at the end of its map, refuse the address (`exception`)
    or give no answer (`silence`).
    """

    bases: tuple[int, ...] = (40000, 0, 50000)
    max_block: int = 125
    map_end: str = BY_EXCEPTION

    def __post_init__(self) -> None:
        if self.map_end not in {BY_EXCEPTION, BY_SILENCE}:
            msg = f"map_end: {self.map_end!r} is neither exception nor silence"
            raise ValueError(msg)
        if wrong := [base for base in self.bases if not 0 <= base < ADDRESS_SPACE - len(MARKER)]:
            msg = f"bases: {wrong[0]} is outside 0 to {ADDRESS_SPACE - len(MARKER) - 1}"
            raise ValueError(msg)
        if not 2 <= self.max_block <= 125:
            msg = f"max_block: {self.max_block} is outside 2 to 125"
            raise ValueError(msg)


Adapt = Callable[[ScanSettings, tuple[str, str, str, str]], ScanSettings]
"""From the settings and the identity of a device to the settings with which its scan goes on."""


def blocks(start: int, end: int, layout: Layout | None, max_block: int) -> Iterator[tuple[int, int]]:
    """Offsets `(start, end)` of reads that cover a stretch of a model without splitting a point over two.

    A group that must be read at once counts as a point. What is longer than a block is split, and so are
    registers of which the layout says nothing.
    """
    while start < end:
        stop = min(start + max_block, end)
        if stop < end and layout:
            whole = next((low for low, high in _wholes(layout) if low < stop < high), start)
            stop = whole if whole > start else stop
        yield start, stop
        start = stop


def _wholes(layout: Layout) -> Iterator[tuple[int, int]]:
    """Offsets of what one read should bring: atomic groups first, then points."""
    groups = {point.sync for point in layout.points if point.sync}
    for group in sorted(groups):
        offsets = [(point.offset, point.end) for point in layout.points if point.sync == group]
        yield min(low for low, _ in offsets), max(high for _, high in offsets)
    yield from ((point.offset, point.end) for point in layout.points)


def scan(settings: ScanSettings, wanted: Container[int] | None = None, adapt: Adapt | None = None) -> Steps:
    """The steps that discover a device; the result is its map, or a Failure that says why there is none.

    `wanted` limits the models whose registers are read; headers are always walked to the end of the map.
    `adapt` gives the settings for a device once its common model has been read.
    """
    kind = FaultKind.NO_ANSWER
    reasons: list[str] = []
    for base in settings.bases:
        answer = yield Read(base, len(MARKER))
        if answer == MARKER:
            return (yield from _Walk(base, settings, wanted, adapt).steps())
        reasons.append(f"{base}: {answer.detail if isinstance(answer, Failure) else 'no SunS marker'}")
        kind = answer.kind if isinstance(answer, Failure) else FaultKind.MALFORMED
    return Failure(kind, "no SunSpec map at " + "; ".join(reasons))


class _Walk:
    """The walk from model to model after the marker."""

    def __init__(
        self, base: int, settings: ScanSettings, wanted: Container[int] | None, adapt: Adapt | None
    ) -> None:
        self.base = base
        self.settings = settings
        self.wanted = wanted
        self.adapt = adapt
        self.max_block = settings.max_block
        self.models: list[Model] = []
        self.warnings: list[str] = []

    def steps(self) -> Steps:
        address = self.base + len(MARKER)
        while (trouble := self._guard(address)) is None:
            header = yield Read(address, HEADER_SIZE)
            if isinstance(header, Failure):
                return self._ended_by(header)
            model = Model(model_id=header[0], address=address, length=header[1])
            if model.model_id in {0, END_ID}:
                return self._map()
            if model.length > MAX_LENGTH or model.end > ADDRESS_SPACE:
                return self._map(
                    f"model {model.model_id} at {address}: length {model.length} is not possible"
                )
            failure = yield from self._read(model)
            if failure:
                return failure
            self.models.append(model)
            self._adapt(model)
            address = model.end
        return self._map(trouble)

    def _adapt(self, model: Model) -> None:
        """Go on with the settings for this device, once it has said what it is."""
        if model.model_id == COMMON and model.words and self.adapt:
            found = DeviceMap(base=self.base, models=(model,))
            self.settings, self.adapt = self.adapt(self.settings, found.identity()), None
            self.max_block = min(self.max_block, self.settings.max_block)

    def _guard(self, address: int) -> str | None:
        """Why the walk must not go on, or `None`."""
        if len(self.models) >= MAX_MODELS:
            return f"more than {MAX_MODELS} models"
        return None if address + HEADER_SIZE <= ADDRESS_SPACE else "the map runs over the address space"

    def _ended_by(self, failure: Failure) -> DeviceMap | Failure:
        """Some devices have no end model and refuse the address instead, or fall silent."""
        is_silent = failure.kind is FaultKind.NO_ANSWER and self.settings.map_end == BY_SILENCE
        ends = failure.code == ILLEGAL_ADDRESS or is_silent
        return self._map() if ends and self.models else failure

    def _map(self, trouble: str | None = None) -> DeviceMap:
        warnings = (*self.warnings, trouble) if trouble else tuple(self.warnings)
        return DeviceMap(
            base=self.base,
            models=tuple(self.models),
            warnings=warnings,
            is_complete=not trouble,
            max_block=self.max_block,
        )

    def _read(self, model: Model) -> Generator[Read, Answer, Failure | None]:
        """Read a model that is defined and wanted; a Failure only where it may be read another time."""
        if not is_defined(model.model_id) or not (self.wanted is None or model.model_id in self.wanted):
            return None
        end = HEADER_SIZE + model.length
        first = end
        if count_points(model.model_id) and end > self.max_block:
            first = min(fixed_size(model.model_id), end)
        model.layout = layout_of(model.model_id, model.length)
        for stretch in ((0, first), (first, end)):
            failure = yield from self._read_stretch(model, *stretch)
            if failure:
                return self._unread(model, failure)
            model.layout = layout_of(model.model_id, model.length, _counts(model))
        self._note(model)
        return None

    def _read_stretch(self, model: Model, start: int, end: int) -> Generator[Read, Answer, Failure | None]:
        while True:
            failure = yield from self._read_blocks(model, start, end)
            longest = min(self.max_block, end - start)
            if failure is None or failure.code != ILLEGAL_VALUE or longest // 2 < LEAST_BLOCK:
                return failure
            self.max_block = longest // 2

    def _read_blocks(self, model: Model, start: int, end: int) -> Generator[Read, Answer, Failure | None]:
        """Read a stretch in blocks; code 3 is the answer of a device that gives fewer registers at once."""
        for low, high in blocks(start, end, model.layout, self.max_block):
            answer = yield Read(model.address + low, high - low)
            if isinstance(answer, Failure):
                return answer
            model.update(low, answer)
        return None

    def _unread(self, model: Model, failure: Failure) -> Failure | None:
        """A model that the device refuses to show is kept without registers.

        Silence, and what passes, end the scan: without its registers the model would be missing until the
        next one. MODBUS Application Protocol V1.1b3, section 7.
        """
        if failure.code is None or failure.code in PASSING:
            return failure
        model.words.clear()
        self.warnings.append(f"model {model.model_id} at {model.address}: {failure.detail}")
        return None

    def _note(self, model: Model) -> None:
        """Collect what is odd about a model: its length, and valid points that lack their scale factor."""
        self.warnings.extend(model.layout.warnings if model.layout else ())
        lacking = {
            point.scale
            for point, _ in model.values()
            if point.scale is not None and model.exponent(point) is None
        }
        self.warnings.extend(
            f"model {model.model_id}: {name} is not implemented, 0 is used"
            for name in sorted(map(str, lacking))
        )


def _counts(model: Model) -> dict[str, int]:
    """The count points of a model that hold a number."""
    read = (point for point in count_points(model.model_id) if point.end <= len(model.words))
    values = {point.name: decode(point.type, model.words[point.offset : point.end]) for point in read}
    return {name: value for name, value in values.items() if isinstance(value, int)}
