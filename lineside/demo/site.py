"""The site of the demonstration: fresh certificates and the settings of server and clients, in one folder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from secrets import randbelow
from typing import TYPE_CHECKING, Final

from certs import Credentials, Pki, make_pin
from lineside.demo.ports import free_port
from lineside.demo.story import DEVICES
from sep2_server.operator import OperatorClient

if TYPE_CHECKING:
    from pathlib import Path

SERVER_FOLDER: Final = "server"
IDENTITIES: Final = "identities.json"
RATES: Final = (
    "DeviceCapability",
    "EndDeviceList",
    "FunctionSetAssignmentsList",
    "DERProgramList",
    "GroupDERProgramList",
    "DERList",
    "MirrorUsagePointList",
)
SERVER: Final = """\
host = "127.0.0.1"
port = {port}
database = "server.db"
certificate = "{certificate}"
key = "{key}"
roots = "{root}"
post_rate_s = 2
pen = 40732

[poll_rate]
{rates}

[operator]
host = "127.0.0.1"
port = {operator_port}
plain_http = true
folder = "operator"
"""
CLIENT: Final = """\
spool = "{name}.db"

[server]
uri = "https://127.0.0.1:{port}/dcap"
certificate = "{certificate}"
key = "{key}"
roots = "{root}"
pin = {pin}
poll_floor_s = 0.5
retry_most_s = 2.0

[device]
name = "{name}"
kind = "{kind}"
port = {modbus_port}
{can}
[control]
period_s = 0.5

[report]
post_rate_s = 2
"""
CAN: Final = """
[device.can]
interface = "socketcand"
channel = "can0"
host = "127.0.0.1"
port = {can_port}
profile = "pylontech_lv"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where everything of the demonstration lies, and the ports of its server."""

    folder: Path
    port: int
    operator_port: int
    identities: dict[str, Credentials]
    pins: dict[str, int]


def make_site(folder: Path) -> Site:
    """Fresh certificates (root, MCA, MICA, devices, server), PINs, and the settings of the server."""
    pki = Pki.create(folder / "pki")
    server = pki.issue_server("server", hosts=["127.0.0.1", "localhost"])
    identities = {name: pki.issue_device(name) for name in DEVICES}
    site = Site(
        folder=folder,
        port=free_port(),
        operator_port=free_port(),
        identities=identities,
        pins={name: make_pin(randbelow) for name in DEVICES},
    )
    (folder / SERVER_FOLDER).mkdir()
    settings = SERVER.format(
        port=site.port,
        operator_port=site.operator_port,
        certificate=server.certificate_path,
        key=server.key_path,
        root=server.root_path,
        rates="\n".join(f"{name} = 1" for name in RATES),
    )
    (folder / SERVER_FOLDER / "server.toml").write_text(settings)
    known = {n: {"certificate": str(c.certificate_path), "pin": site.pins[n]} for n, c in identities.items()}
    path = folder / IDENTITIES
    path.touch(mode=0o600)
    path.write_text(json.dumps(known))
    return site


def write_client(site: Site, name: str, where: dict[str, object]) -> Path:
    """The settings of a client for a device that listens where its first line said."""
    identity = site.identities[name]
    can_port = where.get("can_port")
    text = CLIENT.format(
        name=name,
        port=site.port,
        certificate=identity.certificate_path,
        key=identity.key_path,
        root=identity.root_path,
        pin=site.pins[name],
        kind="battery" if can_port else "sunspec",
        modbus_port=where["modbus_port"],
        can=CAN.format(can_port=can_port) if can_port else "",
    )
    path = site.folder / f"{name}.toml"
    path.touch(mode=0o600)
    path.write_text(text)
    return path


def read_identities(folder: Path) -> dict[str, dict[str, str]]:
    """Certificate file and PIN of each device that the operator is to enrol."""
    found: dict[str, dict[str, str]] = json.loads((folder / IDENTITIES).read_text())
    return found


def operator_client(folder: Path) -> OperatorClient:
    """The way to the operator API of the server in a folder, with the token of its first start."""
    url = (folder / "operator" / "operator.url").read_text().strip()
    return OperatorClient(url=url, secret=(folder / "operator" / "operator.token").read_text().strip())
