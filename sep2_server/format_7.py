"""What migration 7 writes: `subscribable` into resources that an earlier version stored. Frozen."""

from string import Template
from typing import Final

_KINDS: Final = {
    "EndDevice": ("EndDevice", 1),
    "FunctionSetAssignments": ("FunctionSetAssignments", 1),
    "Configuration": ("Configuration", 1),
    "EndDeviceControl": ("EndDeviceControl", 1),
    "TimeTariffInterval": ("TimeTariffInterval", 1),
    "MessagingProgram": ("MessagingProgram", 1),
    "TextMessage": ("TextMessage", 1),
    "FlowReservationResponse": ("FlowReservationResponse", 1),
    "DER": ("DER", 1),
    "CurrentDERProgram": ("DERProgram", 1),
    "DERSettings": ("DERSettings", 1),
    "DERStatus": ("DERStatus", 1),
    "DERAvailability": ("DERAvailability", 1),
    "DERProgram": ("DERProgram", 1),
    "DERControl": ("DERControl", 1),
    "DefaultDERControl": ("DefaultDERControl", 1),
    "LatestReading": ("Reading", 3),
}
"""Element and value of the attribute by kind; other kinds are not subscribable: no attribute says so too."""


_SQLITE: Final = Template(
    "UPDATE resource SET body ="
    " CAST(substr(body, 1, $size) || ' subscribable=\"$value\"' || substr(body, $size + 1) AS BLOB)"
    " WHERE kind = '$kind' AND substr(body, 1, $size) = CAST('<$element' AS BLOB)"
    " AND instr(substr(body, 1, instr(body, CAST('>' AS BLOB))), CAST(' subscribable=\"' AS BLOB)) = 0"
)
_POSTGRESQL: Final = Template(
    "UPDATE resource SET body ="
    " substring(body from 1 for $size) || ' subscribable=\"$value\"'::bytea || substring(body from $size + 1)"
    " WHERE kind = '$kind' AND substring(body from 1 for $size) = '<$element'::bytea"
    " AND position(' subscribable=\"'::bytea in substring(body from 1 for position('>'::bytea in body))) = 0"
)


def _filled(template: Template) -> tuple[str, ...]:
    return tuple(
        template.substitute(kind=kind, element=element, size=len(element) + 1, value=value)
        for kind, (element, value) in _KINDS.items()
    )


SQLITE: Final = _filled(_SQLITE)
POSTGRESQL: Final = _filled(_POSTGRESQL)
