"""Laws of the writes that a Setpoint becomes, over random setpoints and devices of both series."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from der_client.device import (
    CurvePoint,
    CurveSetpoint,
    DroopSetpoint,
    EnterServiceSetpoint,
    PowerFactorSetpoint,
    Reversion,
    Setpoint,
    VarSetpoint,
)
from der_client.sunspec.capabilities import FIELD_OF_MODE
from der_client.sunspec.curve_forms import FORMS
from der_client.sunspec.drafts import MappingSettings
from der_client.sunspec.mapping import Plan, plan
from der_client.sunspec.model import DeviceMap
from der_client.sunspec.nameplate import nameplate_of
from der_client.sunspec.permissions import Permissions
from der_client.sunspec.writes import Block, Use
from tests.inputs import inputs
from tests.sunspec_devices import HYBRID, INVERTER, Older, newer_map, older_map

PERMITTED = MappingSettings(permissions=Permissions(allow_grid_code_writes=True))
CURVES = frozenset({126, 129, 131, 132, 134, 135, 705, 706, 707, 708, 709, 710, 711, 712})

numbers = st.floats(-20_000, 20_000) | st.sampled_from([0.0, 100.0, float("nan"), float("inf"), 1e12])
percents = st.floats(0, 120) | st.sampled_from([0.0, 100.0])
factors = st.builds(PowerFactorSetpoint, power_factor=st.floats(0.1, 1), absorbing=st.booleans())
points = st.lists(
    st.builds(CurvePoint, x=st.floats(-100, 120), y=st.floats(-100, 120)), min_size=0, max_size=6
).map(lambda found: tuple(sorted(found, key=lambda point: point.x)))


def curves_of(mode: str) -> st.SearchStrategy[CurveSetpoint]:
    return st.builds(
        CurveSetpoint,
        mode=st.just(mode),
        points=points,
        y_ref=st.integers(0, 7),
        open_loop_s=st.none() | percents,
    )


setpoints = st.builds(
    Setpoint,
    connect=st.none() | st.booleans(),
    energize=st.none() | st.booleans(),
    max_w_pct=st.none() | percents | numbers,
    target_w=st.none() | numbers,
    pf_inject=st.none() | factors,
    pf_absorb=st.none() | factors,
    var=st.none() | st.builds(VarSetpoint, value=numbers, ref=st.integers(0, 8)),
    grad_w_pct_per_s=st.none() | percents,
    max_charge_w=st.none() | st.floats(0, 10_000),
    curves=st.lists(st.sampled_from(sorted(FORMS)), unique=True, max_size=3).flatmap(
        lambda modes: st.tuples(*(curves_of(mode) for mode in sorted(modes)))
    ),
    droop=st.none()
    | st.builds(
        DroopSetpoint,
        dead_band_over_hz=st.floats(0, 1),
        dead_band_under_hz=st.floats(0, 1),
        slope_over=st.floats(0, 0.1),
        slope_under=st.floats(0, 0.1),
        open_loop_s=st.floats(0, 60),
    ),
    enter_service=st.none()
    | st.builds(EnterServiceSetpoint, high_v_pct=st.none() | percents, delay_s=percents),
    soft_grad_w_pct_per_s=st.none() | st.floats(0, 10),
)
reversions = st.builds(Reversion, after_s=st.integers(0, 300), to=setpoints)


SHELF = tuple(Older(model_id=number) for number in (126, 129, 131, 132, 134, 135))
TEMPLATES = {
    "newer": newer_map(),
    "older": older_map(INVERTER, *SHELF),
    "hybrid": older_map(HYBRID, *SHELF),
}


def device(kind: str) -> DeviceMap:
    """A new device: of the newer series, or a PV inverter or a hybrid of the older one."""
    template = TEMPLATES[kind]
    return replace(template, models=tuple(replace(m, words=list(m.words)) for m in template.models))


def blocks(made: Plan) -> Iterator[Block]:
    for step in made.steps:
        yield from step.blocks


def written(made: Plan) -> set[str]:
    """Every point that is written."""
    sent = (block for block in blocks(made) if block.use is not Use.EXPECTED)
    return {f"{block.model.model_id}.{point.name}" for block in sent for point in block.points}


def carried_out(made: Plan) -> None:
    """What a device does that takes everything: it shows what was written, and the curves it was told of."""
    for block in blocks(made):
        block.model.update(block.points[0].offset, block.words)


HARMLESS = re.compile(
    r"123\.|70[56]\.|71[12]\.|704\.(?!AntiIslEna)|703\.(ES|ESDlyTms|ESRndTms|ESRmpTms)$|121\.WGra$|715\.OpCtl$"
    r"|124\.(StorCtl_Mod|OutWRte|InWRte|InOutWRte_\w+|ChaGriSet)$"
)
"""Points that may be written without any permission, told apart from the declarations."""


KINDS = ("newer", "older", "hybrid")


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=inputs(60), deadline=None)
@given(setpoint=setpoints, reversion=reversions)
def test_nothing_of_the_grid_code_is_written_without_permission(
    kind: str, setpoint: Setpoint, reversion: Reversion
) -> None:
    assert {
        name for name in written(plan(device(kind), setpoint, reversion)) if not HARMLESS.match(name)
    } == set()


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=inputs(60), deadline=None)
@given(setpoint=setpoints, reversion=reversions)
def test_ratings_and_the_detection_of_islands_are_never_written(
    kind: str, setpoint: Setpoint, reversion: Reversion
) -> None:
    names = written(plan(device(kind), setpoint, reversion, PERMITTED))
    assert {name for name in names if name.startswith(("702.", "120.")) or name == "704.AntiIslEna"} == set()


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=inputs(60), deadline=None)
@given(setpoint=setpoints, reversion=reversions)
def test_device_that_holds_a_plan_needs_no_write_for_the_same_setpoint(
    kind: str, setpoint: Setpoint, reversion: Reversion
) -> None:
    on = device(kind)
    first = plan(on, setpoint, reversion, PERMITTED)
    carried_out(first)
    again = plan(on, setpoint, reversion, PERMITTED, before=first.touched)
    assert [step.field for step in again.steps if not step.is_held] == []
    assert again.unsupported == first.unsupported


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=inputs(40), deadline=None)
@given(setpoint=setpoints, reversion=reversions)
def test_release_gives_the_curves_back_as_they_were(
    kind: str, setpoint: Setpoint, reversion: Reversion
) -> None:
    on = device(kind)
    first = plan(on, setpoint, reversion, PERMITTED)
    carried_out(first)
    last = plan(on, Setpoint(), reversion, PERMITTED, before=first.touched)
    carried_out(last)
    enables = {
        (m.model_id, m.integer("Ena" if m.model_id > 700 else "ModEna"))
        for m in on.models
        if m.model_id in CURVES
    }
    assert enables == {(m.model_id, 0) for m in on.models if m.model_id in CURVES}
    assert last.returned == set(first.touched)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=inputs(60), deadline=None)
@given(setpoint=setpoints, reversion=reversions)
def test_only_what_is_asked_for_is_unsupported(kind: str, setpoint: Setpoint, reversion: Reversion) -> None:
    made = plan(device(kind), setpoint, reversion)
    modes = {curve.mode for curve in setpoint.curves}
    assert {n for n in made.unsupported - modes if getattr(setpoint, n) is None} == set()


@pytest.mark.parametrize("kind", KINDS)
def test_modes_that_are_offered_are_executed_by_some_model(kind: str) -> None:
    plate = nameplate_of(device(kind), PERMITTED)
    assert getattr(plate, "modes", set()) <= {*FIELD_OF_MODE, *FORMS, "opModFreqDroop"}
