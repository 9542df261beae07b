"""The registers of a simulated device: a chain of models, with the rules for writing.

SunSpec Device Information Model Specification 1.2, device map and writing; MODBUS Application Protocol
V1.1b3, exceptions.
"""

from collections.abc import Mapping, Sequence

from der_client.sunspec.codec import Rounding, Value, Words, absent_words, decode, encode, raw_of
from der_client.sunspec.definitions import Point, layout_of, layout_with
from der_client.sunspec.model import Model
from der_client.sunspec.scan import END_ID, MARKER

ILLEGAL_ADDRESS = 2
ILLEGAL_VALUE = 3
FIRST_ADDRESS = 40000


class IllegalRequestError(Exception):
    """A request that a device must refuse; `code` is the Modbus exception code."""

    def __init__(self, code: int, detail: str) -> None:
        super().__init__(detail)
        self.code = code


class SilentUnitError(Exception):
    """A request that a unit takes and never answers."""


def build_model(
    model_id: int,
    address: int,
    counts: Mapping[str, int],
    values: Mapping[str, Value],
    *,
    length: int | None = None,
) -> Model:
    """A model at an address: `values` in engineering units by point path, everything else not implemented.

    Scale factors among the values take effect for the others. `length` (L) says how often a group comes that
    no point counts. Raises KeyError for an unknown model or point, ValueError for a value that does not fit.
    """
    layout = layout_with(model_id, counts) if length is None else layout_of(model_id, length, counts)
    if layout is None:
        raise KeyError(model_id)
    model = Model(model_id=model_id, address=address, length=layout.length, layout=layout)
    model.words = [word for point in layout.points for word in absent_words(point.type, point.size)]
    everything = {"ID": model_id, "L": layout.length, **counts, **values}
    scales_first = sorted(everything, key=lambda name: layout.by_name[name].type != "sunssf")
    for name in scales_first:
        put(model, name, everything[name])
    return model


def put(model: Model, name: str, value: Value | None) -> None:
    """Set a point to an engineering value, or to its not-implemented code for `None`.

    Raises KeyError for an unknown point, ValueError for a value that does not fit.
    """
    point = model.point(name)
    if point is None:
        raise KeyError(name)
    model.update(point.offset, _words_for(model, point, value))


def _words_for(model: Model, point: Point, value: Value | None) -> Words:
    if value is None:
        return absent_words(point.type, point.size)
    if isinstance(value, str) or point.type.startswith("float"):
        return encode(point.type, value, point.size)
    return encode(point.type, raw_of(value, model.exponent(point) or 0, Rounding.NEAREST), point.size)


def _is_defined(point: Point, raw: int) -> bool:
    """True for a number that an enumeration defines, for bits that a bit field does, and without either."""
    if not point.symbols:
        return True
    if point.type.startswith("bitfield"):
        return raw & ~sum(1 << bit for bit in point.symbols) == 0
    return raw in point.symbols


def _is_read_only(model: Model, point: Point) -> bool:
    """True for a point of a curve set that says so."""
    group, dot, _ = point.name.partition(".")
    return bool(dot) and group.endswith("]") and model.integer(f"{group}.ReadOnly") == 1


class RegisterBank:
    """A chain of models. `limits` are valid ranges by point (`704.WMaxLimPct`), in engineering units."""

    def __init__(
        self,
        models: Sequence[Model],
        *,
        limits: Mapping[str, tuple[float, float]],
    ) -> None:
        self.models = {model.model_id: model for model in models}
        self.base = FIRST_ADDRESS
        self._chain = tuple(models)
        self._limits = limits

    def read(self, address: int, count: int) -> list[int]:
        """Registers as they are. Raises IllegalRequestError outside the map."""
        flat = [*MARKER]
        for model in self._chain:
            flat += model.words
        flat += [END_ID, 0]
        start = address - self.base
        if start < 0 or start + count > len(flat):
            raise IllegalRequestError(ILLEGAL_ADDRESS, f"{address}+{count} is outside the map")
        return flat[start : start + count]

    def write(self, address: int, words: Sequence[int]) -> tuple[str, ...]:
        """Write whole points, all or nothing; the names of those written.

        Raises IllegalRequestError for read-only and unimplemented points, parts of points or of atomic groups
        (2), and for invalid values (3).
        """
        model, points = self._points_at(address, len(words))
        start = address - model.address
        for point in points:
            self._check(model, point, words[point.offset - start : point.end - start])
        model.update(start, words)
        return tuple(f"{model.model_id}.{point.name}" for point in points)

    def _points_at(self, address: int, count: int) -> tuple[Model, list[Point]]:
        """The model and the points that a write covers exactly."""
        model = next((m for m in self._chain if m.address <= address and address + count <= m.end), None)
        if model is None or model.layout is None:
            raise IllegalRequestError(ILLEGAL_ADDRESS, f"{address}+{count} is not writable")
        start, end = address - model.address, address - model.address + count
        points = [point for point in model.layout.points if start <= point.offset and point.end <= end]
        groups = {point.sync for point in points if point.sync}
        torn = [p for p in model.layout.points if p.sync in groups and p not in points]
        if sum(point.size for point in points) != count or torn:
            raise IllegalRequestError(ILLEGAL_ADDRESS, f"{address}+{count} cuts through a point")
        return model, points

    def _check(self, model: Model, point: Point, words: Sequence[int]) -> None:
        name = f"{model.model_id}.{point.name}"
        if not point.writable or not model.is_implemented(point.name) or _is_read_only(model, point):
            raise IllegalRequestError(ILLEGAL_ADDRESS, f"{name} cannot be written")
        raw = decode(point.type, words)
        if isinstance(raw, float) and point.type.startswith("float"):
            return
        if not isinstance(raw, int) or not _is_defined(point, raw):
            raise IllegalRequestError(ILLEGAL_VALUE, f"{name} cannot be {raw}")
        low, high = self._limits.get(name, (float("-inf"), float("inf")))
        value = raw * 10.0 ** (model.exponent(point) or 0)
        if not low - 1e-9 <= value <= high + 1e-9:
            raise IllegalRequestError(ILLEGAL_VALUE, f"{name} must be {low}..{high}, not {value}")
