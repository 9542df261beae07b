"""What is kept of the server for a start without it: its programs, curves and clock. Pure; JSON texts."""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

from function_sets import CONTROL_CODECS, Program, profile_of
from schemas import Codec, DefaultDERControl, DERControl, DERCurve

T = TypeVar("T", DERControl, DefaultDERControl)

CODEC: Final = Codec()


def programs_text(programs: Sequence[Program]) -> str:
    """Programs with their default and controls as a text; modes of CSIP-AUS are kept too."""
    return json.dumps([_program_table(program) for program in programs])


def programs_from(text: str | None) -> tuple[Program, ...]:
    """Programs of a text that `programs_text` made; none for no text."""
    return tuple(_program(table) for table in json.loads(text or "[]"))


def curves_text(curves: Mapping[str, DERCurve]) -> str:
    """Curves by href as a text."""
    return json.dumps({href: _text(CODEC.encode(curve)) for href, curve in curves.items()})


def curves_from(text: str | None) -> dict[str, DERCurve]:
    """Curves of a text that `curves_text` made; none for no text."""
    table: dict[str, str] = json.loads(text or "{}")
    return {href: CODEC.decode(base64.b64decode(body), DERCurve) for href, body in table.items()}


def clock_text(server_minus_system_s: float) -> str:
    """How far the server's clock is ahead of the system's, as a text."""
    return json.dumps(server_minus_system_s)


def clock_from(text: str | None) -> float | None:
    """Seconds of a text that `clock_text` made; None for no text."""
    return None if text is None else float(json.loads(text))


def _program_table(program: Program) -> dict[str, object]:
    return {
        "href": program.href,
        "mRID": program.mRID,
        "primacy": program.primacy,
        "default": None if program.default is None else _packed(program.default),
        "controls": [_packed(control) for control in program.controls],
    }


def _program(table: Mapping[str, Any]) -> Program:
    default = table["default"]
    return Program(
        href=table["href"],
        mRID=table["mRID"],
        primacy=table["primacy"],
        default=None if default is None else _unpacked(default, DefaultDERControl),
        controls=tuple(_unpacked(one, DERControl) for one in table["controls"]),
    )


def _packed(control: DERControl | DefaultDERControl) -> list[str]:
    profile = profile_of(control.DERControlBase_)
    return [profile, _text(CONTROL_CODECS[profile].encode(control))]


def _unpacked(packed: Sequence[str] | str, cls: type[T]) -> T:
    """One control; older files hold the standard's modes alone, without the name of a profile."""
    profile, body = ("base", packed) if isinstance(packed, str) else packed
    return CONTROL_CODECS[profile].decode(base64.b64decode(body), cls)


def _text(body: bytes) -> str:
    return base64.b64encode(body).decode()
