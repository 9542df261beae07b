"""Runs the reference model on the operating points: `python -m tests.oracle.opender_run FIGURES [--write]`.

OpenDER (EPRI, BSD 3-clause) runs in an environment of its own (`make opender`). Without `--write` its answers
are compared with the figures on file, by which the tests hold the simulated inverter.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, cast

from opender import DER, DER_BESS, DER_PV

from tests.oracle.points import AFTER_S, DISTURBANCES, RATING_W, VAR_SHARE, Disturbance, Point, points

SETTLE_STEPS = 240
CAPACITY_WH = 1e9
TOLERANCE_W = 1.0
DROOP = {"PF_DBOF": 0.036, "PF_DBUF": 0.036, "PF_KOF": 0.05, "PF_KUF": 0.05, "PF_OLRT": 5.0}


def settled(point: Point) -> list[float]:
    """Active and reactive power, W and var, after the model has settled."""
    DER.t_s = 1.0
    der = _der(point["is_battery"])
    _set(der, point["functions"])
    _feed(der, point, voltage=1.0, hertz=60.0)
    der.run()
    for _ in range(SETTLE_STEPS):
        _feed(der, point, voltage=point["voltage"], hertz=point["hertz"])
        der.run()
    return [round(float(der.p_out_w), 1), round(float(der.q_out_var), 1)]


def disturbed(case: Disturbance) -> dict[str, float | None]:
    """When power fell below 1 %, when it came back, when it was whole again, s after the disturbance began.

    `tripped` is when the model said so, with the same zero.
    """
    DER.t_s = case["step_s"]
    der = _der(is_battery=False)
    _set(der, {})
    point: Point = {"voltage": 1.0, "hertz": 60.0, "power": 0.8, "is_battery": False, "functions": {}}
    seen: dict[str, float | None] = dict.fromkeys(("ceased", "tripped", "back", "whole"))
    time_s = -1.0
    while time_s < case["lasts_s"] + AFTER_S:
        time_s += case["step_s"]
        is_out = 0.0 <= time_s < case["lasts_s"]
        _feed(
            der,
            point,
            voltage=case["voltage"] if is_out else 1.0,
            hertz=case["hertz"] if is_out else 60.0,
        )
        der.run()
        _look(seen, der, time_s)
        if seen["whole"] is not None:
            break
    return seen


def _look(seen: dict[str, float | None], der: Any, time_s: float) -> None:  # noqa: ANN401
    power = float(der.p_out_w) / RATING_W
    now = round(time_s, 3)
    if seen["ceased"] is None and power < 0.01 and time_s > 0:
        seen["ceased"] = now
    if seen["tripped"] is None and der.der_status == "Trip":
        seen["tripped"] = now
    if seen["ceased"] is not None and seen["back"] is None and power > 0.01:
        seen["back"] = now
    if seen["back"] is not None and seen["whole"] is None and power > 0.79:
        seen["whole"] = now


def _der(is_battery: bool) -> Any:  # noqa: ANN401
    der = DER_BESS() if is_battery else DER_PV()
    file = der.der_file
    for name in ("NP_P_MAX", "NP_VA_MAX"):
        setattr(file, name, RATING_W)
    for name in ("NP_Q_MAX_INJ", "NP_Q_MAX_ABS"):
        setattr(file, name, VAR_SHARE * RATING_W)
    file.NP_NORMAL_OP_CAT, file.NP_ABNORMAL_OP_CAT = "CAT_B", "CAT_III"
    if is_battery:
        file.NP_P_MAX_CHARGE = file.NP_APPARENT_POWER_CHARGE_MAX = RATING_W
        file.NP_BESS_CAPACITY = CAPACITY_WH
    file.NP_Q_CAPABILITY_BY_P_CURVE = {
        "P_Q_INJ_PU": [-1.0, 0.0, 1.0],
        "Q_MAX_INJ_PU": [VAR_SHARE] * 3,
        "P_Q_ABS_PU": [-1.0, 0.0, 1.0],
        "Q_MAX_ABS_PU": [VAR_SHARE] * 3,
    }
    file.NP_PRIO_OUTSIDE_MIN_Q_REQ = "REACTIVE"
    file.NP_EFFICIENCY = 1.0
    file.MC_ENABLE = True
    file.PF_MODE_ENABLE = False
    for name in ("CONST_PF", "CONST_Q", "QV", "QP", "PV"):
        setattr(file, f"{name}_MODE_ENABLE", False)
    file.AP_LIMIT_ENABLE = False
    file.ES_RAMP_RATE, file.ES_DELAY, file.ES_RANDOMIZED_DELAY = 300.0, 300.0, 0.0
    return der


def _set(der: Any, functions: dict[str, object]) -> None:  # noqa: ANN401
    file = der.der_file
    if "limit" in functions:
        file.AP_LIMIT_ENABLE, file.AP_LIMIT = True, functions["limit"]
    if "pf" in functions:
        file.CONST_PF_MODE_ENABLE, file.CONST_PF = True, functions["pf"]
        file.CONST_PF_EXCITATION = "ABS" if functions["absorbing"] else "INJ"
    if "var" in functions:
        file.CONST_Q_MODE_ENABLE, file.CONST_Q = True, functions["var"]
    if "volt_var" in functions:
        file.QV_MODE_ENABLE, file.QV_VREF_AUTO_MODE = True, False
        file.QV_VREF, file.QV_OLRT = functions.get("v_ref", 1.0), 5.0
        _curve(file, "QV_CURVE", ("V", "Q"), functions["volt_var"])
    _set_bound(der, functions)


def _set_bound(der: Any, functions: dict[str, object]) -> None:  # noqa: ANN401
    file = der.der_file
    if "volt_watt" in functions:
        file.PV_MODE_ENABLE, file.PV_OLRT = True, 10.0
        _curve(file, "PV_CURVE", ("V", "P"), functions["volt_watt"])
    if "watt_var" in functions:
        _watt_var(file, cast("list[list[float]]", functions["watt_var"]))
    if "droop" in functions:
        file.PF_MODE_ENABLE = True
        for name, value in DROOP.items():
            setattr(file, name, value)


def _curve(file: Any, prefix: str, axes: tuple[str, str], pairs: object) -> None:  # noqa: ANN401
    for number, pair in enumerate(cast("list[list[float]]", pairs), start=1):
        for axis, value in zip(axes, pair, strict=True):
            setattr(file, f"{prefix}_{axis}{number}", value)


def _watt_var(file: Any, pairs: list[list[float]]) -> None:  # noqa: ANN401
    file.QP_MODE_ENABLE = True
    for number, (power, reactive) in enumerate(reversed(pairs[:3]), start=1):
        setattr(file, f"QP_CURVE_P{number}_LOAD", power)
        setattr(file, f"QP_CURVE_Q{number}_LOAD", reactive)
    for number, (power, reactive) in enumerate(pairs[3:], start=1):
        setattr(file, f"QP_CURVE_P{number}_GEN", power)
        setattr(file, f"QP_CURVE_Q{number}_GEN", reactive)


def _feed(der: Any, point: Point, *, voltage: float, hertz: float) -> None:  # noqa: ANN401
    power_w = point["power"] * RATING_W
    if point["is_battery"]:
        der.update_der_input(p_dem_w=power_w, v_pu=voltage, f=hertz)
    else:
        der.update_der_input(p_dc_w=power_w, v_pu=voltage, f=hertz)


def main(arguments: list[str]) -> int:
    """Write the figures, or compare: 1 where they differ."""
    path = Path(arguments[0])
    found = {
        "settled": [settled(point) for point in points()],
        "disturbed": {case["name"]: disturbed(case) for case in DISTURBANCES},
    }
    if "--write" in arguments:
        path.write_text(json.dumps(found, indent=None).replace("], [", "],\n[") + "\n")
        return 0
    known: Any = json.loads(path.read_text())
    flaws = [
        f"{point}: {was} on file, now {now}"
        for point, was, now in zip(points(), known["settled"], found["settled"], strict=True)
        if any(abs(a - b) > TOLERANCE_W for a, b in zip(was, now, strict=True))
    ]
    if known["disturbed"] != found["disturbed"]:
        flaws.append(f"disturbances: {known['disturbed']} on file, now {found['disturbed']}")
    sys.stdout.write("\n".join(flaws or ["the reference model gives the figures on file"]) + "\n")
    return 1 if flaws else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
