"""Several packs as one battery: what adds up, what the weakest decides, what one pack is enough for."""

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der_client.bms_group import BmsGroup, PackState, combined
from der_client.device import BatteryState, Fault, FaultKind
from tests.unit.der_client.safety_bench import GIVE, REST, Gate, names

PACK = BatteryState(
    voltage_v=50.0, current_a=10.0, soc_pct=60.0, soh_pct=98.0, temperature_c=20.0, charge_limit_a=100.0,
    discharge_limit_a=80.0, charge_voltage_v=56.0, discharge_voltage_v=44.0, cell_v_min=3.2, cell_v_max=3.3,
    cell_c_min=18.0, cell_c_max=22.0, contactor_closed=True,
)  # fmt: skip
SILENT = Fault(kind=FaultKind.STALE, detail="BMS silent for 11.0 s")


@dataclass
class Bms:
    state: BatteryState | Fault = PACK
    told: list[tuple[float, float]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)

    async def start(self) -> None:
        self.calls.append("start")

    def battery(self) -> BatteryState | Fault:
        return self.state

    async def send_status(
        self, voltage_v: float, current_a: float, temperature_c: float, soc_pct: float
    ) -> None:
        self.told.append((voltage_v, current_a))

    async def close(self) -> None:
        self.calls.append("close")


def both(first: BatteryState, second: BatteryState, share: float = 0.5) -> BatteryState:
    return combined([PackState(battery=first, share=share), PackState(battery=second, share=1 - share)])


def test_two_equal_packs_give_twice_the_current_and_the_limits() -> None:
    together = replace(PACK, current_a=20.0, charge_limit_a=200.0, discharge_limit_a=160.0)

    assert both(PACK, PACK) == replace(together, packs=(PACK, PACK))


def test_the_pack_that_is_full_first_limits_all() -> None:
    found = both(PACK, replace(PACK, charge_limit_a=10.0))

    assert (found.charge_limit_a, found.discharge_limit_a) == (20.0, 160.0)


def test_current_divides_as_capacity_does() -> None:
    found = both(replace(PACK, soc_pct=80.0), replace(PACK, soc_pct=40.0, charge_limit_a=25.0), share=0.75)

    assert found.charge_limit_a == 100.0
    assert found.soc_pct == 70.0


def test_a_pack_whose_contactor_is_open_takes_no_part() -> None:
    away = replace(PACK, contactor_closed=False, current_a=0.0, charge_limit_a=0.0, charge_allowed=False)
    found = both(PACK, away)

    assert (found.charge_limit_a, found.charge_allowed, found.contactor_closed) == (100.0, True, True)
    assert both(away, away).contactor_closed is False
    assert both(away, away).charge_allowed is False


def test_one_pack_is_enough_to_close_a_direction_and_to_raise_an_alarm() -> None:
    found = both(PACK, replace(PACK, discharge_allowed=False, alarms=frozenset({"low_voltage"})))

    assert (found.charge_allowed, found.discharge_allowed) == (True, False)
    assert found.alarms == {"low_voltage"}
    assert found.discharge_limit_w == 0.0


def test_the_extremes_are_those_of_all_cells() -> None:
    found = both(PACK, replace(PACK, cell_v_min=3.0, cell_v_max=None, cell_c_max=35.0, charge_voltage_v=55.0))

    assert (found.cell_v_min, found.cell_v_max) == (3.0, 3.3)
    assert (found.cell_c_min, found.cell_c_max) == (18.0, 35.0)
    assert found.charge_voltage_v == 55.0


def test_voltages_that_differ_are_a_warning() -> None:
    assert both(PACK, replace(PACK, voltage_v=52.0)).warnings == {"pack_voltages_differ"}


@given(
    shares=st.lists(st.floats(0.1, 10.0), min_size=1, max_size=5),
    data=st.data(),
)
def test_no_pack_is_ever_asked_for_more_than_it_allows(shares: list[float], data: st.DataObject) -> None:
    limits = [data.draw(st.floats(0.0, 500.0)) for _ in shares]
    total = sum(shares)
    packs = [
        PackState(battery=replace(PACK, charge_limit_a=limit), share=share / total)
        for limit, share in zip(limits, shares, strict=True)
    ]
    limit_a = combined(packs).charge_limit_a

    assert all(limit_a * pack.share <= pack.battery.charge_limit_a * (1 + 1e-9) + 1e-9 for pack in packs)


