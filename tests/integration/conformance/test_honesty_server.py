"""Honesty of the judge: each planted fault of a server is caught by the cases that the table names."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from certs import Pki
from conformance_tests import Outcome, Role
from tests.integration.conformance.honesty import BY_ID, assert_caught, parameters
from tests.integration.conformance.house import House
from tests.integration.conformance.planted.row import Planted
from tests.integration.conformance.planted.table import FAULTS
from tests.integration.conformance.played import Played, aus_verdict

GENERATED = frozenset({"access", "bodies", "lists", "methods", "subscribable"})


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, sep2_pki: Pki) -> Iterator[House]:
    """A server with one of everything."""
    made = House(tmp_path_factory.mktemp("house"), sep2_pki)
    yield made
    made.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, sep2_pki: Pki) -> Iterator[Played]:
    """A server of the profile csip."""
    made = Played(tmp_path_factory.mktemp("planted"), sep2_pki, "csip")
    made.enrol()
    yield made
    made.close()


@pytest.mark.parametrize(("fault", "case"), parameters(Role.SERVER, *GENERATED))
def test_a_fault_is_caught_by_a_generated_case(house: House, fault: Planted, case: str) -> None:
    honest = house.verdict(BY_ID[case])
    assert honest.outcome is Outcome.PASSED, honest.reason
    assert_caught(fault, house.verdict(BY_ID[case], fault.plant))


@pytest.mark.parametrize("name", ["EndDevice", "EndDeviceList", "MirrorUsagePointList"])
def test_a_server_that_takes_everybody_for_one_device_is_caught_from_the_start(
    house: House, name: str
) -> None:
    """Also where the tour of the other device was led to what is the first one's."""
    (fault,) = (one for one in FAULTS if one.name == "reads-as-another")
    house.forget()
    verdict = house.verdict(BY_ID[f"access/{name}-other/server"], fault.plant)
    house.forget()
    assert verdict.outcome is Outcome.FAILED, verdict.reason


@pytest.mark.parametrize(("fault", "case"), parameters(Role.SERVER, "csip", "events", "tls"))
def test_a_fault_is_caught_by_a_procedure_of_csip(server: Played, fault: Planted, case: str) -> None:
    assert_caught(fault, server.verdict(BY_ID[case], fault.plant))


@pytest.mark.parametrize(("fault", "case"), parameters(Role.SERVER, "csip-aus"))
def test_a_fault_is_caught_by_a_procedure_of_csip_aus(
    tmp_path: Path, sep2_pki: Pki, fault: Planted, case: str
) -> None:
    assert_caught(fault, aus_verdict(BY_ID[case], tmp_path, sep2_pki, fault.plant))
