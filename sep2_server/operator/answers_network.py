"""What the operations on the network and the bulk operations answer."""

from typing import NotRequired, TypedDict

from sep2_server.operator.answers import GroupProgram, ListedControl
from sep2_server.operator.errors import Problem


class Placed(TypedDict):
    """Where a device is; the groups of the nodes that were made for it, that it joined and that it left."""

    device: str
    path: str
    created: list[str]
    joined: list[str]
    left: list[str]


class TreeNode(TypedDict):
    """A node of the network, how many devices are at it or below it, and the nodes below."""

    name: str
    level: str
    path: str
    primacy: int | None
    devices: int
    nodes: list["TreeNode"]


class Tree(TypedDict):
    """The network; `complete` is false where it has more nodes than are told at once."""

    nodes: list[TreeNode]
    complete: bool


class Applied(TypedDict):
    """Where the value of a mode comes from: a control, or a default."""

    mode: str
    value: object
    by: str
    mRID: str | None
    group: str | None
    primacy: int


class DevicePrograms(TypedDict):
    """The programs of a device, the best first, and what applies to it now."""

    device: str
    programs: list[GroupProgram]
    now: list[Applied]


class BulkDevice(TypedDict):
    """A device of a bulk enrolment; the pIN only where the server has just made it."""

    name: str
    lFDI: str
    created: bool
    pIN: NotRequired[int]
    findings: NotRequired[list[str]]


class BulkEnrolment(TypedDict):
    """What came of a bulk enrolment: how many are new, how many were there."""

    devices: list[BulkDevice]
    created: int
    known: int
    problems: list[Problem]


class BulkControls(TypedDict):
    """The controls that were published."""

    controls: list[ListedControl]
    problems: list[Problem]


class ChangedMembers(TypedDict):
    """Devices that are new in a group, and those that have left it."""

    group: str
    added: list[str]
    removed: list[str]
