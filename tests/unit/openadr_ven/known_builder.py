"""What a server knows, as the tests of reports need it: series, devices, resources."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from openadr_ven.back import Der, DeviceKnown, Grade, Known, Sample, Series

T0 = 1_700_000_000
MINUTE = 60
POWER, ENERGY = 37, 12
W, WH = 38, 72
FORWARD, REVERSE = 1, 19
SUMMATION, DELTA, INSTANTANEOUS = 9, 4, 12
DER_ROLE, SITE_ROLE = 0x49, 0x03


def samples(*values: float | None, step_s: int = MINUTE, start: int = T0) -> tuple[Sample, ...]:
    """Values of periods that follow each other; None leaves one out."""
    return tuple(
        Sample(start=start + index * step_s, duration_s=step_s, value=Decimal(str(value)))
        for index, value in enumerate(values)
        if value is not None
    )


def power(*values: float | None, flow: int | None = FORWARD, role: int = DER_ROLE, **more: Any) -> Series:  # noqa: ANN401
    made = Series(mRID=f"P{flow}{role}", uom=W, kind=POWER, flowDirection=flow, roleFlags=role)
    return replace(made, samples=more.pop("samples", samples(*values)), **more)


def counter(*values: float | None, flow: int | None = FORWARD, role: int = DER_ROLE, **more: Any) -> Series:  # noqa: ANN401
    made = Series(
        mRID=f"E{flow}{role}",
        uom=WH,
        kind=ENERGY,
        flowDirection=flow,
        accumulationBehaviour=SUMMATION,
        roleFlags=role,
    )
    return replace(made, samples=more.pop("samples", samples(*values)), **more)


def known(*series: Series, ders: tuple[Der, ...] = (), **more: Any) -> Known:  # noqa: ANN401
    """One device `a` behind one resource `a`."""
    return replace(house({"a": DeviceKnown(series=series, ders=ders)}), **more)


def house(devices: Mapping[str, DeviceKnown]) -> Known:
    """Each device behind a resource of its own name."""
    return Known(at=T0, devices=devices, members={name: (name,) for name in devices})


def graded(series: Series, grade: Grade, index: int) -> Series:
    """A series of which one sample has another grade."""
    made = list(series.samples)
    made[index] = replace(made[index], grade=grade)
    return replace(series, samples=tuple(made))
