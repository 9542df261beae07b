"""What has been changed 65,535 times is changed once more: its version stays one that the schema takes."""

import re

import pytest

from sep2_server import Sep2Server
from sep2_server.operator import OperatorClient
from sep2_server.operator.commands import rows_of
from sep2_server.transaction import Transaction
from tests.integration.operator_api.conftest import LFDI, DeviceRequest

LAST = b"<version>65535</version>"
LIMIT = {"opModMaxLimW": "50%"}


@pytest.fixture
def aged(api: OperatorClient, server: Sep2Server) -> str:
    """Program of a group with one device; all that has a version has had every version."""
    api.call("POST", ("devices",), {"name": "north", "lFDI": LFDI, "pIN": 111_115})
    api.call("POST", ("groups",), {"name": "g", "primacy": 5})
    api.call("PUT", ("groups", "g", "devices", "north"))
    api.call("PATCH", ("groups", "g", "default"), {"DERControlBase": LIMIT})
    body = {"DERControlBase": LIMIT, "duration": 60, "in": 60}
    api.call("POST", ("groups", "g", "controls"), body)

    def age(tx: Transaction) -> None:
        for kind in ("DERProgram", "DefaultDERControl", "FunctionSetAssignments", "DERControl"):
            [row] = tx.of_kind(kind, limit=9)
            tx.replace(row, row._replace(body=re.sub(rb"<version>\d+</version>", LAST, row.body)))

    server.store.write(age)
    return str(rows_of(api.get("programs"), "programs")[0]["mRID"])


@pytest.mark.parametrize("kind", ["default", "program", "assignments", "taken away", "control"])
def test_a_change_after_the_last_version_can_be_read(
    api: OperatorClient, server: Sep2Server, device_request: DeviceRequest, aged: str, kind: str
) -> None:
    change(api, aged, kind)
    for held in ("DERProgram", "DefaultDERControl", "FunctionSetAssignments", "DERControl"):
        for row in server.store.new_reader().of_kind(held, limit=9):
            assert b"<version>65536" not in row.body
            assert device_request("GET", row.href).status == 200
    assert rows_of(api.get("programs"), "programs")


def change(api: OperatorClient, program: str, kind: str) -> None:
    if kind == "default":
        api.call("PATCH", ("groups", "g", "default"), {"setGradW": 100})
    elif kind == "program":
        api.call("PATCH", ("groups", "g", "programs", program), {"primacy": 7})
    elif kind == "assignments":
        api.call("POST", ("groups", "g", "messages"), {"textMessage": "hello", "duration": 60})
    elif kind == "taken away":
        api.call("DELETE", ("groups", "g", "default"))
    else:
        [control] = rows_of(api.get("controls"), "controls")
        api.call("PUT", ("resources",), {"description": "later"}, query={"href": str(control["href"])})
