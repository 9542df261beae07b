"""What the client is expected to ask for, by its meaning. Where it lies at the server is no part of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """Kinds of resources that the procedures of a client name."""

    DCAP = "DeviceCapability"
    DECOY = "one of several addresses of which only one is a usable DeviceCapability"
    TIME = "Time"
    EDEV_LIST = "EndDeviceList"
    REGISTRATION = "Registration"
    CONNECTION_POINT = "ConnectionPoint"
    FSA_LIST = "FunctionSetAssignmentsList"
    DER_LIST = "DERList"
    DER_CAPABILITY = "DERCapability"
    DER_SETTINGS = "DERSettings"
    DER_STATUS = "DERStatus"
    ALL_PROGRAMS = "DERProgramList of all programs of the device"
    PROGRAMS = "DERProgramList"
    CONTROLS = "DERControlList"
    DEFAULT = "DefaultDERControl"
    TARIFFS = "TariffProfileList"
    INTERVALS = "CombinedTimeTariffIntervalList"
    MUP_LIST = "MirrorUsagePointList"
    MUP = "MirrorUsagePoint"
    SUBSCRIPTIONS = "SubscriptionList"
    RESPONSES = "ResponseList of controls"
    PRICE_RESPONSES = "ResponseList of prices"


@dataclass(frozen=True, slots=True)
class Place:
    """One resource: its kind, the number of the EndDevice, and which of several (1 is the first).

    `which` counts function set assignments for a list of programs or tariffs, programs for their controls
    and default, tariffs for their intervals, addresses for decoys.
    """

    kind: Kind
    which: int = 1
    device: int = 1

    def of(self, device: int) -> Place:
        """The same of another EndDevice."""
        return replace(self, device=device)


DCAP: Final = Place(Kind.DCAP)
TIME: Final = Place(Kind.TIME)
EDEV_LIST: Final = Place(Kind.EDEV_LIST)
REGISTRATION: Final = Place(Kind.REGISTRATION)
CONNECTION_POINT: Final = Place(Kind.CONNECTION_POINT)
FSA_LIST: Final = Place(Kind.FSA_LIST)
DER_LIST: Final = Place(Kind.DER_LIST)
DER_CAPABILITY: Final = Place(Kind.DER_CAPABILITY)
DER_SETTINGS: Final = Place(Kind.DER_SETTINGS)
DER_STATUS: Final = Place(Kind.DER_STATUS)
ALL_PROGRAMS: Final = Place(Kind.ALL_PROGRAMS)
TARIFFS: Final = Place(Kind.TARIFFS)
INTERVALS: Final = Place(Kind.INTERVALS)
MUP_LIST: Final = Place(Kind.MUP_LIST)
ANY_MUP: Final = Place(Kind.MUP)
SUBSCRIPTIONS: Final = Place(Kind.SUBSCRIPTIONS, device=0)
RESPONSES: Final = Place(Kind.RESPONSES)
PRICE_RESPONSES: Final = Place(Kind.PRICE_RESPONSES)


def programs(assignment: int = 1) -> Place:
    """The programs of one of the function set assignments."""
    return Place(Kind.PROGRAMS, assignment)


def controls(program: int = 1) -> Place:
    """The controls of a program."""
    return Place(Kind.CONTROLS, program)


def default(program: int = 1) -> Place:
    """The default of a program."""
    return Place(Kind.DEFAULT, program)


def decoy(number: int) -> Place:
    """One of the addresses that the file of service discovery names."""
    return Place(Kind.DECOY, number)
