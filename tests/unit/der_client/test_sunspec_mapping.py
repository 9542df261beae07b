"""A Setpoint as register writes, with the exact registers."""

from dataclasses import replace

import pytest

from der_client.device import (
    EnterServiceSetpoint,
    PowerFactorSetpoint,
    Reversion,
    Setpoint,
    VarSetpoint,
)
from der_client.sunspec.definitions import layout_with
from der_client.sunspec.mapping import MappingSettings, Plan, plan
from der_client.sunspec.model import DeviceMap
from der_client.sunspec.permissions import Permissions
from der_client.sunspec.simulator.bank import build_model, put
from der_client.sunspec.simulator.image import build_bank
from der_client.sunspec.simulator.settings import InverterSettings
from der_client.sunspec.writes import Wanted, step_of

PV = InverterSettings(max_w=10_000, max_va=10_000, max_var=4_400)
BATTERY = InverterSettings(
    max_w=5_000, max_va=5_000, max_var=2_200, charge_w=4_000, discharge_w=5_000, capacity_wh=10_000
)
NO_TIMER = Reversion(after_s=0)

Written = list[tuple[str, tuple[int, ...]]]


def device(settings: InverterSettings = PV, *, without: tuple[str, ...] = ()) -> DeviceMap:
    """A device of the simulator; points (`704.WSet`) and models (`715`) in `without` are not implemented."""
    models = build_bank(settings).models
    for name in without:
        number, _, point = name.partition(".")
        if point:
            put(models[int(number)], point, None)
        else:
            del models[int(number)]
    return DeviceMap(base=40000, models=tuple(models.values()))


def requests(made: Plan) -> list[tuple[str, tuple[int, ...]]]:
    """Each write request that would change a register: first point and registers."""
    return [
        (f"{block.model.model_id}.{block.points[0].name}", block.words)
        for step in made.steps
        for block in step.due_blocks
        if not step.is_held
    ]


def made(
    setpoint: Setpoint,
    reversion: Reversion = NO_TIMER,
    on: DeviceMap | None = None,
    settings: MappingSettings | None = None,
) -> Plan:
    return plan(on or device(), setpoint, reversion, settings)


def test_nothing_is_written_to_a_free_device_for_an_empty_setpoint() -> None:
    assert requests(made(Setpoint())) == []


def test_limit_with_its_dead_man_switch_is_one_request() -> None:
    written = requests(made(Setpoint(max_w_pct=50), Reversion(after_s=60, to=Setpoint(max_w_pct=30))))
    assert written == [("704.WMaxLimPctEna", (1, 5000, 3000, 1, 0, 60))]


def test_limit_without_a_limit_after_reversion_is_released_by_the_device() -> None:
    written = requests(made(Setpoint(max_w_pct=50), Reversion(after_s=60)))
    assert written == [("704.WMaxLimPctEnaRvrt", (0, 0, 60)), ("704.WMaxLimPctEna", (1, 5000))]


@pytest.mark.parametrize(("percent", "raw"), [(33.339, 3333), (99.999, 9999), (0, 0), (0.009, 0)])
def test_limit_is_rounded_down(percent: float, raw: int) -> None:
    assert requests(made(Setpoint(max_w_pct=percent)))[-1] == ("704.WMaxLimPctEna", (1, raw))


@pytest.mark.parametrize("percent", [None, 100.0, 120.0])
def test_full_limit_is_released_rather_than_held(percent: float | None) -> None:
    held = device()
    put(held.models[4], "WMaxLimPctEna", 1)
    assert requests(made(Setpoint(max_w_pct=percent), on=held)) == [("704.WMaxLimPctEna", (0,))]


def test_full_limit_is_held_where_only_that_keeps_a_tighter_reversion_armed() -> None:
    written = requests(made(Setpoint(max_w_pct=100), Reversion(after_s=60, to=Setpoint(max_w_pct=15))))
    assert written == [("704.WMaxLimPctEna", (1, 10000, 1500, 1, 0, 60))]


@pytest.mark.parametrize(
    ("target_w", "raw"),
    [(3000, (0, 3000)), (-2500.4, (0xFFFF, 0xF63C)), (-9000, (0xFFFF, 0xF060)), (9000, (0, 5000))],
    ids=["discharge", "charge, to nearest", "charge rating", "discharge rating"],
)
def test_target_is_written_in_watts_within_the_ratings(target_w: float, raw: tuple[int, ...]) -> None:
    written = requests(made(Setpoint(target_w=target_w), on=device(BATTERY)))
    assert written[-1] == ("704.WSetEna", (1, 1, *raw))


