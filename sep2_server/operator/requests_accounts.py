"""What the operator may send about files and prepaid accounts."""

from dataclasses import dataclass
from typing import Annotated

from sep2_server.operator.requests import DESCRIPTION, UINT32
from sep2_server.operator.shape import Digits, Length, Named, Span

AMOUNT = Length(1, 16)


@dataclass(frozen=True, slots=True, kw_only=True)
class AddFile:
    """A file for devices, by the SHA-256 that its octets were sent with. IEEE 2030.5-2018, 10."""

    sha256: Annotated[str, Digits(64, 64)]
    maker: Annotated[int, Named("mfID"), Span(0, UINT32)]
    model: Annotated[str, Named("mfModel"), Length(1, 32)]
    version: Annotated[str, Named("mfVer"), Length(1, 16)]
    kind: Annotated[str, Named("type"), Digits(2, 4)] = "00"
    hardware: Annotated[str, Named("mfHwVer"), Length(1, 32)] | None = None
    serial: Annotated[str, Named("mfSerNum"), Length(1, 32)] | None = None
    device: Annotated[str, Length(1, 64)] | None = None
    activate_time: Annotated[int, Named("activateTime"), Span(0, 2**62)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeFile:
    """When devices activate a file, s since 1970 UTC; absent: as soon as they have it."""

    activate_time: Annotated[int, Named("activateTime"), Span(0, 2**62)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAccount:
    """A prepaid account; amounts are decimal texts in `currency` (ISO 4217, numeric)."""

    currency: Annotated[int, Span(0, 999)]
    mode: Annotated[int, Named("prepayMode"), Span(0, 3)] = 0
    balance: Annotated[str, AMOUNT] = "0"
    emergency: Annotated[str, Named("emergencyCredit"), AMOUNT] | None = None
    warning: Annotated[str, Named("lowCreditWarningLevel"), AMOUNT] | None = None
    emergency_warning: Annotated[str, Named("lowEmergencyCreditWarningLevel"), AMOUNT] | None = None
    expiry: Annotated[str, Named("creditExpiryLevel"), AMOUNT] | None = None
    has_contactor: Annotated[bool, Named("contactor")] = True
    description: Annotated[str, DESCRIPTION] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddCredit:
    """Credit for a prepaid account; each token is good once."""

    amount: Annotated[str, AMOUNT]
    token: Annotated[str, Length(1, 32)]
    emergency: bool = False
    effective_time: Annotated[int, Named("effectiveTime"), Span(0, 2**62)] | None = None
    description: Annotated[str, DESCRIPTION] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeAccount:
    """Consumption to charge to a prepaid account."""

    amount: Annotated[str, AMOUNT]


@dataclass(frozen=True, slots=True, kw_only=True)
class AddOverride:
    """A time in which the supply is held; from now on where no start is given."""

    duration: Annotated[int, Span(1, UINT32)]
    start: Annotated[int, Span(0, 2**62)] | None = None
    description: Annotated[str, DESCRIPTION] | None = None
