"""Register writes: points encoded, joined to runs that one request can carry, the enable last.

A run never spans a point that the device does not implement, because the device would refuse all of it; a
group that must be atomic is written whole or not at all. SunSpec Device Information Model Specification 1.2,
writing.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from der_client.device import WrittenPoint
from der_client.sunspec.codec import Rounding, Words, encode, integer_of, raw_of, scaled
from der_client.sunspec.definitions import Point
from der_client.sunspec.model import Model
from der_client.sunspec.permissions import DEFAULT, Permissions

MAX_WRITE = 123
ADOPTING, NOT_ADOPTED = 0, 2
"""What the adopt result says. SunSpec models 705 to 712, AdptCrvRslt."""
ENABLES = ("Ena", "StorCtl_Mod")


@dataclass(frozen=True, slots=True)
class Wanted:
    """An engineering value for a point, where to round it, and whether it must not become 0 by that."""

    value: float
    rounding: Rounding = Rounding.NEAREST
    never_zero: bool = False


class Use(Enum):
    """What a block is for: written and read back, written as an order that shows no more, or only read."""

    SETTING = "setting"
    ORDER = "order"
    EXPECTED = "expected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """What one request of function code 16 carries: contiguous points of one model.

    An EXPECTED block is what the device must show by itself once it has done what was asked.
    """

    model: Model
    points: tuple[Point, ...]
    words: Words
    use: Use = Use.SETTING

    @property
    def address(self) -> int:
        """Bus address of the first register."""
        return self.model.address + self.points[0].offset

    @property
    def is_held(self) -> bool:
        """True if the device shows these registers already, as last read."""
        return tuple(self.model.words[self.points[0].offset : self.points[-1].end]) == self.words

    def one_by_one(self) -> tuple[tuple[int, int], ...]:
        """Its registers as offsets and words in the order of single writes.

        An enable is written last where it enables, first where it disables.
        """
        start = self.points[0].offset
        pairs = [(start + index, word) for index, word in enumerate(self.words)]
        enables = {
            point.offset: self.words[point.offset - start]
            for point in self.points
            if point.name.endswith(ENABLES)
        }
        return tuple(
            sorted(pairs, key=lambda pair: 0 if pair[0] not in enables else 1 if enables[pair[0]] else -1)
        )

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


class Adoption(Enum):
    """How far a device is with a curve that it was told to adopt."""

    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The blocks of one function in the order of writing, and how its dead-man switch is seen.

    `timer` is the point that shows the time left. Without one, `refresh_s` is the time after which the device
    gives up by itself, unseen. `result` is the point that tells whether a curve was adopted: the next step
    waits for it. `verify` makes the next step wait until this one reads back.
    """

    field: str
    model: Model
    blocks: tuple[Block, ...]
    timer: str | None = None
    timer_s: int = 0
    refresh_s: int = 0
    result: str | None = None
    verify: bool = False

    @property
    def is_held(self) -> bool:
        """True if nothing of it would change a register."""
        return all(block.is_held for block in self.blocks)

    @property
    def to_write(self) -> tuple[Block, ...]:
        """Blocks that are sent; the others are only looked at."""
        return tuple(block for block in self.blocks if block.use is not Use.EXPECTED)

    @property
    def to_see(self) -> tuple[Block, ...]:
        """Blocks that must read back; an order need not."""
        return tuple(block for block in self.blocks if block.use is not Use.ORDER)

    @property
    def is_shown(self) -> bool:
        """True if the device shows all that can be seen of it."""
        return all(block.is_held for block in self.to_see)

    @property
    def due_blocks(self) -> tuple[Block, ...]:
        """What to send: all blocks where a timer must restart, else orders and what changes a register."""
        restarts = self.timer or self.refresh_s
        return tuple(
            block for block in self.to_write if restarts or block.use is Use.ORDER or not block.is_held
        )

    @property
    def remaining_s(self) -> int | None:
        """Seconds until the device reverts, as last read; `None` without a timer."""
        return self.model.integer(self.timer) if self.timer else None

    @property
    def is_adopting(self) -> bool:
        """True if the device, as last read, does not say that it is done with a curve."""
        return self.result is not None and self.model.integer(self.result) == ADOPTING

    @property
    def adoption(self) -> Adoption:
        """How far the adoption is, as last read; a device that never reports it is judged by what it shows.

        SunSpec models 705 to 712, adopt request and result.
        """
        result = self.model.integer(self.result) if self.result else 1
        if result == NOT_ADOPTED:
            return Adoption.FAILED
        shows = all(block.is_held for block in self.blocks if block.use is Use.EXPECTED)
        return Adoption.DONE if shows else Adoption.PENDING