def test_target_with_reversion_to_a_target_is_two_requests_with_the_enable_last() -> None:
    written = requests(
        made(Setpoint(target_w=-2000), Reversion(after_s=90, to=Setpoint(target_w=0)), device(BATTERY))
    )
    assert written == [
        ("704.WSetEnaRvrt", (1, 0, 90)),
        ("704.WSetEna", (1, 1, 0xFFFF, 0xF830, 0, 0)),
    ]


@pytest.mark.parametrize("lacking", ["704.WSet", "704.WSet_SF"])
def test_target_is_written_in_percent_where_the_device_takes_no_watts(lacking: str) -> None:
    on = device(BATTERY, without=(lacking,))
    written = requests(made(Setpoint(target_w=-1250), Reversion(after_s=60, to=Setpoint(target_w=500)), on))
    assert ("704.WSetPct", (63036, 1000, 1, 0, 60)) in written
    assert written[-1] == ("704.WSetEna", (1, 0))


def test_target_stays_within_the_limit_of_the_same_setpoint() -> None:
    written = requests(made(Setpoint(max_w_pct=40, target_w=5000), on=device(BATTERY)))
    assert [name for name, _ in written][-1] == "704.WSetEna"
    assert written[-1][1] == (1, 1, 0, 2000)


def test_charging_is_unsupported_by_a_pv_inverter() -> None:
    result = made(Setpoint(target_w=-100))
    assert requests(result) == []
    assert result.unsupported == {"target_w"}


def test_opening_the_contactor_of_the_battery_is_unsupported_and_the_rest_is_done() -> None:
    result = made(Setpoint(max_w_pct=0, open_contactor=True), on=device(BATTERY))

    assert result.unsupported == {"open_contactor"}
    assert requests(result) != []


def with_pack(set_op: int | None = 1) -> DeviceMap:
    """A battery inverter with the battery's own model."""
    found = device(BATTERY)
    pack = build_model(802, 43_000, {}, {})
    put(pack, "SetOp", set_op)
    return DeviceMap(base=found.base, models=(*found.models, pack))


def test_a_battery_is_told_to_disconnect_itself_last_where_that_is_permitted() -> None:
    settings = MappingSettings(permissions=Permissions(open_contactor=True))
    wish = Setpoint(max_w_pct=0, energize=False, open_contactor=True)
    result = made(wish, on=with_pack(), settings=settings)

    assert requests(result)[-1] == ("802.SetOp", (2,))
    assert result.unsupported == frozenset()


@pytest.mark.parametrize(
    ("pack", "is_permitted"), [(with_pack(), False), (with_pack(None), True), (device(BATTERY), True)]
)
def test_a_battery_that_must_not_or_cannot_disconnect_itself_says_so(
    pack: DeviceMap, is_permitted: bool
) -> None:
    settings = MappingSettings(permissions=Permissions(open_contactor=is_permitted))

    assert made(Setpoint(open_contactor=True), on=pack, settings=settings).unsupported == {"open_contactor"}


def test_no_setpoint_ever_closes_a_contactor() -> None:
    settings = MappingSettings(permissions=Permissions(open_contactor=True))
    result = made(Setpoint(connect=True, energize=True), on=with_pack(2), settings=settings)

    assert [name for name, _ in requests(result) if name.startswith("802")] == []


@pytest.mark.parametrize(("absorbing", "excitation"), [(False, 0), (True, 1)])
@pytest.mark.parametrize(("field", "group"), [("pf_inject", "PFWInj"), ("pf_absorb", "PFWAbs")])
def test_power_factor_and_excitation_are_written_in_one_request(
    field: str, group: str, absorbing: bool, excitation: int
) -> None:
    factor = PowerFactorSetpoint(power_factor=0.95, absorbing=absorbing)
    setpoint = Setpoint(pf_inject=factor) if field == "pf_inject" else Setpoint(pf_absorb=factor)
    written = requests(made(setpoint))
    assert written[0] == (f"704.{group}.PF", (950, excitation))
    assert written[-1] == (f"704.{group}Ena", (1, 0, 0, 0))


