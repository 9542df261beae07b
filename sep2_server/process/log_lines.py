"""How a line of the log looks: text, or one JSON object. Nothing in it can begin another line."""

import json
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from json.encoder import encode_basestring_ascii as _quoted
from typing import Any, Final, Literal

from certs import one_line, printable_json

Format = Literal["text", "json"]
TEXT: Final = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
MOST_CHARACTERS: Final = 300
"""Longest part of a line that a client chooses."""
WHO_DIGITS: Final = 10
"""Digits of an LFDI that tell who it was."""


@dataclass(frozen=True, slots=True)
class Access:
    """One request and what came of it: no body, no header, no secret."""

    at: float
    number: int
    lfdi: str
    remote: str
    method: str
    target: str
    route: str
    status: int
    seconds: float
    received: int
    sent: int


def access_line(access: Access, kind: Format, process: int) -> str:
    """One access as a line without its end."""
    who = access.lfdi[:WHO_DIGITS] or "-"
    request = f"{process:x}-{access.number:x}"
    took = f"{access.seconds * 1000:.2f}"
    if kind == "json":
        return (
            f'{{"time": "{_moment(access.at)}", "level": "info", "kind": "access", "id": "{request}", '
            f'"who": "{who}", "remote": {_quoted(access.remote)}, '
            f'"method": {_quoted(access.method[:MOST_CHARACTERS])}, '
            f'"path": {_quoted(access.target[:MOST_CHARACTERS])}, "route": {_quoted(access.route)}, '
            f'"status": {access.status}, "ms": {took}, "in": {access.received}, "out": {access.sent}}}'
        )
    return (
        f"{_moment(access.at)} ACCESS id={request} who={who} remote={access.remote} "
        f"method={plain(access.method)} path={plain(access.target)} route={access.route or '-'} "
        f"status={access.status} ms={took} in={access.received} out={access.sent}"
    )


def plain(text: str) -> str:
    """A text of others in one word: quoted and escaped where it holds more than plain characters."""
    cut = text[:MOST_CHARACTERS]
    if cut.isascii() and cut.isprintable() and " " not in cut and '"' not in cut:
        return cut or "-"
    return json.dumps(cut).replace(" ", "\\u0020")


class TextFormatter(logging.Formatter):
    """The form of `lineside -v`; a message stays on its line, a traceback follows it."""

    def __init__(self) -> None:
        super().__init__(TEXT)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """One line, whatever the arguments of the message hold."""
        record.message = one_line(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:  # noqa: ANN401, N802
        """A traceback, whose last line may hold what a client has sent."""
        return "\n".join(one_line(line) for line in super().formatException(ei).split("\n"))


class JsonFormatter(logging.Formatter):
    """One JSON object for each record."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line."""
        told = {
            "time": _moment(record.created),
            "level": record.levelname.lower(),
            "kind": "log",
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        return printable_json(json.dumps(told, ensure_ascii=False))


def formatter_of(kind: Format) -> logging.Formatter:
    """What makes lines of a form."""
    return JsonFormatter() if kind == "json" else TextFormatter()


def _moment(seconds: float) -> str:
    whole = int(seconds)
    return f"{_second(whole)}.{int((seconds - whole) * 1_000_000):06d}Z"


@lru_cache(maxsize=4)
def _second(whole: int) -> str:
    return datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%dT%H:%M:%S")
