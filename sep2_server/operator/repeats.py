"""Requests that may come again: what a key is, and the answer that is kept under it, with the deed itself.

What stands in the table was committed in one transaction with what was done: whoever has lost the answer
asks again with the same key and gets it, and nothing is done twice.
"""

import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sep2_server.operator.body import Document, canonical
from sep2_server.operator.errors import BadRequest, Conflict
from sep2_server.operator.keys import HEADER, MOST_CHARACTERS, is_key
from sep2_server.operator.router import Answer
from sep2_server.rows import Answered
from sep2_server.transaction import Transaction


def key_of(keys: Sequence[str]) -> str | None:
    """The key that a request carries, None for none. BadRequest for what is no key, or more than one."""
    if not keys:
        return None
    if len(keys) > 1:
        raise BadRequest(f"{HEADER}: sent twice", "send one")
    if not is_key(keys[0]):
        raise BadRequest(
            f"{HEADER}: {keys[0][:80]!r} is no key",
            f"allowed: 1 to {MOST_CHARACTERS} visible characters of ASCII, without spaces",
        )
    return keys[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeatable:
    """A request with a key: of whom, and what it asks for (SHA-256 of method, path, query and body)."""

    who: str
    key: str
    fingerprint: bytes

    def answer(self, tx: Transaction) -> Answer | None:
        """What it was answered before, None where it is new. Conflict where its key is that of another."""
        held = tx.answered(self.who, self.key)
        if held is None:
            return None
        if held.fingerprint != self.fingerprint:
            raise Conflict(
                f"{HEADER}: {self.key!r} was sent with another request", "give each request a key of its own"
            )
        answer: Answer = json.loads(zlib.decompress(held.answer))
        return answer

    def keep(self, tx: Transaction, answer: Answer, now: int) -> None:
        """Keep what it is answered at `now`, s since 1970 UTC, in the transaction of what was done."""
        octets = zlib.compress(json.dumps(answer, ensure_ascii=False).encode())
        tx.put_answered(Answered(self.who, self.key, self.fingerprint, octets, now))


def fingerprint_of(method: str, parts: Sequence[str], query: Mapping[str, str], body: object) -> bytes:
    """What a request asks for, secrets among it; names may be in any order."""
    digest = hashlib.sha256(canonical([method, list(parts), dict(query)]))
    digest.update(b"<" + body.octets if isinstance(body, Document) else b"{" + canonical(body))
    return digest.digest()
