"""Honesty of the judge: each planted fault of a client or an aggregator is caught by its named cases."""

from pathlib import Path

import pytest

from certs import Pki
from conformance_tests import Role
from tests.integration.conformance.honesty import BY_ID, assert_caught, parameters
from tests.integration.conformance.own_aus_client import aus_rig
from tests.integration.conformance.own_client import csip_rig, played
from tests.integration.conformance.planted.row import Planted

CLIENTS = (Role.DER_CLIENT, Role.AGGREGATOR)


@pytest.mark.parametrize(
    ("fault", "case"), [one for role in CLIENTS for one in parameters(role, "csip", "events", "tls")]
)
def test_a_fault_is_caught_by_a_procedure_of_csip(
    client_pki: Pki, tmp_path: Path, fault: Planted, case: str
) -> None:
    rig = csip_rig(client_pki, tmp_path, BY_ID[case])
    with fault.plant(rig):
        verdict = played(rig, BY_ID[case])
    assert_caught(fault, verdict)


@pytest.mark.parametrize(("fault", "case"), [one for role in CLIENTS for one in parameters(role, "csip-aus")])
def test_a_fault_is_caught_by_a_procedure_of_csip_aus(
    client_pki: Pki, tmp_path: Path, fault: Planted, case: str
) -> None:
    rig = aus_rig(client_pki, tmp_path, BY_ID[case])
    with fault.plant(rig):
        verdict = played(rig, BY_ID[case])
    assert_caught(fault, verdict)
