"""What a check says: the kinds of certificate, and a finding about one of them. IEEE 2030.5-2018, 6.11."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

CLAUSE: Final = "IEEE 2030.5-2018, 6.11"


class Kind(StrEnum):
    """Place of a certificate in the PKI. IEEE 2030.5-2018, 6.11."""

    ROOT = "root"
    MCA = "mca"
    MICA = "mica"
    DEVICE = "device"
    AGGREGATOR = "aggregator"
    SERVER = "server"
    SELF_SIGNED_DEVICE = "self-signed-device"


class Severity(StrEnum):
    """ERROR breaks the standard; WARNING is against its advice or harms interoperability."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Rule that a certificate or a chain breaks: what is wrong, what is wanted, where that is written."""

    rule: str
    text: str
    clause: str
    severity: Severity

    def __str__(self) -> str:
        return f"{self.severity}: {self.rule}: {self.text} [{self.clause}]"


def broken(rule: str, text: str, clause: str = CLAUSE) -> Finding:
    """Finding that breaks the standard."""
    return Finding(rule=rule, text=text, clause=clause, severity=Severity.ERROR)
