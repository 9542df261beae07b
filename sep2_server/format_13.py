"""What migration 13 does: programs are shown at a DER because its EndDevice is in a group. Frozen.

They were listed at each DER before. Who has subscribed to such a list waits for the programs too, and for
what the EndDevice is assigned, instead of for items of the list.
"""

from string import Template
from typing import Final

_LISTS: Final = "(SELECT id FROM resource WHERE kind = 'AssociatedDERProgramList')"
_WAIT: Final = Template("""
INSERT INTO watch (subject_id, scope, subscription_id, owner_id, since)
SELECT $subject, $scope, held.subscription_id, NULL, min(held.since)
FROM watch AS held
JOIN resource ON resource.id = held.subject_id
$further
WHERE resource.kind = 'AssociatedDERProgramList' AND held.scope = -1
GROUP BY $columns
ON CONFLICT DO NOTHING
""")
_PROGRAMS: Final = {
    "subject": "member.resource_id",
    "scope": "-1",
    "further": "JOIN member ON member.list_id = resource.id",
    "columns": "member.resource_id, held.subscription_id",
}
_DEVICE: Final = {
    "subject": "resource.owner_id",
    "scope": "-2",
    "further": "",
    "columns": "resource.owner_id, held.subscription_id",
}
_EVERYBODY: Final = {"subject": "0", "scope": "-2", "further": "", "columns": "held.subscription_id"}
TEXTS: Final = (
    *map(_WAIT.substitute, (_PROGRAMS, _DEVICE, _EVERYBODY)),
    f"DELETE FROM watch WHERE scope = 0 AND subject_id IN {_LISTS}",  # noqa: S608  texts of this module
    f"DELETE FROM tally WHERE list_id IN {_LISTS}",  # noqa: S608
    f"DELETE FROM member WHERE list_id IN {_LISTS}",  # noqa: S608
)
