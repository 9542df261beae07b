"""The control modes that a DERControlBase holds. IEEE 2030.5-2018, 10.10."""

from typing import Final

from schemas import DERControlBase, spec_of

NO_MODES: Final = frozenset({"rampTms"})
"""Elements of a DERControlBase that qualify its modes."""


def modes_of(base: DERControlBase) -> dict[str, object]:
    """Value of each mode that is present, by the name of its element."""
    held = {field.name: getattr(base, field.attr) for field in spec_of(type(base))}
    return {mode: value for mode, value in held.items() if value is not None and mode not in NO_MODES}