def test_power_factor_with_reversion_is_written_with_it_and_enabled_last() -> None:
    factor, safe = (PowerFactorSetpoint(power_factor=pf, absorbing=True) for pf in (0.9, 1.0))
    written = requests(made(Setpoint(pf_inject=factor), Reversion(after_s=60, to=Setpoint(pf_inject=safe))))
    assert written == [("704.PFWInj.PF", (900, 1, 1000, 1)), ("704.PFWInjEna", (1, 1, 0, 60))]


def test_atomic_group_with_one_point_missing_is_unsupported() -> None:
    factor = PowerFactorSetpoint(power_factor=0.95, absorbing=True)
    result = made(Setpoint(pf_inject=factor), on=device(without=("704.PFWInj.Ext",)))
    assert requests(result) == []
    assert result.unsupported == {"pf_inject"}


def test_atomic_reversion_group_with_one_point_missing_is_left_out_whole() -> None:
    factor = PowerFactorSetpoint(power_factor=0.95, absorbing=True)
    result = made(
        Setpoint(pf_inject=factor),
        Reversion(after_s=60, to=Setpoint(pf_inject=factor)),
        device(without=("704.PFWInjRvrt.Ext",)),
    )
    assert requests(result) == [("704.PFWInj.PF", (950, 1)), ("704.PFWInjEna", (1, 1, 0, 60))]


@pytest.mark.parametrize(
    ("var", "mode", "name", "raw"),
    [
        (VarSetpoint(value=25, ref=1), 0, "VarSetPct", (2500,)),
        (VarSetpoint(value=-50, ref=2), 1, "VarSetPct", (60536,)),
        (VarSetpoint(value=33.335, ref=3), 2, "VarSetPct", (3334,)),
        (VarSetpoint(value=-1500, ref=0), 4, "VarSet", (0xFFFF, 0xFA24)),
    ],
)
def test_reactive_power_is_written_in_the_unit_of_its_reference(
    var: VarSetpoint, mode: int, name: str, raw: tuple[int, ...]
) -> None:
    points = {
        point.point: point.raw
        for step in made(Setpoint(var=var)).steps
        for block in step.blocks
        for point, _ in block.written()
    }
    assert points["704.VarSetMod"] == (mode,)
    assert points[f"704.{name}"] == raw
    assert points["704.VarSetEna"] == (1,)


@pytest.mark.parametrize(("value", "raw"), [(2200, 5000), (-1100, 63036)])
def test_var_become_percent_of_the_maximum_where_the_device_takes_no_var(value: float, raw: int) -> None:
    written = requests(
        made(
            Setpoint(var=VarSetpoint(value=value, ref=0)), on=device(without=("704.VarSet", "704.VarSetRvrt"))
        )
    )
    assert ("704.VarSetPct", (raw,)) in written


def test_var_asked_of_a_device_without_reactive_power_are_unsupported() -> None:
    on = device(replace(PV, max_var=0), without=("704.VarSet",))
    assert made(Setpoint(var=VarSetpoint(value=100, ref=0)), on=on).unsupported == {"var"}


def test_reactive_power_in_an_unknown_reference_is_unsupported() -> None:
    assert made(Setpoint(var=VarSetpoint(value=10, ref=7))).unsupported == {"var"}


def test_reactive_reversion_in_the_unit_of_the_setpoint_is_armed() -> None:
    setpoint = Setpoint(var=VarSetpoint(value=50, ref=2))
    written = requests(made(setpoint, Reversion(after_s=60, to=Setpoint(var=VarSetpoint(value=10, ref=2)))))
    assert ("704.VarSetPct", (5000, 1000, 1, 0, 60)) in written


@pytest.mark.parametrize(
    "to", [VarSetpoint(value=10, ref=1), VarSetpoint(value=100, ref=0), VarSetpoint(value=1, ref=9)]
)
def test_reactive_reversion_in_another_unit_ends_the_function(to: VarSetpoint) -> None:
    setpoint = Setpoint(var=VarSetpoint(value=50, ref=2))
    written = requests(made(setpoint, Reversion(after_s=60, to=Setpoint(var=to))))
    assert ("704.VarSetPct", (5000,)) in written
    assert ("704.VarSetEnaRvrt", (0, 0, 60)) in written


