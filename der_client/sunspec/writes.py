"""Register writes: points encoded, joined to runs that one request can carry, the enable last.

A run never spans a point that the device does not implement, because the device would refuse all of it; a
group that must be atomic is written whole or not at all. SunSpec Device Information Model Specification 1.2,
writing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from der_client.device import WrittenPoint
from der_client.sunspec.codec import Rounding, Words, encode, integer_of, raw_of, scaled
from der_client.sunspec.definitions import Point
from der_client.sunspec.model import Model

ALLOWED = {703: frozenset({"ES"}), 715: frozenset({"OpCtl", "ControllerHb"})}
PROTECTED = {704: frozenset({"AntiIslEna"})}


@dataclass(frozen=True, slots=True)
class Wanted:
    """An engineering value for a point and where to round it."""

    value: float
    rounding: Rounding = Rounding.NEAREST


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """What one request of function code 16 carries: contiguous points of one model."""

    model: Model
    points: tuple[Point, ...]
    words: Words

    @property
    def address(self) -> int:
        """Bus address of the first register."""
        return self.model.address + self.points[0].offset

    @property
    def is_held(self) -> bool:
        """True if the device shows these registers already, as last read."""
        return tuple(self.model.words[self.points[0].offset : self.points[-1].end]) == self.words

    def written(self) -> Iterator[tuple[WrittenPoint, Words | None]]:
        """Each point as it was written, and the registers that the device showed when last read."""
        start = self.points[0].offset
        for point in self.points:
            words = self.words[point.offset - start : point.end - start]
            yield (
                WrittenPoint(
                    point=f"{self.model.model_id}.{point.name}",
                    address=self.model.address + point.offset,
                    raw=words,
                    value=_engineering(self.model, point, words),
                ),
                self.model.raw(point.name),
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The blocks of one function in the order of writing, and the point that shows its reversion timer."""

    field: str
    model: Model
    blocks: tuple[Block, ...]
    timer: str | None = None
    timer_s: int = 0

    @property
    def is_held(self) -> bool:
        """True if nothing of it would change a register."""
        return all(block.is_held for block in self.blocks)

    @property
    def due_blocks(self) -> tuple[Block, ...]:
        """What to send: all blocks where a timer must restart, else those that change a register."""
        return tuple(block for block in self.blocks if self.timer or not block.is_held)

    @property
    def remaining_s(self) -> int | None:
        """Seconds until the device reverts, as last read; `None` without a timer."""
        return self.model.integer(self.timer) if self.timer else None


def _engineering(model: Model, point: Point, words: Words) -> float:
    raw = integer_of(words, signed=point.type.startswith("int"))
    return float(scaled(raw, model.exponent(point) or 0))


def encode_point(model: Model, point: Point, wanted: Wanted) -> Words:
    """The registers of a value in a point of a device.

    Raises ValueError where its scale factor is not implemented or the value does not fit.
    """
    exponent = model.exponent(point)
    if exponent is None:
        msg = f"{model.model_id}.{point.name}: scale factor {point.scale} is not implemented"
        raise ValueError(msg)
    raw = raw_of(wanted.value, exponent, wanted.rounding)
    if point.symbols and raw not in point.symbols:
        msg = f"{model.model_id}.{point.name}: {raw} is not defined"
        raise ValueError(msg)
    return encode(point.type, raw, point.size)


def is_permitted(model_id: int, point: Point) -> bool:
    """True unless the point belongs to the protected set: grid code settings, ratings, anti-islanding."""
    if model_id in ALLOWED:
        return point.name in ALLOWED[model_id]
    return model_id == 704 and point.name not in PROTECTED[704]


def step_of(
    model: Model,
    field: str,
    required: Mapping[str, Wanted],
    *,
    optional: Mapping[str, Wanted] | None = None,
    enable: str | None = None,
    timer: str | None = None,
) -> Step:
    """The step that writes `required` and those of `optional` that the device implements.

    Raises ValueError where a required point is not implemented, protected, or cannot hold its value.
    """
    encoded = {name: _encoded(model, name, wanted) for name, wanted in required.items()}
    extras = {name: wanted for name, wanted in (optional or {}).items() if _is_whole(model, name)}
    encoded |= {name: _encoded(model, name, wanted) for name, wanted in extras.items()}
    timer_s = next((int(wanted.value) for name, wanted in extras.items() if name.endswith("RvrtTms")), 0)
    armed = timer and timer_s and model.is_implemented(timer)
    return Step(
        field=field,
        model=model,
        blocks=tuple(sorted(_runs(model, encoded), key=lambda block: _carries(block, enable))),
        timer=timer if armed else None,
        timer_s=timer_s if armed else 0,
    )


def _is_whole(model: Model, name: str) -> bool:
    """True if the point, and all others of its atomic group, are implemented."""
    point = model.point(name)
    if point is None or not point.sync:
        return model.is_implemented(name)
    group = [other for other in model.layout.points if other.sync == point.sync] if model.layout else []
    return all(model.is_implemented(other.name) for other in group)


def _encoded(model: Model, name: str, wanted: Wanted) -> tuple[Point, Words]:
    point = model.point(name)
    if point is None or not point.writable or not _is_whole(model, name):
        msg = f"{model.model_id}.{name} is not implemented"
        raise ValueError(msg)
    if not is_permitted(model.model_id, point):
        msg = f"{model.model_id}.{name} is protected"
        raise ValueError(msg)
    return point, encode_point(model, point, wanted)


def _runs(model: Model, encoded: Mapping[str, tuple[Point, Words]]) -> Iterator[Block]:
    """Contiguous stretches of points, in register order."""
    ordered = sorted(encoded.values(), key=lambda item: item[0].offset)
    start = 0
    for index, (point, _) in enumerate(ordered, start=1):
        if index == len(ordered) or ordered[index][0].offset != point.end:
            yield _block(model, ordered[start:index])
            start = index


def _block(model: Model, run: Sequence[tuple[Point, Words]]) -> Block:
    return Block(
        model=model,
        points=tuple(point for point, _ in run),
        words=tuple(word for _, words in run for word in words),
    )


def _carries(block: Block, enable: str | None) -> bool:
    return any(point.name == enable for point in block.points)
