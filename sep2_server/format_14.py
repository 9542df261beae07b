"""What migration 14 mends: rows that the versions before left, and that nobody can use. Frozen."""

from string import Template
from typing import Final

DAYS: Final = (
    "UPDATE reading SET day = 2147483647 WHERE day > 2147483647",
    "UPDATE reading SET day = -2147483648 WHERE day < -2147483648",
)
"""Readings of devices whose clock tells microseconds: PostgreSQL has never held such a day."""
FOREIGN: Final = "DELETE FROM follower WHERE substr(href, 1, 1) <> '/' OR length(href) > 1000"
"""What hangs on resources of other servers: nobody looks it up."""
_LINK: Final = '<ConsumptionTariffIntervalListLink href="'
_LINKED_SQLITE: Final = f"""
SELECT substr(rest, 1, instr(rest, '"') - 1)
FROM (
    SELECT CAST(substr(body, begins + length('{_LINK}')) AS TEXT) AS rest
    FROM (
        SELECT body, instr(body, CAST('{_LINK}' AS BLOB)) AS begins
        FROM resource
        WHERE kind = 'TimeTariffInterval'
    ) AS held
    WHERE begins > 0
) AS cut
"""  # noqa: S608  texts of this module
_LINKED_POSTGRESQL: Final = f"""
SELECT substring(encode(body, 'escape') from '{_LINK}([^"]*)"')
FROM resource
WHERE kind = 'TimeTariffInterval'
"""  # noqa: S608
_ORPHANS: Final = Template("""(
SELECT id FROM resource WHERE kind = 'ConsumptionTariffIntervalList' AND href IN (
    SELECT href FROM resource WHERE kind = 'ConsumptionTariffIntervalList'
    EXCEPT SELECT href || '/cti' FROM resource WHERE kind = 'TimeTariffInterval'
    EXCEPT $linked
))""")
_PRICES: Final = (
    "DELETE FROM tally WHERE list_id IN $orphans",
    "DELETE FROM resource WHERE list_id IN $orphans",
    "DELETE FROM resource WHERE id IN $orphans",
)
_FIRST, _SECOND = (_ORPHANS.substitute(linked=linked) for linked in (_LINKED_SQLITE, _LINKED_POSTGRESQL))
PRICES_SQLITE: Final = tuple(Template(text).substitute(orphans=_FIRST) for text in _PRICES)
PRICES_POSTGRESQL: Final = tuple(Template(text).substitute(orphans=_SECOND) for text in _PRICES)
"""Prices of intervals that are gone: an interval that was forgotten left them."""
