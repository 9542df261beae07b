"""What migration 12 fills in: which resources hang on others already. Frozen."""

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
_SAID_SQLITE: Final = Template("""
INSERT INTO follower (href, resource_id)
SELECT substr(rest, 1, instr(rest, '"') - 1), id
FROM (
    SELECT id, CAST(substr(body, begins + length('<$link href="')) AS TEXT) AS rest
    FROM (
        SELECT id, body, instr(body, CAST('<$link href="' AS BLOB)) AS begins
        FROM resource
        WHERE kind = '$kind'
    )
    WHERE begins > 0
)
""")
_SAID_POSTGRESQL: Final = Template("""
INSERT INTO follower (href, resource_id)
SELECT substring(encode(body, 'escape') from '<$link href="([^"]*)"'), id
FROM resource
WHERE kind = '$kind' AND position('<$link href="'::bytea in body) > 0
""")
_SAID: Final = (
    {"kind": "PriceResponseCfg", "link": "RateComponentLink"},
    {"kind": "LoadShedAvailability", "link": "DemandResponseProgramLink"},
)
SQLITE: Final = (_SQLITE.substitute(following=_FOLLOWING), *map(_SAID_SQLITE.substitute, _SAID))
POSTGRESQL: Final = (_POSTGRESQL.substitute(following=_FOLLOWING), *map(_SAID_POSTGRESQL.substitute, _SAID))
SPANS: Final = """
UPDATE resource SET next_at = ends + (1152921504606846976)
WHERE kind IN ('BillingPeriod', 'SupplyInterruptionOverride')
    AND status = 5 AND next_at IS NULL AND ends IS NOT NULL
"""
"""What is over and stays in its list is found by its end, in case that a clock was ahead."""
