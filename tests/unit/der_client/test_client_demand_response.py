"""The instruction of demand response that a device tells back. CSIP-AUS DRA-02, DRD-01."""

from dataclasses import replace

import pytest

from der_client.demand_response import instruction_of
from der_client.device import Fault, FaultKind, Setpoint, Telemetry
from der_client.device_view import DeviceView
from der_client.plan import Plan
from der_client.report_status import status_of
from function_sets import ModeSource

FAULT = Fault(kind=FaultKind.REFUSED, detail="no")


def plan_of(**modes: object) -> Plan:
    return Plan(
        modes={
            name: ModeSource(mode=name, value=value, mRID="01", program_href="/derp/1", primacy=1)
            for name, value in modes.items()
        }
    )


HELD = DeviceView(
    name="der",
    plan=plan_of(opModFixedW=7_500),
    setpoint=Setpoint(target_w=7_500.0),
    telemetry=Telemetry(power_w=7_500.0, reactive_var=0.0, operational_mode=2),
)


@pytest.mark.parametrize(
    ("share", "mode"),
    [
        (-1, 101),
        (-5000, 102),
        (-7500, 103),
        (-10_000, 104),
        (0, 105),
        (5000, 106),
        (7500, 107),
        (10_000, 108),
    ],
)
def test_each_share_is_an_instruction(share: int, mode: int) -> None:
    assert instruction_of(replace(HELD, plan=plan_of(opModFixedW=share))) == mode


def test_another_share_is_none() -> None:
    assert instruction_of(replace(HELD, plan=plan_of(opModFixedW=1_234))) is None


def test_off_goes_before_any_share() -> None:
    plan = plan_of(opModConnect=False, opModFixedW=7_500)
    assert instruction_of(replace(HELD, plan=plan, setpoint=Setpoint(connect=False, target_w=1.0))) == 100


def test_to_connect_is_no_instruction() -> None:
    assert instruction_of(replace(HELD, plan=plan_of(opModConnect=True), setpoint=Setpoint())) is None


@pytest.mark.parametrize(
    "view",
    [
        replace(HELD, plan=None),
        replace(HELD, silent=FAULT),
        replace(HELD, is_local=True),
        replace(HELD, may_write=False),
        replace(HELD, failed={"target_w": FAULT}),
        replace(HELD, unsupported=frozenset({"target_w"})),
        replace(HELD, short=frozenset({"target_w"})),
        replace(HELD, setpoint=Setpoint()),
        replace(HELD, plan=plan_of(opModConnect=False), setpoint=Setpoint()),
        replace(
            HELD,
            plan=plan_of(opModConnect=False),
            setpoint=Setpoint(connect=False),
            failed={"connect": FAULT},
        ),
    ],
)
def test_what_is_not_held_is_not_told(view: DeviceView) -> None:
    assert instruction_of(view) is None


def test_the_instruction_stands_in_the_place_of_the_operational_mode() -> None:
    told = [status_of(HELD, 7, instructed=one).operationalModeStatus for one in (True, False)]
    assert [one.value for one in told if one is not None] == [107, 2]
