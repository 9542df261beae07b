"""What is kept of the server for a start without it: its programs and its clock. Pure; JSON texts."""

import base64
import json
from collections.abc import Sequence

from function_sets import Program
from schemas import Codec, DefaultDERControl, DERControl


def programs_text(programs: Sequence[Program], codec: Codec) -> str:
    """Programs with their default and controls as a text."""
    return json.dumps([_program_table(program, codec) for program in programs])


def programs_from(text: str | None, codec: Codec) -> tuple[Program, ...]:
    """Programs of a text that `programs_text` made; none for no text."""
    return tuple(_program(table, codec) for table in json.loads(text or "[]"))


def _program_table(program: Program, codec: Codec) -> dict[str, object]:
    return {
        "href": program.href,
        "mRID": program.mRID,
        "primacy": program.primacy,
        "default": None if program.default is None else _packed(program.default, codec),
        "controls": [_packed(control, codec) for control in program.controls],
    }


def _program(table: dict[str, object], codec: Codec) -> Program:
    default, controls = table["default"], table["controls"]
    return Program(
        href=str(table["href"]),
        mRID=str(table["mRID"]),
        primacy=int(str(table["primacy"])),
        default=None if default is None else codec.decode(base64.b64decode(str(default)), DefaultDERControl),
        controls=tuple(codec.decode(base64.b64decode(one), DERControl) for one in _texts(controls)),
    )


def _texts(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []


def _packed(resource: object, codec: Codec) -> str:
    return base64.b64encode(codec.encode(resource)).decode()


def clock_text(server_minus_system_s: float) -> str:
    """How far the server's clock is ahead of the system's, as a text."""
    return json.dumps(server_minus_system_s)


def clock_from(text: str | None) -> float:
    """Seconds of a text that `clock_text` made; 0 for no text."""
    return float(json.loads(text or "0"))
