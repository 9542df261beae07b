"""What migration 11 takes away: a `pollRate` that a device put; the server puts in its own. Frozen."""

from string import Template
from typing import Final

_KINDS: Final = (
    "Configuration",
    "DeviceInformation",
    "DeviceStatus",
    "FileStatus",
    "PowerStatus",
)
"""Resources that devices put and that can carry the attribute."""
_ATTRIBUTE: Final = ' pollRate="'

_SQLITE: Final = Template(
    "UPDATE resource SET body = CAST("
    "substr(body, 1, instr(body, $text) - 1)"
    " || substr(substr(body, instr(body, $text) + $size),"
    " instr(substr(body, instr(body, $text) + $size), CAST('\"' AS BLOB)) + 1) AS BLOB)"
    " WHERE kind = '$kind'"
    " AND instr(substr(body, 1, instr(body, CAST('>' AS BLOB))), $text) > 0"
)
_POSTGRESQL: Final = Template(
    "UPDATE resource SET body ="
    " substring(body from 1 for position($text in body) - 1)"
    " || substring(substring(body from position($text in body) + $size)"
    " from position('\"'::bytea in substring(body from position($text in body) + $size)) + 1)"
    " WHERE kind = '$kind'"
    " AND position($text in substring(body from 1 for position('>'::bytea in body))) > 0"
)


def _filled(template: Template, text: str) -> tuple[str, ...]:
    return tuple(template.substitute(kind=kind, text=text, size=len(_ATTRIBUTE)) for kind in _KINDS)


SQLITE: Final = _filled(_SQLITE, f"CAST('{_ATTRIBUTE}' AS BLOB)")
POSTGRESQL: Final = _filled(_POSTGRESQL, f"'{_ATTRIBUTE}'::bytea")
