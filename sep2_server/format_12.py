"""What migration 12 fills in: the curves that controls and defaults follow already. Frozen."""

from string import Template
from typing import Final

_FOLLOWING: Final = "kind IN ('DERControl', 'DefaultDERControl') AND (status IS NULL OR status IN (0, 1))"
"""What has modes and is not over."""

_SQLITE: Final = Template("""
WITH RECURSIVE
held(id, rest) AS (
    SELECT id, CAST(substr(body, instr(body, CAST('<DERControlBase' AS BLOB))) AS TEXT)
    FROM resource
    WHERE $following AND instr(body, CAST('<DERControlBase' AS BLOB)) > 0
),
cut(id, rest) AS (
    SELECT id, substr(rest, instr(rest, ' href="') + 7) FROM held WHERE instr(rest, ' href="') > 0
    UNION ALL
    SELECT id, substr(rest, instr(rest, ' href="') + 7) FROM cut WHERE instr(rest, ' href="') > 0
)
INSERT INTO follower (href, resource_id)
SELECT DISTINCT substr(rest, 1, instr(rest, '"') - 1), id FROM cut
""")
_POSTGRESQL: Final = Template("""
INSERT INTO follower (href, resource_id)
SELECT DISTINCT link[1], id
FROM (
    SELECT id, regexp_matches(
        encode(substring(body from position('<DERControlBase'::bytea in body)), 'escape'),
        ' href="([^"]*)"', 'g'
    ) AS link
    FROM resource
    WHERE $following AND position('<DERControlBase'::bytea in body) > 0
) AS linked
""")
SQLITE: Final = _SQLITE.substitute(following=_FOLLOWING)
POSTGRESQL: Final = _POSTGRESQL.substitute(following=_FOLLOWING)
