"""Curves over the wire: stored, adopted, read back, given back; and devices that do it badly."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from der_client.device import (
    Applied,
    CurvePoint,
    CurveSetpoint,
    DroopSetpoint,
    Fault,
    FaultKind,
    PowerFactorSetpoint,
    Reversion,
    Setpoint,
)
from der_client.sunspec import SunSpecDevice, read_points
from der_client.sunspec.codec import Value
from der_client.sunspec.model import Model
from der_client.sunspec.simulator import InverterSettings, serve_inverter
from der_client.sunspec.simulator.bank import IllegalRequestError, put
from tests.sunspec_devices import HYBRID, Older, newer_map, older_map
from tests.sunspec_shelf import QUICK, Shelf, served

PATIENT = replace(QUICK, adopt_s=10.0, readback_s=2.0)
GUARD = Reversion(after_s=60)


def curve(mode: str, *points: tuple[float, float], y_ref: int) -> CurveSetpoint:
    return CurveSetpoint(mode=mode, points=tuple(CurvePoint(x=x, y=y) for x, y in points), y_ref=y_ref)


VOLT_VAR = curve("opModVoltVar", (90, 30), (97, 0), (103, 0), (109, -30), y_ref=2)
VOLT_WATT = curve("opModVoltWatt", (105, 100), (109, 0), y_ref=1)
DEFAULT_WATT = curve("opModVoltWatt", (106, 100), (110, 20), y_ref=1)
DROOP = DroopSetpoint(
    dead_band_over_hz=0.05, dead_band_under_hz=0.06, slope_over=0.04, slope_under=0.03, open_loop_s=2.5
)


class Forgetful(Shelf):
    """A device that does not keep the first point of its second volt-var curve."""

    def write(self, address: int, words: Sequence[int]) -> None:
        super().write(address, words)
        put(self.models[705], "Crv[1].Pt[0].V", 1.0)


def newer(values: Mapping[str, Value | None] | None = None, *, result: int = 1, obeys: bool = True) -> Shelf:
    return Shelf(newer_map(values).models, result=result, obeys=obeys)


async def test_simulated_inverter_adopts_a_curve_and_gives_it_back() -> None:
    handle = await serve_inverter(InverterSettings())
    device = SunSpecDevice("der", "127.0.0.1", handle.port, settings=PATIENT)
    volt_var = handle.inverter.bank.models[705]
    before = volt_var.value("Crv[0].Pt[0].V")
    result = await device.apply(Setpoint(curves=(VOLT_VAR,)), GUARD)
    assert isinstance(result, Applied), result
    assert (result.unsupported, volt_var.value("Ena"), volt_var.value("Crv[0].Pt[0].V")) == (
        frozenset(),
        1,
        90.0,
    )
    assert ("705.Crv[0].Pt[3].Var", -30.0) in {(point.point, point.value) for point in result.points}
    released = await device.apply(Setpoint(), GUARD)
    assert isinstance(released, Applied)
    assert (before, volt_var.value("Ena")) == (92.0, 0)
    await device.close()
    await handle.close()


async def test_simulated_inverter_reverts_to_the_default_curve() -> None:
    handle = await serve_inverter(InverterSettings())
    device = SunSpecDevice("der", "127.0.0.1", handle.port, settings=PATIENT)
    default = Reversion(after_s=60, to=Setpoint(curves=(DEFAULT_WATT,)))
    result = await device.apply(Setpoint(curves=(VOLT_WATT,)), default)
    volt_watt = handle.inverter.bank.models[706]
    index = (volt_watt.integer("RvrtCrv") or 0) - 1
    assert isinstance(result, Applied), result
    assert (volt_watt.value("Crv[0].Pt[1].V"), volt_watt.value(f"Crv[{index}].Pt[1].V")) == (109.0, 110.0)
    assert (volt_watt.integer("RvrtTms"), volt_watt.integer("RvrtRem")) == (60, 60)
    again = await device.apply(Setpoint(curves=(VOLT_WATT,)), default)
    assert isinstance(again, Applied)
    await device.close()
    await handle.close()


async def test_simulated_inverter_without_a_client_ends_a_curve_that_has_no_default() -> None:
    handle = await serve_inverter(InverterSettings())
    device = SunSpecDevice("der", "127.0.0.1", handle.port, settings=PATIENT)
    volt_var = handle.inverter.bank.models[705]
    assert isinstance(await device.apply(Setpoint(curves=(VOLT_VAR,)), Reversion(after_s=2)), Applied)
    assert volt_var.value("Crv[0].Pt[0].Var") == 30.0
    async with asyncio.timeout(20):
        while (await read_points("127.0.0.1", handle.port, 1, ["705.Crv[0].Pt[0].Var"]))[
            "705.Crv[0].Pt[0].Var"
        ].value != 0.0:
            pass
    assert [volt_var.value(f"Crv[0].Pt[{number}].Var") for number in range(4)] == [0.0] * 4
    await device.close()
    await handle.close()


async def test_simulated_inverter_gets_its_droop_back() -> None:
    handle = await serve_inverter(InverterSettings())
    device = SunSpecDevice("der", "127.0.0.1", handle.port, settings=PATIENT)
    droop = handle.inverter.bank.models[711]
    assert isinstance(await device.apply(Setpoint(droop=DROOP), GUARD), Applied)
    assert (droop.value("Ctl[0].DbOf"), droop.value("Ctl[0].KUf")) == (0.05, 0.03)
    assert isinstance(await device.apply(Setpoint(), GUARD), Applied)
    assert (droop.value("Ena"), droop.value("Ctl[0].DbOf"), droop.value("Ctl[0].KUf")) == (1, 0.036, 0.05)
    await device.close()
    await handle.close()


class Slow(Shelf):
    """A device that brings the curve that it was told last into force when the test says so."""

    def __init__(self, models: Sequence[Model]) -> None:
        super().__init__(models)
        self.told: list[int] = []

    def adopt(self, model: Model, number: int) -> None:
        put(model, "AdptCrvRslt", 0)
        self.told.append(number)

    def finish(self) -> None:
        super().adopt(self.models[705], self.told[-1])


SLOW = replace(QUICK, readback_s=0.05, adopt_s=10.0)


async def test_curve_that_is_released_while_it_is_adopted_does_not_come_into_force_later() -> None:
    shelf = Slow(newer_map({"705.Ena": 1}).models)
    volt_var = shelf.models[705]
    before = volt_var.value("Crv[0].Pt[0].V")
    async with served(shelf, SLOW) as device:
        results = [await device.apply(Setpoint(curves=(VOLT_VAR,)), GUARD)]
        results += [await device.apply(Setpoint(), GUARD) for _ in range(2)]
        assert [result.kind for result in results if isinstance(result, Fault)] == [FaultKind.PENDING] * 3
        assert len(shelf.told) == 2
        shelf.finish()
        done = await device.apply(Setpoint(), GUARD)
    assert isinstance(done, Applied), done
    assert (volt_var.value("Crv[0].Pt[0].V"), volt_var.integer("Ena")) == (before, 1)


async def test_curve_that_comes_into_force_after_its_release_is_put_back() -> None:
    shelf = Slow(newer_map({"705.Ena": 1}).models)
    volt_var = shelf.models[705]
    before = volt_var.value("Crv[0].Pt[0].V")
    async with served(shelf, replace(SLOW, adopt_s=0.2)) as device:
        await device.apply(Setpoint(curves=(VOLT_VAR,)), GUARD)
        released = await device.apply(Setpoint(), GUARD)
        Shelf.adopt(shelf, volt_var, shelf.told[0])
        async with asyncio.timeout(5):
            while isinstance(ended := await device.apply(Setpoint(), GUARD), Fault):
                if len(shelf.told) > 2:
                    shelf.finish()
    assert isinstance(released, Fault)
    assert isinstance(ended, Applied)
    assert volt_var.value("Crv[0].Pt[0].V") == before


async def test_device_that_never_reports_the_result_is_let_go_when_the_time_is_over() -> None:
    shelf = Slow(newer_map({"705.Ena": 1}).models)
    async with served(shelf, replace(SLOW, adopt_s=0.2)) as device:
        await device.apply(Setpoint(curves=(VOLT_VAR,)), GUARD)
        async with asyncio.timeout(5):
            while isinstance(await device.apply(Setpoint(), GUARD), Fault):
                pass
    assert len(shelf.told) == 2


async def test_device_that_never_reports_the_result_is_judged_by_what_it_shows() -> None:
    shelf = newer(result=0)
    async with served(shelf) as device:
        assert isinstance(await device.apply(Setpoint(curves=(VOLT_VAR,)), GUARD), Applied)
    assert shelf.writes.count("705.AdptCrvReq") == 1


@pytest.mark.parametrize(
    ("result", "obeys", "kind", "detail"),
    [
        (2, False, FaultKind.REFUSED, "the curve was not adopted"),
        (0, False, FaultKind.READBACK, "no curve adopted within 0.3 s"),
        (1, False, FaultKind.READBACK, "no curve adopted within 0.3 s"),
    ],
    ids=["failed", "never done", "says so and is not"],
)
async def test_curve_that_is_not_adopted_is_a_fault_of_its_mode(
    result: int, obeys: bool, kind: FaultKind, detail: str
) -> None:
    async with served(newer(result=result, obeys=obeys)) as device:
        fault = await device.apply(Setpoint(curves=(VOLT_VAR,)), GUARD)
    assert fault == Fault(kind=kind, detail=detail, point="705.AdptCrvRslt", field="opModVoltVar")


async def test_a_stop_does_not_wait_for_a_curve_that_is_not_adopted() -> None:
    shelf = newer(result=0, obeys=False)
    curves = (VOLT_VAR, VOLT_WATT)
    async with served(shelf, replace(QUICK, adopt_s=10.0)) as device:
        first = await device.apply(Setpoint(max_w_pct=50, curves=curves), Reversion(after_s=0))
        wanted = Setpoint(max_w_pct=0, energize=False, curves=curves)
        stopped = await device.apply(wanted, Reversion(after_s=0))
        told = (shelf.models[703].integer("ES"), shelf.models[704].value("WMaxLimPct"))
        shelf.obeys = True
        shelf.adopt(shelf.models[705], 2)
        done = [await device.apply(wanted, Reversion(after_s=0)) for _ in range(2)]

    pending = Fault(
        kind=FaultKind.PENDING,
        detail="the curve is not adopted yet",
        point="705.AdptCrvRslt",
        field="opModVoltVar",
    )
    assert (first, stopped, told) == (pending, pending, (0, 0.0))
    assert isinstance(done[-1], Applied), done
    assert [shelf.writes.count(f"{number}.AdptCrvReq") for number in (705, 706)] == [1, 1]


async def test_curve_that_does_not_read_back_is_never_requested() -> None:
    shelf = Forgetful(newer_map().models)
    async with served(shelf) as device:
        fault = await device.apply(Setpoint(curves=(VOLT_VAR,)), GUARD)
    assert isinstance(fault, Fault)
    assert (fault.kind, fault.point, fault.field) == (
        FaultKind.READBACK,
        "705.Crv[1].Pt[0].V",
        "opModVoltVar",
    )
    assert "705.AdptCrvReq" not in shelf.writes


async def test_volt_var_in_the_way_of_a_power_factor_is_stopped_and_comes_back() -> None:
    shelf = newer({"705.Ena": 1})
    factor = PowerFactorSetpoint(power_factor=0.9, absorbing=True)
    async with served(shelf) as device:
        assert isinstance(await device.apply(Setpoint(pf_inject=factor), Reversion(after_s=0)), Applied)
        assert (shelf.models[705].integer("Ena"), shelf.writes[0]) == (0, "705.Ena")
        assert isinstance(await device.apply(Setpoint(), Reversion(after_s=0)), Applied)
    assert shelf.models[705].integer("Ena") == 1


async def test_curve_of_the_older_series_is_written_once_and_put_back() -> None:
    shelf = Shelf(older_map(HYBRID, Older(model_id=126)).models)
    async with served(shelf) as device:
        assert isinstance(await device.apply(Setpoint(curves=(VOLT_VAR,)), GUARD), Applied)
        assert isinstance(await device.apply(Setpoint(curves=(VOLT_VAR,)), GUARD), Applied)
        assert shelf.writes == ["126.curve[1].ActPt", "126.ActCrv"]
        assert isinstance(await device.apply(Setpoint(), GUARD), Applied)
    assert (shelf.models[126].integer("ModEna"), shelf.models[126].integer("ActCrv")) == (0, 2)


async def test_limit_of_the_older_series_is_refreshed_by_time_alone() -> None:
    shelf = Shelf(older_map(HYBRID).models)
    async with served(shelf) as device:
        first = await device.apply(Setpoint(max_w_pct=50), Reversion(after_s=60))
        again = await device.apply(Setpoint(max_w_pct=50), Reversion(after_s=60))
        assert shelf.writes == ["123.WMaxLimPct"]
        shorter = await device.apply(Setpoint(max_w_pct=50), Reversion(after_s=30))
    assert [type(result) for result in (first, again, shorter)] == [Applied] * 3
    assert shelf.writes == ["123.WMaxLimPct", "123.WMaxLimPct"]


async def test_device_that_knows_single_writes_only_gets_them_with_the_enable_last() -> None:
    shelf = Shelf(older_map(HYBRID).models)
    shelf.single = True
    async with served(shelf) as device:
        assert isinstance(await device.apply(Setpoint(max_w_pct=50), GUARD), Applied)
        assert shelf.writes[-1] == "123.WMaxLim_Ena"
        assert len(shelf.writes) == 5
        assert isinstance(await device.apply(Setpoint(target_w=-1_000), GUARD), Applied)
    assert shelf.writes[5:] == [
        "124.OutWRte",
        "124.InWRte",
        "124.InOutWRte_WinTms",
        "124.InOutWRte_RvrtTms",
        "124.InOutWRte_RmpTms",
        "124.ChaGriSet",
        "124.StorCtl_Mod",
        "123.WMaxLim_Ena",
    ]


class Guarded(Shelf):
    """A device that denies its client the trip curves: exception 1."""

    def write(self, address: int, words: Sequence[int]) -> None:
        if self.models[707].address <= address < self.models[707].end:
            raise IllegalRequestError(1, "denied")
        super().write(address, words)


TRIP = curve("opModLVRTMustTrip", (1, 50), (10, 88), y_ref=0)
FACTOR = Setpoint(pf_inject=PowerFactorSetpoint(power_factor=0.95, absorbing=True))


async def test_write_that_is_denied_leaves_the_others_as_they_are() -> None:
    shelf = Guarded(newer_map().models)
    async with served(shelf) as device:
        denied = await device.apply(Setpoint(curves=(TRIP,)), GUARD)
        done = await device.apply(FACTOR, Reversion(after_s=0))
    assert isinstance(denied, Fault)
    assert (denied.kind, denied.field) == (FaultKind.REFUSED, "opModLVRTMustTrip")
    assert isinstance(done, Applied), done


async def test_device_of_single_writes_is_known_by_what_it_takes_until_it_is_scanned_anew() -> None:
    shelf = Shelf(older_map(HYBRID).models)
    shelf.single = True
    async with served(shelf) as device:
        for percent in (50, 40):
            assert isinstance(await device.apply(Setpoint(max_w_pct=percent), GUARD), Applied)
        assert shelf.refused == 1
        shelf.single = False
        await device.identify()
        assert isinstance(await device.apply(Setpoint(max_w_pct=30), GUARD), Applied)
    assert shelf.writes[-1] == "123.WMaxLimPct"
