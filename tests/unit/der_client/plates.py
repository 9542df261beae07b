"""Nameplates of a PV inverter and of a battery inverter."""

from dataclasses import replace

from der_client import Nameplate

PV = Nameplate(
    manufacturer="Maker",
    model="One",
    serial="1",
    version="1",
    der_type=4,
    modes=frozenset({"opModMaxLimW", "opModFixedW"}),
    max_w=5_000,
    max_va=5_000,
    max_var=2_000,
    max_var_neg=2_000,
    set_max_w=5_000,
    set_max_va=5_000,
    set_max_var=2_000,
    set_max_var_neg=2_000,
)
STORAGE = replace(PV, der_type=80, max_charge_w=5_000, max_discharge_w=5_000, capacity_wh=10_000)
