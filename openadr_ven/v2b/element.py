"""Text of XML elements for what openleadr has no right template of. Prefixes are those of `SPACES`."""

from typing import Final

from openadr_ven.v2b.document import EI, EMIX, OADR, POWER, PYLD, SCALE, STRM, VERSION, XCAL
from openadr_ven.v2b.templating import escaped

SPACES: Final = (
    f'xmlns:oadr="{OADR}" xmlns:ei="{EI}" xmlns:pyld="{PYLD}" xmlns:emix="{EMIX}" xmlns:power="{POWER}" '
    f'xmlns:scale="{SCALE}" xmlns:xcal="{XCAL}" xmlns:strm="{STRM}"'
)


def leaf(name: str, value: str | float | None) -> str:
    """An element with a text; nothing at all for None."""
    return "" if value is None else f"<{name}>{escaped(str(value))}</{name}>"


def flag(name: str, value: bool) -> str:
    """A boolean element."""
    return f"<{name}>{'true' if value else 'false'}</{name}>"


def nested(name: str, inner: str) -> str:
    """An element around others."""
    return f"<{name}>{inner}</{name}>"


def timed(name: str, text: str | None, inner: str = "duration") -> str:
    """A time or duration in the nested form of xcal; nothing at all for None."""
    return "" if text is None else f"<{name}><xcal:{inner}>{text}</xcal:{inner}></{name}>"


def message(name: str, inner: str) -> str:
    """An oadrSignedObject around one message. OpenADR 2.0b, R509."""
    return (
        f'<oadr:oadrSignedObject {SPACES} oadr:Id="oadrSignedObject">'
        f'<oadr:{name} ei:schemaVersion="{VERSION}">{inner}</oadr:{name}></oadr:oadrSignedObject>'
    )
