from dataclasses import replace

import pytest

from der_client.device import Setpoint
from der_client.interlocks.rules_device import WriteRules
from der_client.write_budget import WriteBudget, queued_in

RULES = WriteRules(interval_s=5.0, burst=3.0)


def spent(budget: WriteBudget, writes: int, now: float, rules: WriteRules = RULES) -> WriteBudget:
    for at in range(writes):
        former = Setpoint(max_w_pct=float(at))
        budget = budget.after(Setpoint(max_w_pct=at + 1.0), Setpoint(max_w_pct=at + 1.0), former, rules, now)
    return budget


def test_a_few_writes_may_follow_each_other_at_once_and_then_one_each_five_seconds() -> None:
    budget, wish, former = spent(WriteBudget(), 3, 0.0), Setpoint(max_w_pct=80.0), Setpoint(max_w_pct=40.0)

    assert spent(WriteBudget(), 2, 0.0).affordable(wish, former, RULES, 0.0) == wish
    assert budget.affordable(wish, former, RULES, 4.9) == former
    assert budget.affordable(wish, former, RULES, 5.0) == wish


@pytest.mark.parametrize(
    ("wish", "former"),
    [
        (Setpoint(max_w_pct=30.0), Setpoint(max_w_pct=40.0)),
        (Setpoint(max_w_pct=99.0), Setpoint()),
        (Setpoint(target_w=0.0), Setpoint(target_w=-4_000.0)),
        (Setpoint(target_w=-1_000.0), Setpoint(target_w=-4_000.0)),
        (Setpoint(target_w=2_000.0), Setpoint(target_w=2_500.0)),
        (Setpoint(max_charge_w=100.0), Setpoint(max_charge_w=200.0)),
        (Setpoint(max_w_pct=80.0, energize=False), Setpoint(max_w_pct=40.0)),
    ],
)
def test_what_makes_power_less_is_never_held_back(wish: Setpoint, former: Setpoint) -> None:
    budget = WriteBudget()
    for name in range(5):
        moved = Setpoint(max_w_pct=float(name), target_w=float(name), max_charge_w=float(name))
        budget = budget.after(moved, moved, None, RULES, 0.0)

    assert budget.affordable(wish, former, RULES, 0.0) == wish


@pytest.mark.parametrize(
    ("wish", "former"),
    [
        (Setpoint(target_w=-4_500.0), Setpoint(target_w=-4_000.0)),
        (Setpoint(target_w=1_000.0), Setpoint(target_w=-1_000.0)),
        (Setpoint(target_w=1_000.0), Setpoint(target_w=0.0)),
        (Setpoint(), Setpoint(max_w_pct=40.0)),
        (Setpoint(max_charge_w=300.0), Setpoint(max_charge_w=200.0)),
    ],
)
def test_what_lets_more_through_waits_with_its_latest_value(wish: Setpoint, former: Setpoint) -> None:
    budget = WriteBudget()
    for name in range(5):
        moved = Setpoint(max_w_pct=float(name), target_w=float(name), max_charge_w=float(name))
        budget = budget.after(moved, moved, None, RULES, 0.0)

    assert budget.affordable(wish, former, RULES, 0.0) == former
    assert queued_in(wish, former) == 1
    assert budget.waiting(1).queued == 1


def test_other_fields_are_written_while_power_waits() -> None:
    budget = spent(WriteBudget(), 3, 0.0)
    wish, former = Setpoint(max_w_pct=80.0, connect=True), Setpoint(max_w_pct=40.0)

    assert budget.affordable(wish, former, RULES, 0.0) == replace(former, connect=True)


def test_registers_in_flash_have_a_budget_for_the_day() -> None:
    rules = WriteRules(interval_s=0.0, burst=100.0, per_day=100.0, flash_backed=True)
    budget = spent(WriteBudget(), 100, 10.0, rules)
    wish, former = Setpoint(max_w_pct=80.0), Setpoint(max_w_pct=40.0)

    assert budget.today == 100
    assert budget.affordable(wish, former, rules, 80_000.0) == former
    assert budget.affordable(wish, former, rules, 86_410.0) == wish


def test_a_value_that_stays_costs_nothing() -> None:
    same = Setpoint(max_w_pct=40.0)

    assert WriteBudget().after(same, same, same, RULES, 0.0).today == 0