@pytest.mark.parametrize(
    ("first", "unsupported", "enabled"),
    [("pf", {"var"}, "704.PFWInj.PF"), ("var", {"pf_inject", "pf_absorb"}, "704.VarSetPct")],
)
def test_only_one_reactive_mode_is_enabled(first: str, unsupported: set[str], enabled: str) -> None:
    factor = PowerFactorSetpoint(power_factor=0.95, absorbing=True)
    setpoint = Setpoint(pf_inject=factor, pf_absorb=factor, var=VarSetpoint(value=10, ref=2))
    result = made(setpoint, settings=MappingSettings(reactive_order=(first,)))
    assert result.unsupported == unsupported
    assert enabled in [name for name, _ in requests(result)]


@pytest.mark.parametrize(
    ("grad", "scale", "raw"),
    [(10, 1, 10), (2.9, 1, 2), (0, 1, 100), (400, 1, 100), (1.5, 10, 15), (0.5, 10, 5)],
)
def test_ramp_is_written_in_whole_percent_per_second(grad: float, scale: int, raw: int) -> None:
    on = device(replace(PV, ramp_pct_per_s=1))
    result = made(Setpoint(grad_w_pct_per_s=grad), on=on, settings=MappingSettings(ramp_scale=scale))
    assert requests(result) == [("704.WRmp", (raw, 1))]


@pytest.mark.parametrize(
    ("grad", "on"), [(0.5, device()), (10, device(without=("704",))), (10, device(without=("704.WRmp",)))]
)
def test_ramp_that_the_device_cannot_hold_is_unsupported(grad: float, on: DeviceMap) -> None:
    assert made(Setpoint(grad_w_pct_per_s=grad), on=on).unsupported == {"grad_w_pct_per_s"}


def test_disconnecting_brings_power_to_0_before_it_opens() -> None:
    written = requests(made(Setpoint(connect=False, max_w_pct=80, target_w=1000), on=device(BATTERY)))
    assert [name for name, _ in written if name.endswith(("Ena", "OpCtl"))] == [
        "704.WMaxLimPctEna",
        "704.WSetEna",
        "715.OpCtl",
    ]
    assert written[-1] == ("715.OpCtl", (0,))
    assert ("704.WMaxLimPctEna", (1, 0)) in written


def test_connecting_comes_last() -> None:
    on = device()
    put(on.models[-1], "OpCtl", 0)
    written = requests(made(Setpoint(connect=True, max_w_pct=50), on=on))
    assert written[-2:] == [("704.WMaxLimPctEna", (1, 5000)), ("715.OpCtl", (1,))]


@pytest.mark.parametrize(
    ("setpoint", "service"),
    [
        (Setpoint(connect=False), 0),
        (Setpoint(energize=False), 0),
        (Setpoint(connect=True, energize=False), 0),
        (Setpoint(connect=False, energize=True), 0),
        (Setpoint(connect=True, energize=True), 1),
    ],
)
def test_enter_service_is_permitted_only_if_nothing_forbids_it(setpoint: Setpoint, service: int) -> None:
    result = made(setpoint, on=device(without=("715",)))
    assert [step.blocks[0].words for step in result.steps if step.model.model_id == 703] == [(service,)]


def test_energize_goes_to_enter_service_beside_model_715() -> None:
    result = made(Setpoint(connect=True, energize=False))
    last = [(step.model.model_id, step.blocks[0].words) for step in result.steps[-2:]]
    assert last == [(715, (1,)), (703, (0,))]


def test_connection_without_any_switch_is_unsupported() -> None:
    result = made(Setpoint(connect=False), on=device(without=("715", "703")))
    assert result.unsupported == {"connect"}


def test_device_without_a_permit_to_serve_ceases_to_energise_by_a_limit_of_nothing() -> None:
    result = made(Setpoint(energize=False), on=device(without=("715", "703")))
    assert requests(result) == [("704.WMaxLimPctEna", (1, 0))]
    assert result.unsupported == frozenset()


def test_connection_is_left_as_found_unless_we_opened_it() -> None:
    assert not [step for step in made(Setpoint()).steps if step.field in {"connect", "energize"}]


def test_connection_that_we_opened_is_closed_again_on_release() -> None:
    result = plan(device(), Setpoint(), NO_TIMER, restore_service=True)
    closing = [
        (step.field, step.blocks[0].words) for step in result.steps if step.model.model_id in {703, 715}
    ]
    assert closing == [("connect", (1,)), ("energize", (1,))]


