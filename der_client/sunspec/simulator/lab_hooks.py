"""Model 64414: registers by which a test bench sets sun and grid of a simulated inverter."""

from der_client.sunspec.model import Model

FULL_SUN_W_M2 = 1000.0


class LabHooks:
    """What a test bench has set; nothing of it counts until its register is written.

    `irradiance` is a share of full sun. The grid's voltage is the mean of its three registers.
    """

    def __init__(self, model: Model | None) -> None:
        self._model = model
        self.irradiance: float | None = None

    def written(self, names: tuple[str, ...]) -> bool:
        """Points were written; true if the grid is another now."""
        if "64414.Irradiance" in names:
            self.irradiance = self._number("Irradiance") / FULL_SUN_W_M2
        return any(name.startswith("64414.Grid") for name in names)

    @property
    def voltage_v(self) -> float:
        """Voltage of the grid, V."""
        return sum(self._number(f"GridVoltage{phase}") for phase in "ABC") / 3

    @property
    def frequency_hz(self) -> float:
        """Frequency of the grid, Hz."""
        return self._number("GridFrequency")

    def _number(self, name: str) -> float:
        return 0.0 if self._model is None else float(self._model.number(name) or 0.0)
