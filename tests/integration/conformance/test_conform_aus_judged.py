"""What the codec would let pass is found out by the judge in the CSIP-AUS procedures for servers."""

from pathlib import Path

import pytest

from certs import Pki
from conformance_tests import Outcome
from conformance_tests.aus.server_cases import CASES
from tests.integration.conformance.played import aus_verdict
from tests.integration.conformance.tampering import Change, changing_bytes, tampered, to

CASE = next(one for one in CASES if one.clause == "S-ALL-01")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (changing_bytes(b"<DeviceCapability ", b'<DeviceCapability own="1" '), "own"),
        (changing_bytes(b"</DeviceCapability>", b"<Extra/></DeviceCapability>"), "Extra"),
    ],
    ids=["an attribute of its own", "an element of its own"],
)
def test_a_body_that_breaks_the_schema_fails_the_procedure(
    change: Change, told: str, tmp_path: Path, sep2_pki: Pki
) -> None:
    with tampered(to("GET", change, ending="/dcap")):
        verdict = aus_verdict(CASE, tmp_path, sep2_pki)
    assert verdict.outcome is Outcome.FAILED
    assert "is valid by the schema" in verdict.reason
    assert told in verdict.reason
