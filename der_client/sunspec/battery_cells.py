"""Extremes of the cells of a battery as its SunSpec models tell them: bank, strings, modules. Pure.

SunSpec models 802 to 805. Strings and modules of the same battery are several models of one number.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Final

from der_client.device import CellExtremes
from der_client.sunspec.definitions import layout_of
from der_client.sunspec.model import DeviceMap, Model

MODELS: Final = (802, 803, 804, 805)
HIGHEST_V: Final = frozenset({"CellVMax", "StrCellVMax", "ModCellVMax"})
LOWEST_V: Final = frozenset({"CellVMin", "StrCellVMin", "ModCellVMin"})
HOTTEST_C: Final = frozenset({"ModTmpMax", "StrModTmpMax", "ModCellTmpMax", "CellTmpMax"})
COLDEST_C: Final = frozenset({"ModTmpMin", "StrModTmpMin", "ModCellTmpMin", "CellTmpMin"})
"""Names of points, wherever in a model they stand; a module's own extreme is no cell, and as bad as one."""


def cells_of(device_map: DeviceMap) -> CellExtremes | None:
    """The highest and lowest of all that the models of a battery tell; None where they tell nothing."""
    models = [model for number in MODELS for model in device_map.all(number)]
    found = CellExtremes(
        cell_v_max=_extreme(max, models, HIGHEST_V),
        cell_v_min=_extreme(min, models, LOWEST_V),
        cell_c_max=_extreme(max, models, HOTTEST_C),
        cell_c_min=_extreme(min, models, COLDEST_C),
    )
    return None if found == CellExtremes() else found


def _extreme(
    pick: Callable[[Iterable[float]], float], models: Iterable[Model], names: frozenset[str]
) -> float | None:
    values = [value for model in models for value in _values(model, names)]
    return pick(values) if values else None


def _values(model: Model, names: frozenset[str]) -> Iterator[float]:
    for path in _paths(model.model_id, model.length, names):
        value = model.number(path)
        if value is not None:
            yield float(value)


@cache
def _paths(model_id: int, length: int, names: frozenset[str]) -> tuple[str, ...]:
    """The paths of the points of those names in a model of that length."""
    layout = layout_of(model_id, length)
    points = layout.points if layout else ()
    return tuple(point.name for point in points if point.name.rpartition(".")[2] in names)
