"""What an action was done to, as its audit line tells it. Pure."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Final

from sep2_server.operator.router import Answer, Call, Operation

IDENTITY: Final = ("name", "mRID", "lFDI")
"""Fields that say which one something is, the first of them that there is."""
SELECTORS: Final = ("group", "device", "program", "host", "all", "add", "remove")
"""Fields of a body that say what else an action is done to."""
MOST: Final = 500
"""Characters of a target."""
MOST_NAMES: Final = 20
_MOST_OF_ONE: Final = 120
_PLAIN: Final = re.compile(r"[^\s\"=]+")


def target_of(operation: Operation, call: Call, answer: Mapping[str, object] | None = None) -> str:
    """The names in the path and of what was sent or answered, then query and selectors as `name=value`.

    `answer` is that of what has been done, None before. No PIN, token or other value of a body is in it.
    """
    body: Answer = call.body if isinstance(call.body, dict) else {}
    told = [str(one[key])[:_MOST_OF_ONE] for one in (answer or {}, body) for key in IDENTITY if one.get(key)]
    names = [*call.names.values(), *told[:1]]
    said = [f"{key}={_plain(value)}" for key, value in call.query.items()]
    said += [f"{key}={text}" for key in SELECTORS if (text := _text(body.get(key)))]
    said += [f"items={len(call.body)}"] if isinstance(call.body, list) else []
    said += _results(call, body, names, answer or {})
    target = " ".join(["/".join(dict.fromkeys(names)) or operation.path, *said])
    return target if len(target) <= MOST else f"{target[: MOST - 3]}..."


def _results(call: Call, body: Answer, names: list[str], answer: Mapping[str, object]) -> Iterator[str]:
    """Where something without a name is, and what has gone with what was removed."""
    href, removed = answer.get("href"), answer.get("removed")
    if href and len(names) == len(call.names) and href not in call.query.values():
        yield f"href={_plain(str(href))}"
    if removed and isinstance(removed, list) and removed not in (names[-1:], body.get("remove", [])):
        yield f"removed={_text(removed)}"


def _text(value: object) -> str:
    """What selects as text: names with commas between, the first of very many; empty for what is none."""
    if isinstance(value, list):
        names = [_plain(one) for one in value[:MOST_NAMES] if isinstance(one, str)]
        more = [f"and {len(value) - MOST_NAMES} more"] if len(value) > MOST_NAMES else []
        return ",".join(names + more)
    if value is True:
        return "true"
    return _plain(value) if isinstance(value, str) else ""


def _plain(text: str) -> str:
    """A text as one word, in quotes where it would not be one."""
    short = text[:_MOST_OF_ONE]
    return short if _PLAIN.fullmatch(short) else json.dumps(short, ensure_ascii=False)
