"""Nameplates of a PV inverter and of a battery inverter."""

from dataclasses import replace

from der_client import Nameplate


def plate(max_w: float, max_va: float, max_var: float) -> Nameplate:
    """A PV inverter that is set to all that it is rated for, W, VA and var."""
    return Nameplate(
        manufacturer="Maker",
        model="One",
        serial="1",
        version="1",
        der_type=4,
        modes=frozenset({"opModMaxLimW", "opModFixedW"}),
        max_w=max_w,
        max_va=max_va,
        max_var=max_var,
        max_var_neg=max_var,
        set_max_w=max_w,
        set_max_va=max_va,
        set_max_var=max_var,
        set_max_var_neg=max_var,
    )


PV = plate(5_000, 5_000, 2_000)
STORAGE = replace(PV, der_type=80, max_charge_w=5_000, max_discharge_w=5_000, capacity_wh=10_000)