def _engineering(model: Model, point: Point, words: Words) -> float:
    raw = integer_of(words, signed=point.type.startswith("int"))
    return float(scaled(raw, model.exponent(point) or 0))


def encode_point(model: Model, point: Point, wanted: Wanted) -> Words:
    """The registers of a value in a point of a device.

    Raises ValueError where its scale factor is not implemented, the value does not fit or becomes 0 and must
    not.
    """
    exponent = model.exponent(point)
    if exponent is None:
        msg = f"{model.model_id}.{point.name}: scale factor {point.scale} is not implemented"
        raise ValueError(msg)
    raw = raw_of(wanted.value, exponent, wanted.rounding)
    if raw == 0 and wanted.never_zero:
        msg = f"{model.model_id}.{point.name}: {wanted.value} is below its first step"
        raise ValueError(msg)
    if point.symbols and point.type.startswith("enum") and raw not in point.symbols:
        msg = f"{model.model_id}.{point.name}: {raw} is not defined"
        raise ValueError(msg)
    return encode(point.type, raw, point.size)


def step_of(
    model: Model,
    field: str,
    required: Mapping[str, Wanted],
    *,
    optional: Mapping[str, Wanted] | None = None,
    enable: str | None = None,
    timer: str | None = None,
    permissions: Permissions = DEFAULT,
) -> Step:
    """The step that writes `required` and those of `optional` that the device implements, `enable` last.

    Raises ValueError where a required point is not implemented, protected, or cannot hold its value.
    """
    encoded = {name: _encoded(model, name, wanted, permissions) for name, wanted in required.items()}
    extras = {name: wanted for name, wanted in (optional or {}).items() if _is_whole(model, name)}
    encoded |= {name: _encoded(model, name, wanted, permissions) for name, wanted in extras.items()}
    timer_s = next((int(wanted.value) for name, wanted in extras.items() if name.endswith("RvrtTms")), 0)
    shows = timer if timer and timer_s and model.is_implemented(timer) else None
    return Step(
        field=field,
        model=model,
        blocks=tuple(sorted(blocks_of(model, encoded.values()), key=lambda block: _carries(block, enable))),
        timer=shows,
        timer_s=timer_s if shows else 0,
        refresh_s=0 if shows else timer_s,
    )


def _is_whole(model: Model, name: str) -> bool:
    """True if the point, and all others of its atomic group, are implemented."""
    point = model.point(name)
    if point is None or not point.sync:
        return model.is_implemented(name)
    group = [other for other in model.layout.points if other.sync == point.sync] if model.layout else []
    return all(model.is_implemented(other.name) for other in group)


def _encoded(
    model: Model, name: str, wanted: Wanted, permissions: Permissions = DEFAULT
) -> tuple[Point, Words]:
    point = writable_point(model, name, permissions)
    if not _is_whole(model, name):
        msg = f"{model.model_id}.{name} is not implemented"
        raise ValueError(msg)
    return point, encode_point(model, point, wanted)


def writable_point(model: Model, name: str, permissions: Permissions = DEFAULT) -> Point:
    """The point of that path. Raises ValueError where it is not there, read-only or protected."""
    point = model.point(name)
    if point is None or not point.writable:
        msg = f"{model.model_id}.{name} is not implemented"
        raise ValueError(msg)
    if not permissions.cover(model.model_id, point):
        msg = f"{model.model_id}.{name} is protected"
        raise ValueError(msg)
    return point


def blocks_of(
    model: Model, encoded: Iterable[tuple[Point, Words]], use: Use = Use.SETTING
) -> Iterator[Block]:
    """Contiguous stretches of points that fit a request, in register order."""
    run: list[tuple[Point, Words]] = []
    for point, words in sorted(encoded, key=lambda item: item[0].offset):
        if run and (run[-1][0].end != point.offset or point.end - run[0][0].offset > MAX_WRITE):
            yield _block(model, run, use)
            run = []
        run.append((point, words))
    if run:
        yield _block(model, run, use)


def _block(model: Model, run: Sequence[tuple[Point, Words]], use: Use) -> Block:
    return Block(
        use=use,
        model=model,
        points=tuple(point for point, _ in run),
        words=tuple(word for _, words in run for word in words),
    )


def _carries(block: Block, enable: str | None) -> bool:
    return any(point.name == enable for point in block.points)
