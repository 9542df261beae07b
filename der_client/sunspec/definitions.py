"""Model definitions from the files that pysunspec2 installs, compiled to flat points per model and length.

What a definition says with nested, repeating groups becomes one tuple of points with offsets from the model's
ID register. SunSpec Device Information Model Specification 1.2, models, groups and points.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from der_client.sunspec.readers import Reader, reader_of

HEADER_SIZE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One point of a model. `name` is its path (`W`, `PFWInj.PF`, `Crv[0].Pt[2].V`), `offset` counts from ID.

    `scale` is the path of the scale factor point, or a fixed power of ten. `group` is the path of a group
    that must be read and written in one request, else empty. `symbols` are the numbers that an enumeration
    defines.
    """

    name: str
    offset: int
    size: int
    type: str
    scale: str | int | None
    writable: bool
    mandatory: bool
    sync: str
    symbols: frozenset[int]

    @property
    def end(self) -> int:
        """Offset of the register after the point."""
        return self.offset + self.size


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The points that fit a model of a given length, in register order, and what was odd about the length.

    `readers` are filled when points are first read.
    """

    model_id: int
    length: int
    points: tuple[Point, ...]
    by_name: Mapping[str, Point]
    warnings: tuple[str, ...]
    readers: dict[str, Reader] = field(default_factory=dict, repr=False, compare=False)

    def reader(self, name: str) -> Reader | None:
        """The function that reads a point from a model's registers, `None` for a point that is not there."""
        found = self.readers.get(name)
        point = self.by_name.get(name) if found is None else None
        if point is not None:
            found = self.readers[name] = self.made(point)
        return found

    def made(self, point: Point) -> Reader:
        """The function that reads one of the points; not kept, for whoever reads all of them once."""
        scale = self.by_name.get(point.scale) if isinstance(point.scale, str) else None
        fixed = point.scale if isinstance(point.scale, int) else 0
        return reader_of(point.type, point.offset, point.size, scale.offset if scale else None, fixed)

    @property
    def end(self) -> int:
        """Registers of the model with its header; those after the last point are kept as raw values only."""
        return self.length + HEADER_SIZE


@dataclass(frozen=True, slots=True)
class _Repeat:
    """How often a group comes in a model, and why that is odd."""

    instances: int
    warning: str | None = None


@cache
def _definition(model_id: int) -> Mapping[str, Any] | None:
    """The top group of a model's definition, `None` for a model that is not defined."""
    source = files("sunspec2") / "models" / "json" / f"model_{model_id}.json"
    if not source.is_file():
        return None
    group: Mapping[str, Any] = json.loads(source.read_text(encoding="utf-8"))["group"]
    return group


def _defined(model_id: int) -> Mapping[str, Any]:
    """The top group of a model. Raises KeyError for an undefined model."""
    group = _definition(model_id)
    if group is None:
        raise KeyError(model_id)
    return group


def is_defined(model_id: int) -> bool:
    """True if SunSpec (or a registered vendor) has published a definition of the model."""
    return _definition(model_id) is not None


def label_of(model_id: int) -> str:
    """What the definition calls the model, empty for an undefined one."""
    group = _definition(model_id)
    return str(group.get("label") or group["name"]).strip() if group else ""


def count_points(model_id: int) -> tuple[Point, ...]:
    """The points of the fixed part that say how often a group repeats (`NPt`, `NCrv`, ...)."""
    group = _definition(model_id)
    if group is None:
        return ()
    names = frozenset(_count_names(group))
    return tuple(point for point in _points_of(group, 0, "", "") if point.name in names)


def _count_names(group: Mapping[str, Any]) -> Iterator[str]:
    for child in group.get("groups", ()):
        if isinstance(child.get("count"), str):
            yield child["count"]
        yield from _count_names(child)


def _points_of(group: Mapping[str, Any], offset: int, path: str, sync: str) -> Iterator[Point]:
    """The points that stand directly in a group, placed from `offset` on."""
    for point in group.get("points", ()):
        yield Point(
            name=path + point["name"],
            offset=offset,
            size=point["size"],
            type=point["type"],
            scale=point.get("sf"),
            writable=point.get("access") == "RW",
            mandatory=point.get("mandatory") == "M",
            sync=sync,
            symbols=frozenset(symbol["value"] for symbol in point.get("symbols", ())),
        )
        offset += point["size"]


def fixed_size(model_id: int) -> int:
    """Registers of a model's part before its first group, header included; 0 for an undefined model."""
    group = _definition(model_id)
    return sum(point["size"] for point in group.get("points", ())) if group else 0


