"""What the operations on files and prepaid accounts answer."""

from typing import NotRequired, TypedDict

from sep2_server.operator.answers import Wire


class Content(TypedDict):
    """Octets that the server keeps: their SHA-256 in hex, and how many."""

    sha256: str
    size: int


class GivenFile(TypedDict):
    """A file for devices; `file` is its number."""

    file: str
    sha256: str | None
    groups: list[str]
    File: Wire


class Files(TypedDict):
    """The files of a group."""

    group: str
    files: list[GivenFile]


class FileProgress(TypedDict):
    """How far a device is with a file."""

    name: str
    status: str
    loadPercent: int
    statusTime: NotRequired[int]
    request503Count: NotRequired[int]
    requestFailCount: NotRequired[int]


class RollOut(GivenFile):
    """A file, how many devices are in which state, and each of them."""

    counts: dict[str, int]
    devices: list[FileProgress]


class PrepaidAccount(TypedDict):
    """A prepaid account; amounts are decimal texts in `currency`."""

    mRID: str
    description: str | None
    href: str
    availableCredit: str
    emergencyCredit: str | None
    currency: int
    AccountBalance: Wire
    PrepayOperationStatus: Wire


class PrepaidAccounts(TypedDict):
    """The prepaid accounts of a group."""

    group: str
    accounts: list[PrepaidAccount]


class ShownPrepaidAccount(PrepaidAccount):
    """A prepaid account with its newest credits and its overrides."""

    credits: list[Wire]
    overrides: list[Wire]


class BilledAccount(TypedDict):
    """The account of a customer."""

    mRID: str
    href: str
    CustomerAccount: Wire


class BilledAgreement(TypedDict):
    """An agreement for one service."""

    mRID: str
    href: str
    CustomerAgreement: Wire


class ListedAccount(BilledAccount):
    """The account of a customer with its agreements."""

    CustomerAgreement: list[BilledAgreement]


class BilledAccounts(TypedDict):
    """The accounts of a group."""

    group: str
    accounts: list[ListedAccount]


class BilledPeriod(TypedDict):
    """The period of one bill."""

    href: str
    BillingPeriod: Wire


class BilledReadings(TypedDict):
    """Readings of a bill, and how many they are."""

    mRID: str
    href: str
    readings: int
    HistoricalReading: NotRequired[Wire]
    ProjectionReading: NotRequired[Wire]
    TargetReading: NotRequired[Wire]
