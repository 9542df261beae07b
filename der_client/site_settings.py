"""Settings of the meter at the connection point. Pure."""

from dataclasses import dataclass

IMPORT, EXPORT = "import", "export"


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteMeterSettings:
    """The SunSpec meter of the site on Modbus TCP; none while `host` is empty.

    `positive` is what its positive power means, `import` or `export`: makers differ. It belongs to the
    EndDevice of the client itself, or to the only one that the client stands for.
    """

    host: str = ""
    port: int = 502
    unit: int = 1
    positive: str = IMPORT

    def __post_init__(self) -> None:
        if not 0 < self.port < 65536 or not 0 <= self.unit <= 255:
            raise ValueError("meter.port, meter.unit: a TCP port and 0 to 255 are wanted")
        if self.positive not in {IMPORT, EXPORT}:
            raise ValueError(f"meter.positive: {self.positive!r} is neither import nor export")
