"""Operations on tokens and on the audit log, for admins."""

from sep2_server.operator.audit_chain import FILTERS
from sep2_server.operator.audit_reading import newest
from sep2_server.operator.auth import Role, Token
from sep2_server.operator.desk import Desk
from sep2_server.operator.errors import BadRequest, Conflict
from sep2_server.operator.requests import CreateToken
from sep2_server.operator.router import Answer, Call
from sep2_server.operator.shape import read
from sep2_server.operator.times import duration_s, moment_of
from sep2_server.operator.token_files import add_token, read_tokens, read_uses, remove_token


def list_tokens(desk: Desk, _: Call) -> Answer:
    """All tokens with role and last use; their secrets are known to nobody here."""
    uses = read_uses(desk.office.folder)
    return {
        "tokens": [
            {
                "name": token.name,
                "role": token.role.value,
                "created": token.created,
                "expires": token.expires,
                "lastUsed": uses.get(token.name),
            }
            for token in read_tokens(desk.office.folder)
        ]
    }


def create(desk: Desk, call: Call) -> Answer:
    """Make a token; its secret is in this answer and never again."""
    asked = read(CreateToken, call.body)
    if asked.expires is not None and asked.lifetime is not None:
        raise BadRequest("expires: both expires and lifetime are given", "give one of them, or none")
    expires = None if asked.expires is None else moment_of(asked.expires, "expires", desk.now)
    if asked.lifetime is not None:
        expires = desk.now + duration_s(asked.lifetime, "lifetime")
    if expires is not None and expires <= desk.now:
        raise BadRequest("expires: the time has passed", "give a later time")
    office = desk.office
    secret = add_token(
        office.folder,
        asked.name,
        Role(asked.role),
        office.random_bits,
        created=desk.now,
        expires=expires,
    )
    return {"name": asked.name, "role": asked.role, "expires": expires, "secret": secret}


def revoke(desk: Desk, call: Call) -> Answer:
    """Forget a token: it is refused from the next request on. The last admin's stays."""
    name = call.names["token"]
    tokens = read_tokens(desk.office.folder)
    admins = {token.name for token in tokens if token.role is Role.ADMIN and not _is_over(token, desk.now)}
    if admins == {name}:
        raise Conflict(f"token {name!r} is the last of role admin", "make another admin's token first")
    remove_token(desk.office.folder, name)
    return {"name": name}


def _is_over(token: Token, now: int) -> bool:
    return token.expires is not None and token.expires <= now


def read_audit(desk: Desk, call: Call) -> Answer:
    """Lines of the audit log, the newest first; `who`, `action`, `target` and `outcome` filter by a part."""
    wanted = {name: call.query[name] for name in FILTERS if name in call.query}
    before = call.number("before", 0, 1, 2**62) or None
    entries = newest(
        desk.office.audit, before=before, limit=call.number("limit", 100, 1, 10_000), wanted=wanted
    )
    last = entries[-1].get("seq") if entries else None
    return {"entries": list(entries), "next": last if isinstance(last, int) and last > 1 else None}
