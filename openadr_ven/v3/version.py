"""The two versions of the wire, and where they differ: 3.1.0 cannot be spoken to in the words of 3.0.1.

OpenADR 3.0.1; OpenADR 3.1.0, which is the newest that is released.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final
from urllib.parse import quote

from openadr_ven.events import Profile


class Version(StrEnum):
    """What a VTN speaks. It is configured: neither version tells itself on the wire."""

    V301 = "3.0.1"
    V310 = "3.1.0"

    @property
    def profile(self) -> Profile:
        """The same in the words of the event model."""
        return Profile(self.value)


class ObjectType(StrEnum):
    """objectType of everything that a VTN keeps."""

    PROGRAM = "PROGRAM"
    EVENT = "EVENT"
    REPORT = "REPORT"
    SUBSCRIPTION = "SUBSCRIPTION"
    VEN = "VEN"
    RESOURCE = "RESOURCE"


class Operation(StrEnum):
    """What was done to an object, in the words of 3.1.0; subscriptions of 3.0.1 have them too."""

    READ = "READ"
    CREATE = "CREATE"
    UPDATE = "UPDATE"
    DELETE = "DELETE"


OPERATIONS_301: Final[Mapping[str, Operation]] = {
    "GET": Operation.READ,
    "POST": Operation.CREATE,
    "PUT": Operation.UPDATE,
    "DELETE": Operation.DELETE,
}
"""How notifications of 3.0.1 call them."""
LIMIT: Final = 50
"""Objects on one page at most."""


def segment(object_id: str) -> str:
    """An id as a part of a path."""
    return quote(object_id, safe="", errors="replace")


def path_of_resources(version: Version, ven_id: str) -> str:
    """Where the resources of a VEN are, behind the URL of the VTN."""
    return f"/vens/{segment(ven_id)}/resources" if version is Version.V301 else "/resources"


def target_query(version: Version, targets: list[str], kind: str = "GROUP") -> list[tuple[str, str]]:
    """The query that asks for what has these targets; `kind` is targetType of 3.0.1."""
    if not targets:
        return []
    if version is Version.V310:
        return [("targets", target) for target in targets]
    return [("targetType", kind), *(("targetValues", target) for target in targets)]
