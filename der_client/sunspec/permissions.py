"""Which points may be written: none by default that hold the grid code, a rating or the islanding detection.

Everything that is not named here is never written, whatever a device allows.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from der_client.sunspec.definitions import Point

ALL = None
"""Every writable point of a model."""

STORAGE_LIMITS = frozenset(
    {
        "StorCtl_Mod",
        "OutWRte",
        "InWRte",
        "InOutWRte_WinTms",
        "InOutWRte_RvrtTms",
        "InOutWRte_RmpTms",
        "ChaGriSet",
    }
)
CONTROLS: Mapping[int, frozenset[str] | None] = {
    121: frozenset({"WGra"}),
    123: ALL,
    124: STORAGE_LIMITS,
    703: frozenset({"ES", "ESDlyTms", "ESRndTms", "ESRmpTms"}),
    704: ALL,
    705: ALL,
    706: ALL,
    711: ALL,
    712: ALL,
    715: frozenset({"OpCtl", "ControllerHb"}),
    802: frozenset({"CtrlHb"}),
}
BY_NAME = frozenset({126, 127, 129, 130, 131, 132, 134, 135, 136, 137, 138, 139, 140, 141, 142})
"""Models of the older series that can be permitted one by one."""
GRID_CODE: Mapping[int, frozenset[str] | None] = {
    703: frozenset({"ESVHi", "ESVLo", "ESHzHi", "ESHzLo"}),
    **dict.fromkeys((707, 708, 709, 710), ALL),
    **dict.fromkeys(sorted(BY_NAME), ALL),
}
"""Written only with the permission of whoever answers for the device at its grid connection."""
CONTACTOR = (802, "SetOp")
"""Opens and closes the contactor of a battery."""
NEVER = frozenset({"704.AntiIslEna"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Permissions:
    """What the operator permits for one device.

    `allow_grid_code_writes` opens trip and ride-through settings (707 to 710, 129 to 142), the window of
    model 703 and the curves of the older series; `models` opens single models of that series.
    `open_contactor` lets interlocks ask a battery to disconnect itself (802.SetOp); nothing closes it again.
    """

    allow_grid_code_writes: bool = False
    models: tuple[int, ...] = ()
    open_contactor: bool = False

    def __post_init__(self) -> None:
        foreign = sorted(set(self.models) - BY_NAME)
        if foreign:
            msg = f"models {foreign} cannot be permitted by name"
            raise ValueError(msg)

    def cover(self, model_id: int, point: Point) -> bool:
        """True if the point may be written."""
        if f"{model_id}.{point.name}" in NEVER:
            return False
        if _holds(CONTROLS, model_id, point.name):
            return True
        if (model_id, point.name) == CONTACTOR:
            return self.open_contactor
        return self.cover_model(model_id) and _holds(GRID_CODE, model_id, point.name)

    def cover_model(self, model_id: int) -> bool:
        """True if the settings of the grid code in a model may be written, or if it holds none."""
        return model_id not in GRID_CODE or self.allow_grid_code_writes or model_id in self.models


def _holds(table: Mapping[int, frozenset[str] | None], model_id: int, name: str) -> bool:
    if model_id not in table:
        return False
    names = table[model_id]
    return names is None or name in names


DEFAULT = Permissions()
