"""What a transaction writes beside resources: options, blocked clients, the network, leases, consumers.

And who follows a curve, and what operators were answered.
"""

from typing import Final

from sep2_server import statements as q
from sep2_server import statements_operators as o
from sep2_server import statements_readings as r
from sep2_server import statements_rights as rights
from sep2_server.followers import followed
from sep2_server.reader import Reader
from sep2_server.rows import BLOCKED, DELETED, EVERYBODY, OPTION, Answered, Blocked, Change, Node, Row

LET_GO: Final = "let_go."
"""Prefix of the options that say since when octets have no file, s since 1970, by their SHA-256."""


class Bookkeeping(Reader):
    """The part of a transaction that knows nothing of resources; `written` tells what is to be told."""

    written: list[Change]
    _has_removals: bool | None = None

    def put_option(self, name: str, value: str) -> None:
        """Set a value at run time."""
        self.delete_option(name)
        self._db.run(q.INSERT_OPTION, name=name, value=value)

    def delete_option(self, name: str) -> None:
        """Take back a value that was set at run time."""
        self._db.run(q.DELETE_OPTION, name=name)
        self.written.append(Change(0, 0, OPTION, None, EVERYBODY, None, DELETED))

    def let_go(self, digest: str) -> None:
        """Write that octets have lost a file, or have come for none yet: they age from now on."""
        self.put_option(LET_GO + digest, str(self._db.clock_ms() // 1000))

    def put_blocked(self, blocked: Blocked) -> None:
        """Refuse a certificate from now on, whatever it asks."""
        self._db.run(rights.DELETE_BLOCKED, lfdi=blocked.lfdi)
        self._db.run(rights.INSERT_BLOCKED, **blocked._asdict())
        self.written.append(Change(0, 0, BLOCKED, None, EVERYBODY, None, DELETED))

    def delete_blocked(self, lfdi: str) -> bool:
        """No longer refuse a certificate; False where it was not refused."""
        self.written.append(Change(0, 0, BLOCKED, None, EVERYBODY, None, DELETED))
        return bool(self._db.run(rights.DELETE_BLOCKED, lfdi=lfdi).rowcount)

    def put_node(self, node: Node) -> None:
        """Store a node of the network in the place of the one with the same id."""
        self._db.run(rights.DELETE_NODE, id=node.id)
        self._db.run(rights.INSERT_NODE, **node._asdict())

    def delete_node(self, group_id: int) -> None:
        """Forget a node of the network; its group is the caller's to remove."""
        self._db.run(rights.DELETE_NODE, id=group_id)

    def forget_changes(self, seq: int) -> None:
        """Shorten the change feed: forget what every consumer has read, up to a place."""
        self._db.run(q.FORGET_CHANGES, seq=min(seq, *self.consumers().values(), seq))

    def put_consumer(self, name: str, seq: int) -> None:
        """Remember how far a consumer of the change feed has come; what is behind that is kept for it."""
        self.delete_consumer(name)
        self._db.run(q.INSERT_CONSUMER, name=name, seq=seq)

    def delete_consumer(self, name: str) -> None:
        """Keep nothing for a consumer any more."""
        self._db.run(q.DELETE_CONSUMER, name=name)

    def take_lease(self, name: str, holder: str, ttl_ms: int) -> bool:
        """Take a lease, or take it again, for some time; False where another holds it."""
        if not self.is_lease_free(name, holder):
            return False
        self.drop_lease(name, holder)
        self._db.run(q.INSERT_LEASE, name=name, holder=holder, until=self._db.clock_ms() + ttl_ms)
        return True

    def drop_lease(self, name: str, holder: str) -> None:
        """Give a lease back, if it is this holder's or nobody's any more."""
        if self.is_lease_free(name, holder):
            self._db.run(q.DELETE_LEASE, name=name)

    def put_linking(self, group_id: int, after_id: int) -> None:
        """Write that the members of a group behind an EndDevice have yet to be given its links."""
        self._db.run(o.INSERT_LINKING, group_id=group_id, after_id=after_id)

    def delete_linking(self, group_id: int) -> None:
        """Write that all have them."""
        self._db.run(o.DELETE_LINKING, group_id=group_id)

    def put_removal(self, resource_id: int) -> None:
        """Write that what was in, or below, something that is gone has yet to be removed."""
        self._has_removals = True
        self._db.run(o.INSERT_REMOVAL, id=resource_id)

    def is_gone(self, resource_id: int) -> bool:
        """As for a Reader; whether anything is being removed is asked once: mostly nothing is."""
        if self._has_removals is None:
            self._has_removals = self.next_removal() is not None
        return self._has_removals and super().is_gone(resource_id)

    def delete_removal(self, resource_id: int) -> None:
        """Write that all of it is."""
        self._db.run(o.DELETE_REMOVAL, id=resource_id)

    def delete_readings_unto(self, reading_set_id: int, last_key: bytes) -> None:
        """Forget the values of what is gone, up to the one with this sort key."""
        self._db.run(r.DELETE_UNTO, reading_set_id=reading_set_id, last_key=last_key)

    def delete_tallies(self, list_id: int) -> None:
        """Forget how many items a list had that is gone."""
        self._db.run(q.DELETE_TALLIES, list_id=list_id)

    def follow(self, resource_id: int, before: Row | None, now: Row | None) -> None:
        """Keep who follows a curve, where a resource becomes another, is made or removed (None)."""
        was, is_now = followed(before), followed(now)
        for href in was - is_now:
            self._db.run(o.DELETE_FOLLOWER, href=href, resource_id=resource_id)
        for href in is_now - was:
            self._db.run(o.INSERT_FOLLOWER, href=href, resource_id=resource_id)

    def answered(self, who: str, key: str) -> Answered | None:
        """What an operator was answered to the request with a key."""
        return self._db.one(Answered._make, o.ANSWERED, who=who, key=key)

    def put_answered(self, answered: Answered) -> None:
        """Keep what an operator is answered."""
        self._db.run(o.INSERT_ANSWERED, **answered._asdict())

    def forget_answered(self, before: int, most: int) -> int:
        """Forget answers from before a time, s since 1970 UTC, the oldest first; how many, `most` at most."""
        found: list[dict[str, object]] = [
            {"who": who, "key": key}
            for who, key in self._db.run(o.ANSWERED_BEFORE, before=before, limit=most).fetchall()
        ]
        if found:
            self._db.run_many(o.DELETE_ANSWERED, found)
        return len(found)
