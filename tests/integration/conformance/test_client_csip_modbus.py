"""Our client commands a simulated SunSpec inverter, and the runner looks into its registers by itself."""

from pathlib import Path

import pytest

from certs import Pki
from conformance_tests import AnyCase, Role, Verdict
from conformance_tests.client.csip import CASES
from conformance_tests.client.observer_modbus import ModbusObserver
from der_client.sunspec import SunSpecDevice
from der_client.sunspec.simulator import InverterSettings, serve_inverter
from tests.integration.conformance.own_client import Rig, is_fine, on_virtual_time, told
from tests.virtual_time import VirtualTime

HOST = "127.0.0.1"


@pytest.mark.parametrize(
    ("series", "name"),
    [(700, "BASIC-006"), (700, "BASIC-008"), (700, "BASIC-010"), (700, "BASIC-013"), (100, "BASIC-010")],
)
def test_the_registers_show_that_the_client_follows(tmp_path: Path, series: int, name: str) -> None:
    pki = Pki.create(tmp_path / "pki", depth=3)
    pki.issue_server("server", hosts=[HOST])
    own = pki.issue_device("device")
    case: AnyCase = next(one for one in CASES if one.id == f"csip/{name}/client")
    rig = Rig(pki=pki, folder=tmp_path, role=Role.DER_CLIENT, clock=VirtualTime())

    async def judged() -> Verdict:
        handle = await serve_inverter(InverterSettings(series=series), now=rig.clock.monotonic)
        device = SunSpecDevice("inverter", HOST, handle.port)
        try:
            observer = ModbusObserver({"": (HOST, handle.port, 1)})
            return await rig.judged(case, {str(own.lfdi): device}, observer)
        finally:
            await device.close()
            await handle.close()

    verdict = on_virtual_time(rig.clock, judged)

    assert is_fine(verdict), told(verdict)
    assert [one for one in verdict.findings if one.held and "holds opMod" in one.what], told(verdict)