def test_a_pack_that_is_not_to_be_trusted_is_a_fault_of_the_whole() -> None:
    group = BmsGroup([Bms(), Bms(state=SILENT)], [100.0, 100.0])

    assert group.battery() == Fault(kind=FaultKind.STALE, detail="pack 2: BMS silent for 11.0 s")


@pytest.mark.parametrize("is_first", [True, False])
def test_a_pack_that_is_lost_goes_before_one_that_never_spoke(is_first: bool) -> None:
    never = Fault(kind=FaultKind.NO_ANSWER, detail="not received yet")
    states = (SILENT, never) if is_first else (never, SILENT)
    group = BmsGroup([Bms(state=state) for state in states], [100.0, 100.0])

    assert group.battery() == replace(SILENT, detail=f"pack {1 if is_first else 2}: {SILENT.detail}")


def held(battery: BatteryState) -> list[str]:
    """Interlocks that hold after 12 s of a battery that is to discharge."""
    return names(Gate().steps(GIVE, replace(REST, battery=battery), range(13)))


@pytest.mark.parametrize("is_first", [True, False])
def test_current_through_the_open_contactor_of_one_pack_stops_all(is_first: bool) -> None:
    welded = replace(PACK, contactor_closed=False, current_a=60.0)
    found = both(welded, PACK) if is_first else both(PACK, welded)

    assert "current through an open contactor" in held(found)


@pytest.mark.parametrize(
    ("current_a", "name"),
    [(95.0, "discharge current stays over DCL"), (-115.0, "charge current stays over CCL")],
)
def test_a_pack_above_a_limit_of_its_own_stops_all_whatever_others_do(current_a: float, name: str) -> None:
    idle = replace(PACK, current_a=0.0)
    found = both(idle, replace(PACK, current_a=current_a))

    assert name in held(found)
    assert held(both(idle, replace(PACK, current_a=current_a * 0.8))) == []


def test_a_pack_whose_current_is_no_number_hides_no_other() -> None:
    over, broken = replace(PACK, current_a=95.0), replace(PACK, current_a=float("nan"))

    assert "discharge current stays over DCL" in held(both(broken, over))
    assert "discharge current stays over DCL" in held(both(over, broken))


async def test_each_pack_is_told_its_share_of_the_current() -> None:
    first, second = Bms(), Bms()
    group = BmsGroup([first, second], [300.0, 100.0])
    await group.start()
    await group.send_status(50.0, 40.0, 20.0, 60.0)
    await group.close()

    assert (first.told, second.told) == ([(50.0, 30.0)], [(50.0, 10.0)])
    assert (first.calls, second.calls) == (["start", "close"], ["start", "close"])


@pytest.mark.parametrize("shares", [[], [1.0], [1.0, 0.0]])
def test_every_pack_needs_a_capacity(shares: list[float]) -> None:
    with pytest.raises(ValueError, match="each has a capacity above 0"):
        BmsGroup([Bms(), Bms()], shares)


def beats(group: BmsGroup) -> int | None:
    found = group.battery()
    assert isinstance(found, BatteryState)
    return found.heartbeat


def test_the_heartbeat_of_all_moves_when_that_of_each_pack_has() -> None:
    packs = [Bms(replace(PACK, heartbeat=250)), Bms(replace(PACK, heartbeat=7))]
    group = BmsGroup(packs, [1.0, 1.0])
    seen = [beats(group)]
    for first, second in ((251, 7), (252, 7), (253, 8), (0, 8), (1, 9)):
        packs[0].state, packs[1].state = replace(PACK, heartbeat=first), replace(PACK, heartbeat=second)
        seen.append(beats(group))
    assert seen == [1, 1, 1, 2, 2, 3]


def test_a_pack_without_heartbeat_holds_nobody_up() -> None:
    packs = [Bms(PACK), Bms(replace(PACK, heartbeat=1))]
    group = BmsGroup(packs, [1.0, 1.0])
    before = beats(group)
    packs[1].state = replace(PACK, heartbeat=2)
    assert (before, beats(group)) == (1, 2)
    assert beats(BmsGroup([Bms(), Bms()], [1.0, 1.0])) is None