def test_reactive_functions_stop_before_others_start() -> None:
    on = device()
    put(on.models[4], "VarSetEna", 1)
    factor = PowerFactorSetpoint(power_factor=0.95, absorbing=True)
    written = requests(made(Setpoint(pf_inject=factor, max_w_pct=50), on=on))
    names = [name for name, _ in written]
    assert names == ["704.VarSetEna", "704.WMaxLimPctEna", "704.PFWInj.PF", "704.PFWInjEna"]


def test_power_functions_are_released_after_others_hold() -> None:
    on = device(BATTERY)
    put(on.models[4], "WSetEna", 1)
    written = requests(made(Setpoint(max_w_pct=50), on=on))
    assert written[-1] == ("704.WSetEna", (0,))


def test_device_without_controls_supports_no_mode() -> None:
    result = made(Setpoint(max_w_pct=50, var=VarSetpoint(value=10, ref=2)), on=device(without=("704",)))
    assert result.steps == ()
    assert result.unsupported == {"max_w_pct", "var"}


def test_request_is_split_at_a_point_that_is_not_implemented() -> None:
    on = device(without=("704.WMaxLimPctRvrt",))
    written = requests(made(Setpoint(max_w_pct=50), Reversion(after_s=60, to=Setpoint(max_w_pct=30)), on))
    assert written == [("704.WMaxLimPctEnaRvrt", (1, 0, 60)), ("704.WMaxLimPctEna", (1, 5000))]


def test_limit_without_scale_factor_is_refused() -> None:
    result = made(Setpoint(max_w_pct=50), on=device(without=("704.WMaxLimPct_SF",)))
    assert requests(result) == []
    assert result.unsupported == {"max_w_pct"}


@pytest.mark.parametrize(
    ("without", "watched"),
    [
        ((), ("WMaxLimPctRvrtRem", 60)),
        (("704.WMaxLimPctRvrtRem",), (None, 0)),
        (("704.WMaxLimPctRvrtTms",), (None, 0)),
    ],
)
def test_timer_is_watched_only_where_the_device_shows_it(
    without: tuple[str, ...], watched: tuple[str | None, int]
) -> None:
    result = made(Setpoint(max_w_pct=50), Reversion(after_s=60), device(without=without))
    assert [(step.timer, step.timer_s) for step in result.steps if step.field == "max_w_pct"] == [watched]


@pytest.mark.parametrize("name", ["AntiIslEna", "WMaxLimPctRvrtRem", "WSet_SF"])
def test_protected_and_read_only_points_cannot_be_written(name: str) -> None:
    controls = device().models[4]
    with pytest.raises(ValueError, match=r"protected|not implemented"):
        step_of(controls, "max_w_pct", {name: Wanted(0)})


@pytest.mark.parametrize(("model", "name"), [(2, "WMax"), (3, "ESVHi")])
def test_ratings_and_grid_code_settings_are_protected(model: int, name: str) -> None:
    with pytest.raises(ValueError, match="protected"):
        step_of(device().models[model], "max_w_pct", {name: Wanted(100)})


def test_number_that_an_enumeration_does_not_define_is_refused() -> None:
    with pytest.raises(ValueError, match=r"704\.WMaxLimPctEna: 2 is not defined"):
        step_of(device().models[4], "max_w_pct", {"WMaxLimPctEna": Wanted(2)})


def test_disconnecting_does_not_need_a_limit() -> None:
    result = made(Setpoint(connect=False), on=device(without=("704.WMaxLimPct",)))
    assert requests(result) == [("715.OpCtl", (0,))]
    assert result.unsupported == frozenset()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("field", ["target_w", "var", "max_w_pct"])
def test_number_that_is_not_finite_moves_nothing(field: str, value: float) -> None:
    setpoint = {
        "target_w": Setpoint(target_w=value),
        "var": Setpoint(var=VarSetpoint(value=value, ref=0)),
        "max_w_pct": Setpoint(max_w_pct=value),
    }[field]
    result = made(setpoint, on=device(BATTERY))
    assert requests(result) == []
    assert result.unsupported == (frozenset() if setpoint.max_w_pct == float("inf") else {field})


def test_setpoint_that_would_outlive_its_client_is_named() -> None:
    on = device(BATTERY, without=("704.WSetRvrtTms",))
    setpoint = Setpoint(target_w=-1_000, max_w_pct=50)
    assert made(setpoint, Reversion(after_s=60), on).unguarded == {"target_w"}
    assert made(setpoint, NO_TIMER, on).unguarded == frozenset()


