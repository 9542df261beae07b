"""Several devices behind one DER of the server, as one. CSIP GFEMS; CSIP-AUS MUL-01 to MUL-03.

Powers and energies are sums. The whole is connected and operates while any part does; it is silent only when
all parts are. All is pure but `join`, which follows the parts.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Final

from der_client.device import Fault, Nameplate, Telemetry
from der_client.device_view import DeviceView
from der_client.watched import Watched
from schemas import codes

GENERATION: Final = frozenset({codes.DERType.PHOTOVOLTAIC_SYSTEM})
STORAGE: Final = frozenset({codes.DERType.OTHER_STORAGE_SYSTEM, codes.DERType.COMBINED_PV_AND_STORAGE})
STATUS_ORDER: Final = (4, 5, 3, 9, 8, 2, 6, 10, 1, 7, 0)
"""inverterStatus of the whole: the first of these that a part has."""


def joined(name: str, views: Sequence[DeviceView]) -> DeviceView:
    """What is known of the devices together."""
    plates = [view.nameplate for view in views if view.nameplate is not None]
    heard = [view for view in views if view.telemetry is not None]
    failed: dict[str, Fault] = {}
    for view in views:
        failed.update(view.failed)
    is_silent = all(view.silent is not None for view in views)
    return DeviceView(
        name=name,
        nameplate=nameplate_of(plates) if plates else None,
        telemetry=telemetry_of(heard) if heard else None,
        reasons=tuple({(one.interlock, one.name): one for view in views for one in view.reasons}.values()),
        failed=failed,
        silent=views[0].silent if is_silent else None,
        is_local=any(view.is_local for view in views),
        refused=frozenset[str]().union(*(view.refused for view in views)),
        may_write=all(view.may_write for view in views),
        able_w=_total(views, "able_w") if all(view.able_w is not None for view in views) else None,
        at_s=max(view.at_s for view in views),
    )


async def join(parts: Sequence[Watched[DeviceView]], whole: Watched[DeviceView]) -> None:
    """Bring the whole up to date whenever a part has changed, for ever."""
    async with asyncio.TaskGroup() as tasks:
        for part in parts:
            tasks.create_task(_follow(part, parts, whole), name=f"part {part.value.name}")


async def _follow(
    part: Watched[DeviceView], parts: Sequence[Watched[DeviceView]], whole: Watched[DeviceView]
) -> None:
    while True:
        version = part.version
        whole.set(joined(whole.value.name, [one.value for one in parts]))
        await part.newer(version)


def nameplate_of(plates: Sequence[Nameplate]) -> Nameplate:
    """Ratings of the whole: modes that any part has, sums of powers, power factors that all parts reach."""
    first = plates[0]
    total, known = partial(_total, plates), partial(_known, plates)
    return Nameplate(
        manufacturer=first.manufacturer,
        model=first.model,
        serial=first.serial,
        version=first.version,
        der_type=type_of({one.der_type for one in plates}),
        modes=frozenset[str]().union(*(one.modes for one in plates)),
        max_w=total("max_w"),
        max_va=total("max_va"),
        max_var=total("max_var"),
        max_var_neg=total("max_var_neg"),
        set_max_w=total("set_max_w"),
        set_max_va=total("set_max_va"),
        set_max_var=total("set_max_var"),
        set_max_var_neg=total("set_max_var_neg"),
        max_charge_w=known("max_charge_w"),
        max_discharge_w=known("max_discharge_w"),
        set_max_charge_w=_sum(one.charge_w for one in plates if one.is_storage),
        set_max_discharge_w=_sum(one.discharge_w for one in plates if one.is_storage),
        capacity_wh=known("capacity_wh"),
        v_nom_v=first.v_nom_v,
        max_a=known("max_a"),
        min_pf_over_excited=_most(one.min_pf_over_excited for one in plates),
        min_pf_under_excited=_most(one.min_pf_under_excited for one in plates),
        grad_w_pct_per_s=first.grad_w_pct_per_s,
        normal_category=first.normal_category,
        abnormal_category=first.abnormal_category,
    )


def type_of(types: set[int]) -> int:
    """DERType of the whole: that of all parts, PV with storage, or mixed."""
    if len(types) == 1:
        return next(iter(types))
    is_pv_and_storage = types <= GENERATION | STORAGE
    kind = codes.DERType
    return int(kind.COMBINED_PV_AND_STORAGE if is_pv_and_storage else kind.VIRTUAL_OR_MIXED_DER)


def telemetry_of(views: Sequence[DeviceView]) -> Telemetry:
    """Measurements of the whole; of the voltage the mean, of the states of charge the mean by capacity."""
    parts = [view.telemetry for view in views if view.telemetry is not None]
    known = partial(_known, parts)
    volts = [one.voltage_v for one in parts if one.voltage_v is not None]
    stores = [one.stor_connect for one in parts if one.stor_connect is not None]
    statuses = {one.inverter_status for one in parts}
    return Telemetry(
        power_w=sum(one.power_w for one in parts),
        reactive_var=sum(one.reactive_var for one in parts),
        voltage_v=sum(volts) / len(volts) if volts else None,
        current_a=known("current_a"),
        frequency_hz=next((one.frequency_hz for one in parts if one.frequency_hz is not None), None),
        injected_wh=known("injected_wh"),
        absorbed_wh=known("absorbed_wh"),
        available_w=known("available_w"),
        soc_pct=_by_capacity(views, lambda one: one.soc_pct),
        soh_pct=_by_capacity(views, lambda one: one.soh_pct),
        gen_connect=_any_bit(one.gen_connect for one in parts),
        stor_connect=_any_bit(stores) if stores else None,
        inverter_status=next((s for s in STATUS_ORDER if s in statuses), 0),
        operational_mode=max(parts, key=lambda one: one.operational_mode == OPERATIONAL).operational_mode,
        local_control=any(one.local_control for one in parts),
        alarms=frozenset[int]().union(*(one.alarms for one in parts)),
    )


OPERATIONAL: Final = 2


def _total(parts: Sequence[object], name: str) -> float:
    return float(sum(getattr(one, name) for one in parts))


def _known(parts: Sequence[object], name: str) -> float | None:
    return _sum(getattr(one, name) for one in parts)


def _sum(values: Iterable[float | None]) -> float | None:
    given = [value for value in values if value is not None]
    return float(sum(given)) if given else None


def _most(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


def _any_bit(values: Iterable[int]) -> int:
    bits = 0
    for value in values:
        bits |= value
    return bits


def _by_capacity(views: Sequence[DeviceView], of: Callable[[Telemetry], float | None]) -> float | None:
    """Mean of a share over the batteries, by their capacity; None without any."""
    weights: Mapping[int, float] = {
        n: (view.nameplate.capacity_wh or 1.0) if view.nameplate else 1.0 for n, view in enumerate(views)
    }
    found = [(of(v.telemetry), weights[n]) for n, v in enumerate(views) if v.telemetry is not None]
    given = [(value, weight) for value, weight in found if value is not None]
    total = sum(weight for _, weight in given)
    return sum(value * weight for value, weight in given) / total if given else None
