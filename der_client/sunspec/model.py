"""A device's register map in memory: models with their registers, read by point name.

The task that owns the device updates the registers; everything else reads values.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from der_client.sunspec.codec import Value, Words, absent_words
from der_client.sunspec.definitions import HEADER_SIZE, Layout, Point
from der_client.sunspec.readers import Reader


@dataclass(slots=True, kw_only=True)
class Model:
    """One model of a device: where it is, what its points are, and the registers as last read.

    `words` counts from the ID register; it is empty where the model was stepped over or could not be read.
    Registers after the last point of the layout are there as raw values.
    """

    model_id: int
    address: int
    length: int
    layout: Layout | None = None
    words: list[int] = field(default_factory=list)

    @property
    def end(self) -> int:
        """Address of the register after the model."""
        return self.address + HEADER_SIZE + self.length

    def point(self, name: str) -> Point | None:
        """The point of that path, `None` where the model or this length of it has none."""
        return self.layout.by_name.get(name) if self.layout else None

    def raw(self, name: str) -> Words | None:
        """The registers of a point as last read."""
        point = self.point(name)
        if point is None or point.end > len(self.words):
            return None
        return tuple(self.words[point.offset : point.end])

    def value(self, name: str) -> Value | None:
        """The engineering value of a point, `None` if it is not implemented (now)."""
        layout = self.layout
        reader = (layout.readers.get(name) or layout.reader(name)) if layout else None
        return None if reader is None else self._read(reader)

    def _read(self, reader: Reader) -> Value | None:
        try:
            return reader(self.words)
        except IndexError:
            return None

    def value_of(self, point: Point) -> Value | None:
        """The engineering value of one of this model's points; a scale factor that is missing counts as 0."""
        return self.value(point.name)

    def exponent(self, point: Point) -> int | None:
        """The power of ten of a point: 0 without scale factor, `None` if that is not implemented."""
        if point.scale is None or isinstance(point.scale, int):
            return point.scale or 0
        value = self.value(point.scale)
        return value if isinstance(value, int) else None

    def number(self, name: str) -> int | float | None:
        """As `value`, for a numeric point."""
        value = self.value(name)
        return None if isinstance(value, str) else value

    def integer(self, name: str) -> int | None:
        """As `value`, for an enumeration, bit field or count."""
        value = self.value(name)
        return value if isinstance(value, int) else None

    def text(self, name: str) -> str:
        """As `value`, for a string: blanks at the ends dropped, empty where not implemented."""
        value = self.value(name)
        return value.strip() if isinstance(value, str) else ""

    def is_implemented(self, name: str) -> bool:
        """True if the point's registers hold something else than its not-implemented code.

        For points that count as written (accumulators apart) this is what decides whether a write may span
        them.
        """
        point = self.point(name)
        words = self.raw(name)
        return point is not None and words is not None and words != absent_words(point.type, point.size)

    def update(self, offset: int, words: Sequence[int]) -> None:
        """Replace registers from `offset` on by what was just read."""
        self.words[offset : offset + len(words)] = words

    def values(self) -> Iterator[tuple[Point, Value]]:
        """All points that are implemented, with their engineering values, in register order."""
        layout = self.layout
        if layout is None:
            return
        for point in layout.points:
            value = self._read(layout.readers.get(point.name) or layout.made(point))
            if value is not None and point.type != "pad":
                yield point, value


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceMap:
    """What a scan found: the models in the order of the bus, and what was odd.

    `is_complete` is false where a guard ended the scan before the end of the map. `max_block` is how many
    registers one read may ask this device for.
    """

    base: int
    models: tuple[Model, ...]
    warnings: tuple[str, ...] = ()
    is_complete: bool = True
    max_block: int = 125
    _numbered: dict[int, list[Model]] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        for model in self.models:
            self._numbered.setdefault(model.model_id, []).append(model)

    def all(self, model_id: int) -> tuple[Model, ...]:
        """All models of that number with registers, in the order of the bus."""
        return tuple(model for model in self._numbered.get(model_id, ()) if model.words)

    def first(self, model_id: int) -> Model | None:
        """The first model of that number with registers, `None` if there is none."""
        for model in self._numbered.get(model_id, ()):
            if model.words:
                return model
        return None

    def identity(self) -> tuple[str, str, str, str]:
        """Manufacturer, model, serial number and version as the common model says."""
        common = self.first(1)
        if common is None:
            return ("", "", "", "")
        return (common.text("Mn"), common.text("Md"), common.text("SN"), common.text("Vr"))
