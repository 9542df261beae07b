"""A Setpoint for devices of the older series: models 121, 123 and 124, with the exact registers."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from der_client.device import Nameplate, PowerFactorSetpoint, Reversion, Setpoint, VarSetpoint
from der_client.sunspec.codec import Value
from der_client.sunspec.drafts import UNDER_EXCITED_NEGATIVE, MappingSettings
from der_client.sunspec.mapping import Plan, plan
from der_client.sunspec.nameplate import nameplate_of
from der_client.sunspec.simulator.bank import put
from tests.sunspec_devices import HYBRID, INVERTER, newer_map, older_map, requests

GUARD = Reversion(after_s=60)
NO_TIMER = Reversion(after_s=0)

Values = Mapping[str, Value | None]


def made(
    setpoint: Setpoint,
    reversion: Reversion = GUARD,
    settings: MappingSettings | None = None,
    values: Values | None = None,
) -> Plan:
    return plan(older_map(INVERTER, values=values), setpoint, reversion, settings)


def hybrid(
    setpoint: Setpoint,
    reversion: Reversion = GUARD,
    settings: MappingSettings | None = None,
    values: Values | None = None,
) -> Plan:
    return plan(older_map(HYBRID, values=values), setpoint, reversion, settings)


def test_nothing_is_written_to_a_free_device_for_an_empty_setpoint() -> None:
    assert requests(hybrid(Setpoint())) == []


def test_limit_with_its_timer_and_its_enable_is_one_request() -> None:
    assert requests(made(Setpoint(max_w_pct=33.339))) == [("123.WMaxLimPct", (3333, 0, 60, 0, 1))]


def test_ramps_of_the_event_are_written_where_the_device_makes_them() -> None:
    assert requests(made(Setpoint(max_w_pct=50, limit_ramp_s=12.3))) == [
        ("123.WMaxLimPct", (5000, 0, 60, 13, 1))
    ]
    stepped = made(Setpoint(max_w_pct=50, target_w=2_000, limit_ramp_s=12.3))
    assert requests(stepped) == [("123.WMaxLimPct", (2000, 0, 60, 0, 1))]
    reactive = made(replace(factor(0.9), reactive_ramp_s=4.0))
    assert requests(reactive)[0][1][1:] == (0, 60, 4, 1)


def test_device_says_what_it_ramps_itself() -> None:
    plate = nameplate_of(older_map(INVERTER))
    less = nameplate_of(older_map(INVERTER, values={"123.VArPct_RmpTms": None}))
    newer = nameplate_of(newer_map())
    assert [one.ramps for one in (plate, less, newer) if isinstance(one, Nameplate)] == [
        {"max_w_pct", "pf_inject", "var"},
        {"max_w_pct", "pf_inject"},
        set(),
    ]


def test_limit_is_rewritten_before_a_time_that_nobody_shows() -> None:
    (limit,) = [step for step in made(Setpoint(max_w_pct=50)).steps if step.field == "max_w_pct"]
    assert (limit.timer, limit.refresh_s) == (None, 60)


@pytest.mark.parametrize("percent", [None, 100.0])
def test_full_limit_is_released_rather_than_held(percent: float | None) -> None:
    written = requests(made(Setpoint(max_w_pct=percent), values={"123.WMaxLim_Ena": 1}))
    assert written == [("123.WMaxLim_Ena", (0,))]


def test_limit_is_held_where_the_device_would_release_what_shall_stay_limited() -> None:
    result = made(Setpoint(max_w_pct=10), Reversion(after_s=60, to=Setpoint(max_w_pct=15)))
    assert requests(result) == [("123.WMaxLimPct", (1000, 0, 0, 0, 1))]
    assert result.unguarded == {"max_w_pct"}


def test_limit_that_is_the_default_itself_is_guarded_by_being_held() -> None:
    result = made(Setpoint(max_w_pct=15), Reversion(after_s=60, to=Setpoint(max_w_pct=15)))
    assert requests(result) == [("123.WMaxLimPct", (1500, 0, 0, 0, 1))]
    assert result.unguarded == frozenset()


def test_released_limit_where_the_default_is_one_is_named() -> None:
    assert made(Setpoint(), Reversion(after_s=60, to=Setpoint(max_w_pct=15))).unguarded == {"max_w_pct"}


def factor(value: float) -> Setpoint:
    return Setpoint(pf_inject=PowerFactorSetpoint(power_factor=value, absorbing=False))


def var(value: float) -> Setpoint:
    return Setpoint(var=VarSetpoint(value=value, ref=2))


@pytest.mark.parametrize(
    ("event", "default", "after_s", "lost"),
    [
        pytest.param(factor(0.9), factor(0.95), 60, {"pf_inject"}, id="another factor"),
        pytest.param(factor(0.9), factor(0.9), 0, set(), id="the same factor"),
        pytest.param(factor(0.9), Setpoint(), 60, set(), id="no factor"),
        pytest.param(var(30), var(10), 60, {"var"}, id="other var"),
        pytest.param(var(30), var(30), 0, set(), id="the same var"),
    ],
)
def test_reactive_power_ends_by_its_timer_unless_it_is_the_default(
    event: Setpoint, default: Setpoint, after_s: int, lost: set[str]
) -> None:
    result = made(event, Reversion(after_s=60, to=default))
    raw = {point.point: point.raw for step in result.steps for b in step.blocks for point, _ in b.written()}
    assert raw["123.OutPFSet_RvrtTms" if event.pf_inject else "123.VArPct_RvrtTms"] == (after_s,)
    assert result.unguarded == lost


def test_limit_is_written_around_timers_that_are_not_there() -> None:
    result = made(Setpoint(max_w_pct=50), values={"123.WMaxLimPct_RvrtTms": None})
    assert requests(result) == [("123.WMaxLimPct", (5000, 0)), ("123.WMaxLimPct_RmpTms", (0, 1))]
    assert result.unguarded == {"max_w_pct"}


def test_target_of_a_pv_inverter_is_a_limit() -> None:
    assert requests(made(Setpoint(target_w=2_500))) == [("123.WMaxLimPct", (2500, 0, 60, 0, 1))]


def test_smaller_of_target_and_limit_is_written() -> None:
    assert requests(made(Setpoint(target_w=8_000, max_w_pct=50)))[0][1][0] == 5000
    assert requests(made(Setpoint(target_w=3_000, max_w_pct=50)))[0][1][0] == 3000


def test_pv_inverter_cannot_charge_and_keeps_its_limit() -> None:
    result = made(Setpoint(target_w=-500, max_w_pct=50))
    assert result.unsupported == {"target_w"}
    assert requests(result) == [("123.WMaxLimPct", (5000, 0, 60, 0, 1))]


def test_limit_that_sends_the_device_to_standby_is_written_as_nothing() -> None:
    settings = MappingSettings(min_limit_pct=10)
    assert requests(made(Setpoint(max_w_pct=9.9), settings=settings))[0][1][0] == 0
    assert requests(made(Setpoint(max_w_pct=10), settings=settings))[0][1][0] == 1000


@pytest.mark.parametrize(
    ("absorbing", "sign", "raw"),
    [
        (False, "over_excited_negative", 64586),
        (True, "over_excited_negative", 950),
        (False, UNDER_EXCITED_NEGATIVE, 950),
        (True, UNDER_EXCITED_NEGATIVE, 64586),
    ],
)
def test_sign_of_the_power_factor_is_that_of_the_profile(absorbing: bool, sign: str, raw: int) -> None:
    factor = PowerFactorSetpoint(power_factor=0.95, absorbing=absorbing)
    result = made(Setpoint(pf_inject=factor), settings=MappingSettings(pf_sign=sign))
    assert requests(result) == [("123.OutPFSet", (raw, 0, 60, 0, 1))]


def test_power_factor_while_absorbing_is_unsupported() -> None:
    factor = PowerFactorSetpoint(power_factor=0.95, absorbing=True)
    result = made(Setpoint(pf_absorb=factor))
    assert result.unsupported == {"pf_absorb"}
    assert requests(result) == []


@pytest.mark.parametrize(
    ("var", "written"),
    [
        (VarSetpoint(value=20, ref=1), [("123.VArWMaxPct", (200,)), ("123.VArPct_WinTms", (0, 60, 0, 1, 1))]),
        (
            VarSetpoint(value=-20, ref=2),
            [("123.VArMaxPct", (65336,)), ("123.VArPct_WinTms", (0, 60, 0, 2, 1))],
        ),
        (VarSetpoint(value=40, ref=3), [("123.VArAvalPct", (400, 0, 60, 0, 3, 1))]),
        (
            VarSetpoint(value=3_000, ref=0),
            [("123.VArMaxPct", (500,)), ("123.VArPct_WinTms", (0, 60, 0, 2, 1))],
        ),
        (
            VarSetpoint(value=-2_500, ref=0),
            [("123.VArMaxPct", (65036,)), ("123.VArPct_WinTms", (0, 60, 0, 2, 1))],
        ),
    ],
    ids=["of WMax", "of VArMax", "of what is available", "injected", "absorbed"],
)
def test_reactive_power_is_written_in_its_unit(var: VarSetpoint, written: list[object]) -> None:
    assert requests(made(Setpoint(var=var))) == written


def test_reactive_power_becomes_the_unit_that_the_device_takes() -> None:
    result = made(Setpoint(var=VarSetpoint(value=10, ref=1)), values={"123.VArWMaxPct": None})
    assert requests(result)[0] == ("123.VArMaxPct", (167,))


def test_reactive_power_that_the_device_takes_in_no_unit_is_unsupported() -> None:
    values = {"123.VArWMaxPct": None, "123.VArMaxPct": None}
    assert made(Setpoint(var=VarSetpoint(value=10, ref=2)), values=values).unsupported == {"var"}


def test_disconnection_comes_last_with_its_timer_and_power_first_to_nothing() -> None:
    assert requests(made(Setpoint(connect=False))) == [
        ("123.WMaxLimPct", (0, 0, 60, 0, 1)),
        ("123.Conn_WinTms", (0, 60, 0)),
    ]


def test_connection_that_shall_stay_open_without_us_has_no_timer() -> None:
    result = made(Setpoint(connect=False), Reversion(after_s=60, to=Setpoint(connect=False)))
    assert [block.words for step in result.steps[-1:] for block in step.blocks] == [(0, 0, 0)]
    assert result.unguarded == frozenset()


def test_connection_that_no_timer_closes_again_is_named() -> None:
    result = made(Setpoint(connect=False), values={"123.Conn_RvrtTms": None})
    assert result.unguarded == {"connect"}


def test_device_without_service_control_ceases_to_energise_by_its_limit() -> None:
    result = made(Setpoint(energize=False))
    assert requests(result) == [("123.WMaxLimPct", (0, 0, 60, 0, 1))]
    assert result.unsupported == frozenset()


def test_ramp_is_written_to_the_basic_settings() -> None:
    assert requests(made(Setpoint(grad_w_pct_per_s=0.55))) == [("121.WGra", (5,))]


@pytest.mark.parametrize(
    ("target_w", "rates", "mode"),
    [
        (0, (0, 0), 3),
        (2_500, (10_000, 65536 - 5_000), 1),
        (-1_000, (65536 - 2_000, 10_000), 2),
        (9_000, (10_000, 65536 - 10_000), 1),
        (-9_000, (65536 - 10_000, 10_000), 2),
    ],
    ids=["hold", "discharge", "charge", "discharge at most", "charge at most"],
)
def test_battery_is_held_or_forced_by_its_rates_and_the_mode_is_written_last(
    target_w: float, rates: tuple[int, int], mode: int
) -> None:
    written = requests(hybrid(Setpoint(target_w=target_w)))
    assert written[-1] == ("124.StorCtl_Mod", (mode,))
    assert written[-2][0] == "124.OutWRte"
    assert written[-2][1][:5] == (*rates, 0, 60, 0)


@pytest.mark.parametrize(
    ("allowed", "last"),
    [(True, (65536 - 2_000, 10_000, 0, 60, 0, 1)), (False, (65536 - 2_000, 10_000, 0, 60, 0))],
)
def test_charge_comes_from_the_grid_where_the_operator_permits_it(
    allowed: bool, last: tuple[int, ...]
) -> None:
    written = requests(hybrid(Setpoint(target_w=-1_000), settings=MappingSettings(charge_from_grid=allowed)))
    assert written[0] == ("124.OutWRte", last)


def test_charge_limit_leaves_the_discharge_free() -> None:
    written = requests(hybrid(Setpoint(max_charge_w=1_250)))
    assert written == [("124.OutWRte", (10_000, 2_500, 0, 60, 0)), ("124.StorCtl_Mod", (1,))]


def test_forced_charge_stays_within_the_charge_limit() -> None:
    written = requests(hybrid(Setpoint(target_w=-4_000, max_charge_w=2_000)))
    assert written[0][1][0] == 65536 - 4_000


def test_battery_that_is_released_gets_its_rates_back() -> None:
    values = {"124.StorCtl_Mod": 3, "124.OutWRte": 0, "124.InWRte": 0, "124.InOutWRte_RvrtTms": 60}
    written = requests(hybrid(Setpoint(), values=values))
    assert written == [("124.OutWRte", (10_000, 10_000, 0, 0, 0)), ("124.StorCtl_Mod", (0,))]


def test_limit_that_acts_on_pv_alone_stops_the_discharge_too() -> None:
    setpoint = Setpoint(max_w_pct=30)
    assert [name for name, _ in requests(hybrid(setpoint))] == ["123.WMaxLimPct"]
    written = requests(hybrid(setpoint, settings=MappingSettings(limit_side="pv")))
    assert ("124.OutWRte", (0, 10_000, 0, 60, 0)) in written
    assert written[-1] == ("124.StorCtl_Mod", (2,))


def test_battery_that_shall_rest_without_us_is_held_without_a_timer() -> None:
    result = hybrid(Setpoint(target_w=0), Reversion(after_s=60, to=Setpoint(target_w=0)))
    assert requests(result) == [("124.OutWRte", (0, 0, 0, 0, 0)), ("124.StorCtl_Mod", (3,))]
    assert result.unguarded == frozenset()


def test_battery_that_is_forced_is_let_go_where_it_shall_rest_without_us() -> None:
    result = hybrid(Setpoint(target_w=2_000), Reversion(after_s=60, to=Setpoint(target_w=0)))
    assert requests(result)[0][1][-2:] == (60, 0)
    assert result.unguarded == {"target_w"}


def test_charge_limit_below_that_of_the_default_is_held() -> None:
    default = Reversion(after_s=60, to=Setpoint(max_charge_w=2_500))
    result = hybrid(Setpoint(max_charge_w=1_250), default)
    assert requests(result)[0][1][-2:] == (0, 0)
    assert result.unguarded == {"max_charge_w"}
    above = hybrid(Setpoint(max_charge_w=3_000), default)
    assert requests(above)[0][1][-2:] == (60, 0)


def test_battery_that_is_free_where_the_default_binds_it_is_named() -> None:
    result = hybrid(Setpoint(), Reversion(after_s=60, to=Setpoint(max_charge_w=2_500)))
    assert result.unguarded == {"target_w"}


def test_model_124_of_a_device_without_battery_is_left_alone() -> None:
    values = {"124.WChaMax": None}
    assert requests(hybrid(Setpoint(target_w=5_000), values=values)) == [
        ("123.WMaxLimPct", (5000, 0, 60, 0, 1))
    ]
    assert hybrid(Setpoint(target_w=-5_000), values=values).unsupported == {"target_w"}


def test_hidden_controls_are_written_and_not_read_back() -> None:
    values: Values = {"123.WMaxLimPct": None, "123.WMaxLim_Ena": 1}
    assert made(Setpoint(max_w_pct=50), values=values).unsupported == {"max_w_pct"}
    result = made(Setpoint(max_w_pct=50), settings=MappingSettings(write_only=(123,)), values=values)
    (limit,) = [step for step in result.steps if step.field == "max_w_pct"]
    assert [block.words for block in limit.due_blocks] == [(5000, 0, 60, 0, 1)]
    assert limit.to_see == ()


def test_newer_controls_are_preferred_and_the_older_ones_fill_what_they_lack() -> None:
    both = {**INVERTER, 704: {"WMaxLimPctEna": 0, "WMaxLimPct": 100, "WMaxLimPct_SF": 0}}
    on = older_map(both)
    var = VarSetpoint(value=10, ref=2)
    result = plan(on, Setpoint(max_w_pct=50, var=var), NO_TIMER)
    assert requests(result) == [
        ("704.WMaxLimPctEna", (1, 50)),
        ("123.VArMaxPct", (100,)),
        ("123.VArPct_WinTms", (0, 0, 0, 2, 1)),
    ]


def test_rating_that_the_operator_gives_is_what_percentages_refer_to() -> None:
    on = older_map({number: points for number, points in INVERTER.items() if number not in {120, 121}})
    setpoint = Setpoint(target_w=2_000)
    assert plan(on, setpoint, GUARD).unsupported == {"target_w"}
    result = plan(on, setpoint, GUARD, MappingSettings(rating_w=8_000))
    assert requests(result) == [("123.WMaxLimPct", (2500, 0, 60, 0, 1))]


def test_step_that_is_held_writes_nothing_but_the_refresh() -> None:
    on = older_map(INVERTER)
    controls = on.first(123)
    assert controls is not None
    for name, value in {"WMaxLimPct": 50, "WMaxLimPct_RvrtTms": 60, "WMaxLim_Ena": 1}.items():
        put(controls, name, value)
    (limit,) = [s for s in plan(on, Setpoint(max_w_pct=50), GUARD).steps if s.field == "max_w_pct"]
    assert limit.is_held
    assert [block.words for block in limit.due_blocks] == [(5000, 0, 60, 0, 1)]


def test_settings_that_cannot_be_are_named() -> None:
    with pytest.raises(
        ValueError, match="pf_sign: 'left' is none of over_excited_negative, under_excited_negative"
    ):
        MappingSettings(pf_sign="left")
    with pytest.raises(ValueError, match="limit_side: 'dc'"):
        replace(MappingSettings(), limit_side="dc")
