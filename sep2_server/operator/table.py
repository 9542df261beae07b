"""Aligned tables of at most 100 columns, for the commands."""

from collections.abc import Sequence
from typing import Final

WIDTH: Final = 100
PROSE: Final = frozenset({"modes", "points", "groups", "description", "details"})
IDENTITIES: Final = frozenset({"mRID", "lFDI", "endDeviceLFDI"})
_GAP: Final = 2
_LEAST: Final = 6


def table(header: Sequence[str], rows: Sequence[Sequence[object]], *, width: int = WIDTH) -> str:
    """Rows under their header, columns aligned; the widest columns are cut (`…`) until a line fits.

    Prose is cut first; identities are copied into the next command, so that they are cut last.
    """
    cells = [[_text(value) for value in row] for row in (header, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    numbered = list(enumerate(header))
    _narrow(widths, [column for column, name in numbered if name in PROSE], width)
    _narrow(widths, [column for column, name in numbered if name not in IDENTITIES], width)
    _narrow(widths, range(len(widths)), width)
    right = [_is_numeric([row[column] for row in cells[1:]]) for column in range(len(header))]
    return "\n".join(_line(row, widths, right) for row in cells)


def fields(pairs: Sequence[tuple[str, object]], *, width: int = WIDTH) -> str:
    """Names and values below each other, the values aligned and cut at the width."""
    name_width = max((len(name) for name, _ in pairs), default=0)
    room = width - name_width - _GAP
    return "\n".join(f"{name:<{name_width}}  {_cut(_text(value), room)}".rstrip() for name, value in pairs)


def plain(text: str) -> str:
    """A text that a device may have sent, on one line that steers no terminal."""
    if text.isprintable():
        return text
    from certs import one_line  # noqa: PLC0415 - loads TLS, and few texts need it

    return one_line(text)


def _narrow(widths: list[int], columns: Sequence[int], width: int) -> None:
    """Take from the widest of the columns until a line fits, or none is wider than the least."""
    while sum(widths) + _GAP * (len(widths) - 1) > width:
        widest = max(columns, key=widths.__getitem__, default=None)
        if widest is None or widths[widest] <= _LEAST:
            return
        widths[widest] -= 1


def _line(row: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    cut = [_cut(cell, room) for cell, room in zip(row, widths, strict=True)]
    aligned = [
        cell.rjust(room) if is_right else cell.ljust(room)
        for cell, room, is_right in zip(cut, widths, right, strict=True)
    ]
    return (" " * _GAP).join(aligned).rstrip()


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else text[: room - 1] + "…"


def _is_numeric(cells: Sequence[str]) -> bool:
    return bool(cells) and all(not cell or cell.lstrip("-").replace(".", "", 1).isdigit() for cell in cells)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(_text, value)) if isinstance(value, list | tuple) else plain(str(value))
