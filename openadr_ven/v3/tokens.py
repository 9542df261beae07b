"""OAuth2 client credentials: where tokens come from, how long they hold. Secrets are in no text and no log.

OpenADR 3.0.1, /auth/token; OpenADR 3.1.0, /auth/server. RFC 6749, 4.4.
"""

from dataclasses import dataclass, field
from typing import Final

from openadr_ven.v3.errors import AuthError, FlawError
from openadr_ven.v3.leniency import Notes
from openadr_ven.v3.table import table_of

MARGIN_S: Final = 60.0
"""So long before its end a token is renewed, or at nine tenths of its life where that is later."""
SHORTEST_S: Final = 1.0
LONGEST_TOKEN: Final = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What a VEN was given to identify itself. `token_url` is for VTNs that do not tell theirs."""

    client_id: str
    client_secret: str = field(repr=False)
    scope: str = ""
    token_url: str | None = None


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token; `renew_at` on the clock of the loop, None for one whose end is not known."""

    value: str = field(repr=False)
    renew_at: float | None

    def is_fresh(self, now: float) -> bool:
        """Whether it may still be used."""
        return self.renew_at is None or now < self.renew_at


def form_of(credentials: Credentials) -> dict[str, str]:
    """The body that asks for a token: everything in the form, nothing in a header."""
    form = {
        "grant_type": "client_credentials",
        "client_id": credentials.client_id,
        "client_secret": credentials.client_secret,
    }
    return form | ({"scope": credentials.scope} if credentials.scope else {})


def token_of(found: object, now: float) -> Token:
    """The token of an answer. Raises AuthError for an answer without one that can be used."""
    try:
        table = table_of(found, "token", Notes())
        value, kind = table.word("access_token"), table.text("token_type") or "Bearer"
        life_s = table.whole("expires_in")
    except FlawError as flaw:
        raise AuthError(f"no token that can be read: {flaw}") from flaw
    if kind.lower() != "bearer":
        raise AuthError("the token is no bearer token")
    if len(value) > LONGEST_TOKEN or not value.isascii() or not value.isprintable() or " " in value:
        raise AuthError("the token cannot stand in a header")
    if life_s is None:
        return Token(value, None)
    return Token(value, now + max(SHORTEST_S, life_s - MARGIN_S, life_s * 0.9))


def token_url_of(found: object) -> str:
    """The tokenURL of an answer of /auth/server. Raises AuthError for none."""
    try:
        return table_of(found, "auth server", Notes()).word("tokenURL")
    except FlawError as flaw:
        raise AuthError(f"the VTN tells no token server: {flaw}") from flaw