def _group_size(group: Mapping[str, Any], counts: Mapping[str, int]) -> int:
    """Registers of one instance of a group with everything nested in it."""
    size = sum(point["size"] for point in group.get("points", ()))
    for child in group.get("groups", ()):
        count = child.get("count", 1)
        size += _group_size(child, counts) * (counts.get(count, 0) if isinstance(count, str) else count)
    return int(size)


def _repeat(group: Mapping[str, Any], counts: Mapping[str, int], room: int) -> _Repeat:
    """Instances of a group in `room` registers: the count point's number if it fits, else as many as fit.

    A count of 0 in the definition, or a count point that is not implemented, leaves the number to the length.
    """
    size = _group_size(group, counts)
    count = group.get("count", 1)
    wanted = counts.get(count, 0) if isinstance(count, str) else count
    fits = room // size if size else 0
    if wanted == 0 and not (isinstance(count, str) and count in counts):
        left = room - fits * size
        warning = f"{left} registers left over after {fits} x {group['name']}" if left else None
        return _Repeat(fits, warning)
    if wanted > fits and wanted > 1:
        return _Repeat(fits, f"{count} says {wanted} x {group['name']}, the length holds {fits}")
    return _Repeat(wanted)


class _Compiler:
    """Lays the groups of one definition into the length of one model."""

    def __init__(self, end: int, counts: Mapping[str, int]) -> None:
        self.end = end
        self.counts = counts
        self.points: list[Point] = []
        self.warnings: list[str] = []

    def place(self, group: Mapping[str, Any], offset: int, path: str) -> int:
        """Place a group and all that is nested in it; the offset after it."""
        sync = path.rstrip(".") if group.get("type") == "sync" else ""
        for point in _points_of(group, offset, path, sync):
            self.points.append(point)
            offset = point.end
        for child in group.get("groups", ()):
            offset = self._place_instances(child, offset, path)
        return offset

    def _place_instances(self, group: Mapping[str, Any], offset: int, path: str) -> int:
        repeat = _repeat(group, self.counts, self.end - offset)
        if repeat.warning:
            self.warnings.append(repeat.warning)
        single = "count" not in group or group["count"] == 1
        for index in range(repeat.instances):
            suffix = "." if single else f"[{index}]."
            offset = self.place(group, offset, f"{path}{group['name']}{suffix}")
        return offset


def layout_of(model_id: int, length: int, counts: Mapping[str, int] | None = None) -> Layout | None:
    """The points of a model of `length` registers after L; `None` for an undefined model.

    `counts` are the values of `count_points`; one that contradicts the length yields to the length with a
    warning. Points that do not fit a shorter model are left out: they count as not implemented.
    """
    return (
        _compiled(model_id, length, tuple(sorted((counts or {}).items()))) if is_defined(model_id) else None
    )


def layout_with(model_id: int, counts: Mapping[str, int]) -> Layout:
    """The layout of a model whose length follows from its counts. Raises KeyError for an undefined model."""
    return _compiled(model_id, length_of(model_id, counts), tuple(sorted(counts.items())))


@lru_cache(maxsize=512)
def _compiled(model_id: int, length: int, counts: tuple[tuple[str, int], ...]) -> Layout:
    group = _defined(model_id)
    end = length + HEADER_SIZE
    compiler = _Compiler(end, dict(counts))
    reached = compiler.place(group, 0, "")
    points = tuple(point for point in compiler.points if point.end <= end)
    warnings = list(compiler.warnings)
    if any(point.end > end and point.type != "pad" for point in compiler.points):
        warnings.append(f"length {length} is shorter than the definition ({reached - HEADER_SIZE})")
    names = frozenset(point.name for point in compiler.points)
    points = tuple(replace(point, scale=_scale_path(point, names)) for point in points)
    return Layout(
        model_id=model_id,
        length=length,
        points=points,
        by_name={point.name: point for point in points},
        warnings=tuple(f"model {model_id}: {text}" for text in warnings),
    )


def _scale_path(point: Point, names: frozenset[str]) -> str | int | None:
    """The path of a point's scale factor: the nearest one on the way from its own group up to the model."""
    if not isinstance(point.scale, str):
        return point.scale
    path = point.name.split(".")[:-1]
    candidates = (".".join([*path[:depth], point.scale]) for depth in range(len(path), -1, -1))
    return next((name for name in candidates if name in names), None)


def length_of(model_id: int, counts: Mapping[str, int] | None = None) -> int:
    """L of a model whose count points have the given values. Raises KeyError for an undefined model."""
    return _group_size(_defined(model_id), counts or {}) - HEADER_SIZE
