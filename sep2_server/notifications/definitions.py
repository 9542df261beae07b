"""Subscriptions when profiles change their paths or their schema between two starts. IEEE 2030.5-2018, 14.

What each path served last is noted in the store. A subscription whose path now serves another schema, or
nothing, ends with status 3; where the same schema is now at one new path, with 2 and the URI there.
"""

from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import urlsplit

from schemas import Profile
from schemas.codes import NotificationStatus
from sep2_server.environment import Environment
from sep2_server.notifications.ending import end
from sep2_server.notifications.entries import Subscribed
from sep2_server.transaction import Transaction

NOTED: Final = "definition."
"""Beginning of the options that say which schema a path served."""
PAGE: Final = 1000


def redefine(tx: Transaction, environment: Environment, now_ms: int) -> int:
    """End the subscriptions that were made of what is not served any more, and note what is; how many."""
    served = {prefix: schema_of(profile.xml) for prefix, profile in environment.settings.all_profiles.items()}
    noted = {
        name.removeprefix(NOTED): value for name, value in tx.options().items() if name.startswith(NOTED)
    }
    if noted == served:
        return 0
    lost = {prefix for prefix, schema in noted.items() if served.get(prefix) != schema}
    places = {prefix: new_place(prefix, noted, served) for prefix in lost}
    ended = sum(
        _end(tx, subscribed, places.get(subscribed.mount), now_ms)
        for subscribed in _live(tx)
        if subscribed.mount in places or subscribed.mount not in served
    )
    for prefix in lost - served.keys():
        tx.delete_option(NOTED + prefix)
    for prefix, schema in served.items():
        tx.put_option(NOTED + prefix, schema)
    return ended


def schema_of(profile: Profile) -> str:
    """What tells the schema of one profile from that of another."""
    return f"{profile.namespace} {profile.extension_namespace}".strip()


def new_place(prefix: str, noted: Mapping[str, str], served: Mapping[str, str]) -> str | None:
    """The path to which the schema of a path has gone; None where it is gone, or there is more than one."""
    if prefix in served:
        return None
    found = [at for at, schema in served.items() if at not in noted and schema == noted[prefix]]
    return found[0] if len(found) == 1 else None


def _live(tx: Transaction) -> Iterator[Subscribed]:
    after = 0
    while page := tx.ledger.subscriptions(after=after, limit=PAGE):
        yield from (one for one in page if not one.status)
        after = page[-1].id


def _end(tx: Transaction, subscribed: Subscribed, place: str | None, now_ms: int) -> bool:
    if place is None:
        end(tx, subscribed, NotificationStatus.DEFINITION_CHANGED, now_ms)
    else:
        parts = urlsplit(subscribed.uri)
        there = f"{parts.scheme}://{parts.netloc}{place}{subscribed.path}"
        end(tx, subscribed, NotificationStatus.MOVED, now_ms, there)
    return True
