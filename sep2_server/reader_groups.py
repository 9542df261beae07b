"""What can be asked of the store about groups and who is in them."""

from typing import Any

from sep2_server import statements as q
from sep2_server import statements_programs as p
from sep2_server.reader_rights import RightsReader
from sep2_server.rows import Assignment, Group


class GroupReader(RightsReader):
    """Questions about groups over one connection, for use by one thread at a time."""

    def group(self, group_id: int) -> Group | None:
        """The group with a row id."""
        return self._db.one(Group._make, q.GROUP, id=group_id)

    def group_named(self, name: str) -> Group | None:
        """The group that an operator calls so."""
        return self._db.one(Group._make, q.GROUP_NAMED, name=name)

    def group_of_list(self, list_id: int) -> Group | None:
        """The group that a list holds the programs of."""
        return self._db.one(Group._make, q.GROUP_OF_LIST, list_id=list_id)

    def group_lists(self, group_id: int) -> dict[str, int]:
        """The lists of programs of a group by the id of their route (`GroupTariffProfileList`)."""
        found = self._db.run(q.GROUP_LISTS, group_id=group_id).fetchall()
        return {str(kind): int(list_id) for kind, list_id in found}

    def groups(self, *, after: str = "", limit: int = 100) -> list[Group]:
        """Groups by name, from the one behind `after` on."""
        return self._db.all(Group._make, q.GROUPS, after=after, limit=limit)

    def count_groups(self) -> int:
        """How many groups there are."""
        return self._db.number(q.COUNT_GROUPS) or 0

    def assignments_of_device(self, end_device_id: int) -> list[Assignment]:
        """The groups of one device."""
        return self._db.all(Assignment._make, q.ASSIGNMENTS_OF_DEVICE, end_device_id=end_device_id)

    def assignments_of_group(
        self, group_id: int, *, after_id: int = 0, limit: int = 1000
    ) -> list[Assignment]:
        """The devices of one group by EndDevice, from the one behind `after_id` on."""
        return self._db.all(
            Assignment._make, q.ASSIGNMENTS_OF_GROUP, group_id=group_id, after_id=after_id, limit=limit
        )

    def has_list(self, viewer_id: int, list_id: int) -> bool:
        """Whether a client, or a device it speaks for, is assigned the list of a group."""
        return self._db.number(p.HAS_LIST, viewer_id=viewer_id, list_id=list_id) is not None

    def has_program(self, viewer_id: int, program_id: int) -> bool:
        """Whether a client, or a device it speaks for, is assigned a program."""
        return self._db.number(p.HAS_PROGRAM, viewer_id=viewer_id, program_id=program_id) is not None

    def programs_in_order(self, viewer_id: int, kind: str) -> list[int]:
        """The programs in the group lists of a kind that a client, or a device it speaks for, is assigned."""
        return self._db.all(_second, p.PROGRAMS_IN_ORDER, viewer_id=viewer_id, kind=kind)

    def few_in_order(self, viewer_id: int, list_id: int) -> list[int]:
        """Those of the programs in a list at the root, each of which is looked at."""
        return self._db.all(_second, p.FEW_IN_ORDER, viewer_id=viewer_id, list_id=list_id)

    def program_versions(self, viewer_id: int, kind: str) -> list[tuple[int, int]]:
        """Row id and version of the programs of `programs_in_order`, by row id."""
        return self._db.all(_pair, p.PROGRAM_VERSIONS, viewer_id=viewer_id, kind=kind)


def _second(found: tuple[Any, ...]) -> int:
    return int(found[1])


def _pair(found: tuple[Any, ...]) -> tuple[int, int]:
    return int(found[0]), int(found[1])
