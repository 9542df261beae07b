"""Several devices that the server knows as one DER. CSIP-AUS MUL-01 to MUL-03."""

from dataclasses import replace

import pytest

from der_client import Fault, FaultKind
from der_client.device import Telemetry
from der_client.device_view import DeviceView
from der_client.joining import joined, nameplate_of, type_of
from tests.unit.der_client.plates import PV, STORAGE

RUNNING = Telemetry(
    power_w=3_000.0,
    reactive_var=100.0,
    voltage_v=240.0,
    frequency_hz=50.0,
    injected_wh=1_000.0,
    gen_connect=7,
    inverter_status=4,
    operational_mode=2,
)
OFF = replace(RUNNING, power_w=0.0, voltage_v=236.0, gen_connect=0, inverter_status=1, operational_mode=1)
SILENT = Fault(kind=FaultKind.NO_ANSWER, detail="silent")


def of(telemetry: Telemetry | None, **change: object) -> DeviceView:
    view = DeviceView(name="part", nameplate=PV, telemetry=telemetry)
    return replace(view, **change)  # type: ignore[arg-type]


def test_powers_and_energies_of_the_whole_are_sums() -> None:
    whole = joined("site", [of(RUNNING), of(replace(RUNNING, power_w=-500.0, reactive_var=-40.0))]).telemetry

    assert whole is not None
    assert (whole.power_w, whole.reactive_var, whole.injected_wh) == (2_500.0, 60.0, 2_000.0)
    assert (whole.voltage_v, whole.frequency_hz) == (240.0, 50.0)


@pytest.mark.parametrize(
    ("parts", "connect", "mode", "status"),
    [((RUNNING, RUNNING), 7, 2, 4), ((OFF, RUNNING), 7, 2, 4), ((OFF, OFF), 0, 1, 1)],
)
def test_the_whole_is_connected_while_any_part_is(
    parts: tuple[Telemetry, ...], connect: int, mode: int, status: int
) -> None:
    """MUL-01."""
    whole = joined("site", [of(part) for part in parts]).telemetry

    assert whole is not None
    assert (whole.gen_connect, whole.operational_mode, whole.inverter_status) == (connect, mode, status)


def test_the_whole_is_silent_only_when_all_parts_are() -> None:
    one = joined("site", [of(RUNNING), of(None, silent=SILENT)])
    none = joined("site", [of(None, silent=SILENT), of(None, silent=SILENT)])

    assert (one.silent, none.silent) == (None, SILENT)
    assert one.telemetry is not None
    assert (one.telemetry.power_w, none.telemetry) == (3_000.0, None)


def test_what_one_part_cannot_hold_the_whole_cannot() -> None:
    whole = joined("site", [of(RUNNING), of(RUNNING, failed={"max_w_pct": SILENT}, may_write=False)])

    assert whole.failed == {"max_w_pct": SILENT}
    assert not whole.may_write


def test_ratings_of_the_whole_are_sums_with_the_modes_of_all() -> None:
    """MUL-03."""
    battery = replace(STORAGE, modes=frozenset({"opModTargetW"}), min_pf_over_excited=0.9, set_max_w=4_000)
    whole = nameplate_of([replace(PV, min_pf_over_excited=0.8), battery])

    assert (whole.max_w, whole.set_max_w, whole.max_va) == (10_000.0, 9_000.0, 10_000.0)
    assert (whole.max_charge_w, whole.charge_w, whole.capacity_wh) == (5_000.0, 5_000.0, 10_000.0)
    assert whole.modes == {"opModMaxLimW", "opModFixedW", "opModTargetW"}
    assert whole.min_pf_over_excited == 0.9
    assert whole.der_type == 83


@pytest.mark.parametrize(("types", "expected"), [({4}, 4), ({80}, 80), ({4, 80}, 83), ({4, 5}, 1)])
def test_the_kind_of_the_whole_follows_from_its_parts(types: set[int], expected: int) -> None:
    assert type_of(types) == expected


def test_the_state_of_charge_of_the_whole_is_by_capacity() -> None:
    big = of(replace(RUNNING, soc_pct=80.0), nameplate=replace(STORAGE, capacity_wh=30_000))
    small = of(replace(RUNNING, soc_pct=40.0), nameplate=STORAGE)
    whole = joined("site", [big, small, of(RUNNING)]).telemetry

    assert whole is not None
    assert (whole.soc_pct, whole.soh_pct) == (70.0, None)


@pytest.mark.parametrize(("able", "expected"), [((3_000.0, 0.0), 3_000.0), ((None, 4_000.0), None)])
def test_what_the_whole_is_able_to_give_is_the_sum_where_all_is_known(
    able: tuple[float | None, float | None], expected: float | None
) -> None:
    views = [DeviceView(name=str(number), able_w=one) for number, one in enumerate(able)]

    assert joined("whole", views).able_w == expected
