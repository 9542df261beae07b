"""The templates of openleadr, with every value escaped: they have no escaping of their own.

Times and durations are handed over as text, since its own formats write a duration of 0 as `P`.
"""

from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

from openadr_ven.iso8601 import duration_text, instant_text
from openadr_ven.v2b.document import templates

Given = str | int | bool | Mapping[str, "Given"] | Sequence["Given"] | None
"""What a template takes."""
_MORE = {'"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}


def rendered(name: str, /, **values: Given) -> str:
    """The oadrSignedObject that a template of openleadr makes of these values, without space between tags."""
    safe = {key: _safe(value) for key, value in values.items()}
    written = templates.get_template(f"{name}.xml").render(**safe)
    return "".join(line.strip() for line in written.splitlines())


def escaped(value: str) -> str:
    """A text as it stands in an element; characters that XML does not have are left out."""
    return escape("".join(one for one in value if _is_allowed(one)), _MORE)


def at(instant: int) -> str:
    """A time as it is written."""
    return instant_text(instant)


def span(seconds: int | None) -> str:
    """A duration as it is written: no end is 0. OpenADR 2.0b, R47, R210, R325."""
    return duration_text(seconds or 0)


def _is_allowed(one: str) -> bool:
    return one in "\t\n\r" or " " <= one <= "\ud7ff" or "\ue000" <= one <= "\ufffd" or one > "\uffff"


def _safe(value: Given) -> Given:
    if isinstance(value, str):
        return escaped(value)
    if isinstance(value, Mapping):
        return {key: _safe(one) for key, one in value.items()}
    return [_safe(one) for one in value] if isinstance(value, Sequence) else value
