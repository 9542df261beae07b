"""Statements about subscriptions, the outbox and dead letters. SQLAlchemy Core, no dialect."""

from typing import Any, Final

from sqlalchemy import (
    BindParameter,
    Select,
    and_,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.sql.elements import ColumnElement

from sep2_server import tables as t
from sep2_server.notifications.entries import RESOURCE, RIGHTS

_S, _W, _O, _C = t.subscription.c, t.watch.c, t.outbox.c, t.change.c
_D, _H, _G, _L = t.dead_letter.c, t.notification_host.c, t.dropped_letter.c, t.lane.c


def _p(name: str) -> BindParameter[Any]:
    return bindparam(name)


def _number(value: int) -> ColumnElement[Any]:
    return literal_column(str(value))


_ACCESS: Final[ColumnElement[Any]] = literal_column("'access'")
_OPTION: Final[ColumnElement[Any]] = literal_column("'option'")
_NONE: Final = _number(0)

SUBSCRIPTION: Final = select(t.subscription).where(_S.id == _p("id"))
TOGETHER: Final = 64
"""How many subscriptions the statements `..._AT` are about, i0 to i63; one may be named more than once."""
_SOME: Final = [_p(f"i{n}") for n in range(TOGETHER)]
SUBSCRIPTIONS_AT: Final = select(t.subscription).where(_S.id.in_(_SOME))
IN_LIST: Final = select(t.subscription).where(
    _S.list_id == _p("list_id"), _S.path == _p("path"), _S.notification_uri == _p("notification_uri")
)
OF_CLIENT_OR_OWNER: Final = select(t.subscription).where(
    or_(_S.client_id == _p("end_device_id"), _S.owner_id == _p("end_device_id"))
)
COUNT_OF_CLIENT: Final = select(func.count()).where(_S.client_id == _p("client_id"), _S.status == _number(0))
PAGE: Final = (
    select(t.subscription).where(_S.id > _p("after")).order_by(_S.id).limit(_p("limit")).offset(_NONE)
)
PAGE_OF_CLIENT: Final = PAGE.where(_S.client_id == _p("client_id"))
LAPSED: Final = (
    select(t.subscription)
    .where(_S.renewed_at < _p("before"), _S.status == _number(0))
    .order_by(_S.renewed_at)
    .limit(_p("limit"))
    .offset(_NONE)
)
ANY_SUBSCRIPTION: Final = select(func.min(_S.id))
INSERT_SUBSCRIPTION: Final = insert(t.subscription)
DELETE_SUBSCRIPTION: Final = delete(t.subscription).where(_S.id == _p("subscription"))
END_SUBSCRIPTION: Final = (
    update(t.subscription)
    .where(_S.id == _p("subscription"))
    .values(status=_p("new_status"), moved_to=_p("new_uri"))
)
SEE: Final = update(t.subscription).where(_S.id == _p("subscription")).values(seen=_p("now_seen"))

SINCE: Final = select(func.min(_W.since)).where(_W.subscription_id == _p("subscription"))
INSERT_WATCH: Final = insert(t.watch)
DELETE_WATCHES: Final = delete(t.watch).where(_W.subscription_id == _p("subscription"))

_NEW = and_(_C.seq > _p("after"), _C.seq <= _p("upto"), _C.seq > _W.since)
_IS_DATA = and_(_C.kind != _ACCESS, _C.kind != _OPTION)
MATCH_RESOURCES: Final = (
    select(_W.subscription_id, func.min(_C.version))
    .select_from(t.change.join(t.watch, and_(_W.subject_id == _C.resource_id, _W.scope == _number(RESOURCE))))
    .where(_NEW, _IS_DATA)
    .group_by(_W.subscription_id)
)
"""Subscriptions whose own resource was written, with version 0 where it was deleted."""
MATCH_ITEMS: Final = (
    select(_W.subscription_id)
    .select_from(t.change.join(t.watch, and_(_W.subject_id == _C.list_id, _W.scope == _C.scope)))
    .where(_NEW, _IS_DATA, or_(_W.owner_id.is_(None), _W.owner_id == _C.owner_id))
    .distinct()
)
"""Subscriptions to lists of which an item was written."""
MATCH_RIGHTS: Final = (
    select(_W.subscription_id)
    .select_from(t.change.join(t.watch, and_(_W.subject_id == _C.resource_id, _W.scope == _number(RIGHTS))))
    .where(_NEW, _C.kind == _ACCESS)
    .distinct()
)
"""Subscriptions that show what a client is assigned, where that may have changed."""

OWED: Final = select(t.outbox).where(_O.subscription_id == _p("id"))
ALL_OWED: Final = (
    select(t.outbox)
    .where(_O.subscription_id > _p("after"))
    .order_by(_O.subscription_id)
    .limit(_p("limit"))
    .offset(_NONE)
)
COUNT_OWED: Final = select(func.count()).select_from(t.outbox)
NEXT_FREE: Final = select(func.min(_O.due)).where(_O.claimed_until <= _p("now"))
INSERT_OWED: Final = insert(t.outbox)
WAITING_AT: Final = select(_O.subscription_id).where(_O.subscription_id.in_(_SOME))
AGAIN: Final = (
    update(t.outbox).where(_O.subscription_id == _p("subscription")).values(revision=_O.revision + _number(1))
)
AT_ONCE: Final = (
    update(t.outbox)
    .where(_O.subscription_id == _p("subscription"))
    .values(revision=_O.revision + _number(1), due=_p("now"), attempts=_number(0))
)
_DUE = (
    select(_O.subscription_id)
    .where(_O.due <= _p("now"), _O.claimed_until <= _p("now"))
    .order_by(_O.due, _O.first_at)
    .limit(_p("most"))
    .offset(_NONE)
)
CLAIM: Final = (
    update(t.outbox)
    .where(_O.subscription_id.in_(_DUE))
    .values(claim=_p("new_claim"), claimed_until=_p("until"))
)
CLAIMED: Final = (
    select(t.outbox, t.subscription)
    .select_from(t.outbox.outerjoin(t.subscription, _S.id == _O.subscription_id))
    .where(_O.claim == _p("claim"))
    .order_by(_O.due, _O.first_at)
)
_MINE = and_(_O.subscription_id == _p("subscription"), _O.claim == _p("of_claim"))
DONE_AT: Final = delete(t.outbox).where(
    _O.claim == _p("of_claim"), _O.revision == _p("of_revision"), _O.subscription_id.in_(_SOME)
)
POSTPONE: Final = (
    update(t.outbox)
    .where(_MINE)
    .values(
        due=_p("new_due"),
        attempts=_p("new_attempts"),
        error=_p("new_error"),
        claim=null(),
        claimed_until=_number(0),
    )
)


def _some_owed(*conditions: ColumnElement[bool]) -> Select[Any]:
    return select(_O.subscription_id).where(*conditions).limit(_number(TOGETHER)).offset(_NONE)


OWED_AHEAD: Final = _some_owed(_O.first_at > _p("now"), _O.claim.is_(None))
"""Notifications that were owed by a clock that went back since, `TOGETHER` at most."""
DUE_AHEAD: Final = _some_owed(_O.due > _p("furthest"))
"""Those that such a clock lets wait for longer than any waits."""
CLAIMED_AHEAD: Final = _some_owed(_O.claim > literal_column("''"), _O.claimed_until > _p("furthest"))
"""Those that were claimed by such a clock for longer than any is."""
HASTEN_AT: Final = (
    update(t.outbox)
    .where(_O.subscription_id.in_(_SOME))
    .values(due=_p("new_due"), first_at=_p("new_due"), claim=null(), claimed_until=_number(0))
)
GIVE_BACK_AT: Final = (
    update(t.outbox)
    .where(_O.claim == _p("of_claim"), _O.subscription_id.in_(_SOME))
    .values(due=_p("new_due"), claim=null(), claimed_until=_number(0))
)
DELETE_OWED: Final = delete(t.outbox).where(_O.subscription_id == _p("subscription"))

LANES_AT: Final = select(t.lane).where(_L.name.in_(_SOME))
DELETE_LANES_AT: Final = delete(t.lane).where(_L.name.in_(_SOME))
FREE_LANES_AT: Final = delete(t.lane).where(_L.claim == _p("of_claim"), _L.name.in_(_SOME))
_LAPSED = (
    select(_L.name).where(_L.until <= _p("now")).order_by(_L.until).limit(_number(TOGETHER)).offset(_NONE)
)
DELETE_LAPSED_LANES: Final = delete(t.lane).where(_L.name.in_(_LAPSED))
"""Forget lanes of which nobody has heard since their time was over, `TOGETHER` at most."""

DELETE_LANES_AHEAD: Final = delete(t.lane).where(_L.until > _p("furthest"))
"""Forget lanes that such a clock has closed."""

INSERT_DEAD: Final = insert(t.dead_letter).values({c.name: _p(f"new_{c.name}") for c in _D if c.name != "id"})
DEAD: Final = (
    select(t.dead_letter).where(_D.id > _p("after")).order_by(_D.id).limit(_p("limit")).offset(_NONE)
)
DEAD_OF_CLIENT: Final = DEAD.where(_D.client_id == _p("client_id"))
ONE_DEAD: Final = select(t.dead_letter).where(_D.id == _p("id"))
COUNT_DEAD: Final = select(func.count()).select_from(t.dead_letter)
DELETE_DEAD: Final = delete(t.dead_letter).where(_D.id == _p("dead"))
DELETE_DEAD_OF_CLIENT: Final = delete(t.dead_letter).where(_D.client_id == _p("of_client"))
OLD_DEAD: Final = (
    select(_D.id)
    .where(_D.subscription_id == _p("subscription"))
    .order_by(_D.id.desc())
    .limit(_number(TOGETHER))
    .offset(_p("kept"))
)
"""Dead letters of a subscription beyond the newest ones, `TOGETHER` at most."""
DELETE_DEAD_AT: Final = delete(t.dead_letter).where(_D.id.in_(_SOME))
DROPPED: Final = select(_G.amount).where(_G.client_id == _p("client_id"))
ADD_DROPPED: Final = (
    update(t.dropped_letter).where(_G.client_id == _p("of_client")).values(amount=_G.amount + _p("more"))
)
INSERT_DROPPED: Final = insert(t.dropped_letter)
DELETE_DROPPED: Final = delete(t.dropped_letter).where(_G.client_id == _p("of_client"))

PLACES: Final = select(_H.place).where(_H.client_id == _p("client_id")).order_by(_H.place)
INSERT_PLACE: Final = insert(t.notification_host)
DELETE_PLACE: Final = delete(t.notification_host).where(
    _H.client_id == _p("of_client"), _H.place == _p("of_place")
)
DELETE_PLACES: Final = delete(t.notification_host).where(_H.client_id == _p("of_client"))