@pytest.mark.parametrize(
    ("setpoint", "without", "lost"),
    [
        (Setpoint(connect=False), (), {"connect"}),
        (Setpoint(energize=False), (), {"energize"}),
        (Setpoint(connect=False), ("715",), {"connect"}),
        (Setpoint(connect=False, energize=True), ("715",), {"connect"}),
        (Setpoint(connect=True, energize=True), (), set()),
    ],
    ids=str,
)
def test_device_that_stays_out_of_service_without_its_client_is_named(
    setpoint: Setpoint, without: tuple[str, ...], lost: set[str]
) -> None:
    on = device(without=without)
    assert made(setpoint, Reversion(after_s=60), on).unguarded == lost
    assert made(setpoint, NO_TIMER, on).unguarded == frozenset()
    assert made(setpoint, Reversion(after_s=60, to=setpoint), on).unguarded == frozenset()


WINDOW = EnterServiceSetpoint(high_v_pct=105.5, low_v_pct=92, high_hz=60.05, low_hz=59.6)
TIMES = EnterServiceSetpoint(delay_s=120.2, random_delay_s=30, ramp_s=200)


def test_delays_of_enter_service_are_written_in_one_request_and_rounded_up() -> None:
    assert requests(made(Setpoint(enter_service=TIMES))) == [("703.ESDlyTms", (0, 121, 0, 30, 0, 200))]


def test_window_of_enter_service_is_not_written_without_permission() -> None:
    result = made(Setpoint(enter_service=replace(WINDOW, delay_s=60)))
    assert requests(result) == [("703.ESDlyTms", (0, 60))]
    assert result.unsupported == {"enter_service"}


def test_window_of_enter_service_is_written_with_permission() -> None:
    settings = MappingSettings(permissions=Permissions(allow_grid_code_writes=True))
    result = made(Setpoint(enter_service=WINDOW), settings=settings)
    assert requests(result) == [("703.ESVHi", (1055, 920, 0, 6005, 0, 5960))]
    assert result.unsupported == frozenset()


def test_ramp_of_a_start_is_the_time_to_full_power() -> None:
    assert requests(made(Setpoint(soft_grad_w_pct_per_s=0.7))) == [("703.ESRmpTms", (0, 143))]
    written = requests(made(Setpoint(soft_grad_w_pct_per_s=0.7, enter_service=TIMES)))
    assert written == [("703.ESDlyTms", (0, 121, 0, 30, 0, 200))]


def test_enter_service_without_its_model_is_unsupported() -> None:
    setpoint = Setpoint(enter_service=TIMES, soft_grad_w_pct_per_s=1)
    assert made(setpoint, on=device(without=("703",))).unsupported == {"enter_service"}
    assert made(Setpoint(soft_grad_w_pct_per_s=1), on=device(without=("703",))).unsupported == {
        "soft_grad_w_pct_per_s"
    }


def test_charge_limit_is_kept_by_a_target_within_it() -> None:
    result = made(Setpoint(target_w=-4_000, max_charge_w=1_500), on=device(BATTERY))
    assert requests(result)[-1] == ("704.WSetEna", (1, 1, 0xFFFF, 65536 - 1_500))
    assert result.unsupported == frozenset()


def test_charge_limit_without_a_target_is_unsupported_by_a_battery_and_kept_by_pv() -> None:
    assert made(Setpoint(max_charge_w=1_500), on=device(BATTERY)).unsupported == {"max_charge_w"}
    assert made(Setpoint(max_charge_w=1_500)).unsupported == frozenset()


def test_detection_of_islands_is_never_written() -> None:
    controls = device().models[4]
    permissions = Permissions(allow_grid_code_writes=True)
    with pytest.raises(ValueError, match=r"704\.AntiIslEna is protected"):
        step_of(controls, "connect", {"AntiIslEna": Wanted(0)}, permissions=permissions)


@pytest.mark.parametrize("model_id", [702, 121, 802])
def test_ratings_are_never_written(model_id: int) -> None:
    layout = layout_with(model_id, {})
    permissions = Permissions(allow_grid_code_writes=True)
    writable = {p.name for p in layout.points if p.writable and permissions.cover(model_id, p)}
    assert writable == {702: set(), 121: {"WGra"}, 802: {"CtrlHb"}}[model_id]
