"""Names and TXT records of DNS-SD, as values. RFC 6763; IEEE 2030.5-2018, 7."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from sep2_server.uris import ENTRY

SERVICE: Final = "_smartenergy._tcp"
MOST_LABEL_OCTETS: Final = 63
HTTPS_PORT: Final = 443
SFDI_DIGITS: Final = 12
SUBTYPES: Final[Mapping[str, str]] = {
    "bill": "CustomerAccountList",
    "derp": "DERProgramList",
    "dr": "DemandResponseProgramList",
    "edev": "EndDeviceList",
    "file": "FileList",
    "msg": "MessagingProgramList",
    "mup": "MirrorUsagePointList",
    "ppy": "PrepaymentList",
    "rsps": "ResponseSetList",
    "sdev": "SelfDevice",
    "tm": "Time",
    "tp": "TariffProfileList",
    "upt": "UsagePointList",
}
"""Id of the resource that each subtype leads to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One instance: its label, its subtype (empty: the server itself) and its TXT keys in order."""

    label: str
    subtype: str = ""
    txt: Mapping[str, str] = field(default_factory=dict)

    def type_in(self, domain: str) -> str:
        """The name that is browsed for."""
        above = f"{SERVICE}.{domain}."
        return f"_{self.subtype}._sub.{above}" if self.subtype else above

    def name_in(self, domain: str) -> str:
        """The name of the instance, which is the same whatever it was browsed by."""
        return f"{self.label}.{SERVICE}.{domain}."


def services(
    name: str, https_port: int, level: str, paths: Mapping[str, str], sfdis: Iterable[int] = ()
) -> list[Service]:
    """The instances of a server: itself, one for each function set, one for each device that is registered.

    `paths` has the URI of each resource that is offered by its id; `level` is -S1 or +S1.
    """
    found = [Service(label=label_of(name), txt=txt_of(https_port, level))]
    for subtype, kind in SUBTYPES.items():
        if kind in paths:
            found.append(_below(name, subtype, txt_of(https_port, level, paths[kind])))
    for sfdi in sfdis:
        txt = txt_of(https_port, level, paths["EndDeviceList"])
        found.append(_below(name, f"edev-{sfdi:0{SFDI_DIGITS}d}", txt))
    return found


def txt_of(https_port: int, level: str, path: str | None = None) -> dict[str, str]:
    """The keys of a TXT record, txtvers first; `https` is empty for the port of HTTPS.

    `path` is told by the instances of a subtype alone.
    """
    txt = {"txtvers": "1", "dcap": ENTRY}
    if path is not None:
        txt["path"] = path
    txt["https"] = "" if https_port == HTTPS_PORT else str(https_port)
    txt["level"] = level
    return txt


def label_of(name: str, behind: str = "") -> str:
    """A label of at most 63 octets with what stands behind the name whole; dots are no part of a label."""
    plain = name.replace(".", "-").encode()
    room = MOST_LABEL_OCTETS - len(behind.encode())
    return plain[:room].decode(errors="ignore").rstrip() + behind


def _below(name: str, subtype: str, txt: Mapping[str, str]) -> Service:
    return Service(label=label_of(name, f" {subtype}"), subtype=subtype, txt=txt)
