"""What the VTN and the VEN of the demonstration run on: certificates of their own PKI, and settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from certs import Pki, fingerprint_of
from lineside.demo.site import SERVER_FOLDER
from lineside.demo.story import DEVICES, MARKET_CONTEXT, OPENADR_PKI, VEN, VTN

if TYPE_CHECKING:
    from pathlib import Path

    from certs import Credentials
    from lineside.demo.site import Site

SETTINGS: Final = "ven.toml"
TOKEN: Final = "operator.token"  # noqa: S105 - the name of a file
KINDS: Final = {"pv": "generation", "battery": "storage"}
HEAD: Final = """\
name = "site"

[vtn]
profile = "2.0b"
url = "https://127.0.0.1:{port}"
certificate = "{certificate}"
key = "{key}"
roots = "{roots}"
fingerprint = "{fingerprint}"
is_signed = true
poll_s = 1.0

[server]
url = "http://127.0.0.1:{operator_port}"
token_file = "{token}"
look_s = 0.5
retry_most_s = 2.0

[[programmes]]
market_context = "{context}"
name = "utility"
primacy = 50
"""
DEVICE: Final = """
[[devices]]
resource = "{name}"
name = "{name}"
group = "{name}"
kind = "{kind}"
max_w = 5000
max_charge_w = 5000
max_discharge_w = 5000
max_wh = 10000
"""


def make_identities(folder: Path) -> Credentials:
    """A PKI for OpenADR, which has nothing to do with that of IEEE 2030.5, a VTN and a VEN: the VTN's."""
    pki = Pki.create(folder / OPENADR_PKI, depth=2)
    pki.issue_aggregator(VEN, organization="Lineside demo", hosts=["localhost"])
    return pki.issue_server(VTN, hosts=["127.0.0.1", "localhost"])


def write_ven(site: Site, vtn_port: int) -> Path:
    """The settings of the VEN for a VTN that listens at this port."""
    pki = Pki.open(site.folder / OPENADR_PKI)
    own, theirs = pki.credentials(VEN), pki.credentials(VTN)
    certificate = x509.load_pem_x509_certificate(theirs.certificate_path.read_bytes())
    head = HEAD.format(
        port=vtn_port,
        certificate=own.certificate_path,
        key=own.key_path,
        roots=own.root_path,
        fingerprint=fingerprint_of(certificate.public_bytes(Encoding.DER)),
        operator_port=site.operator_port,
        token=site.folder / SERVER_FOLDER / "operator" / TOKEN,
        context=MARKET_CONTEXT,
    )
    folder = site.folder / VEN
    folder.mkdir()
    path = folder / SETTINGS
    path.write_text(head + "".join(DEVICE.format(name=name, kind=KINDS[name]) for name in DEVICES))
    return path
