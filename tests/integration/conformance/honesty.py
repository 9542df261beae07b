"""How the tests of the judge's honesty go through the table of planted faults."""

import pytest
from _pytest.mark import ParameterSet

from conformance_tests import AnyCase, Role, Verdict
from conformance_tests.catalogue import all_cases
from tests.integration.conformance.own_client import told
from tests.integration.conformance.planted.row import Planted
from tests.integration.conformance.planted.table import FAULTS, SAMPLE

BY_ID: dict[str, AnyCase] = {case.id: case for case in all_cases()}


def parameters(role: Role, *families: str) -> list[ParameterSet]:
    """Each fault of a role with each case of these families that must catch it; most for whole runs alone."""
    return [
        pytest.param(
            fault,
            case,
            id=f"{fault.name}-{case.rpartition('/')[0]}",
            marks=() if fault.name in SAMPLE else pytest.mark.whole,
        )
        for fault in FAULTS
        for case in fault.cases
        if fault.role is role and case.partition("/")[0] in families
    ]


def assert_caught(fault: Planted, verdict: Verdict) -> None:
    """The case ends as it must, by a finding that tells of this fault."""
    assert verdict.outcome is fault.due, told(verdict)
    broken = [f"{one.what}: {one.seen}" for one in verdict.findings if not one.held]
    assert any(fault.told in text for text in [*broken, verdict.reason]), (broken, verdict.reason)
