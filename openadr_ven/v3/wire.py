"""The VTN as a VEN talks to it: paths, tokens, and JSON. One request at a time, or several.

A token is got once, renewed ahead of its end, and once more where a VTN refuses it with 401 in the middle.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from openadr_ven.v3.errors import AuthError, RefusedError, UnreadableError
from openadr_ven.v3.http import Answer, Http, Request, is_safe, judged
from openadr_ven.v3.tokens import Credentials, Token, form_of, token_of, token_url_of
from openadr_ven.v3.version import Version
from openadr_ven.v3.write import Json, encoded

log: Final = logging.getLogger(__name__)
Query = Sequence[tuple[str, str]]


class Wire:
    """Requests to one VTN. `url` is its base: what stands before /programs."""

    def __init__(self, http: Http, url: str, version: Version, credentials: Credentials | None) -> None:
        """Without credentials no token is sent (public tariffs). Raises AuthError for an unsafe URL."""
        if not is_safe(url):
            raise AuthError("the URL of the VTN is neither https nor of this machine")
        self.url = url.rstrip("/")
        self.version = version
        self._http = http
        self._credentials = credentials
        self._token: Token | None = None
        self._lock = asyncio.Lock()

    async def get(self, path: str, query: Query = ()) -> object:
        """What stands at a path."""
        return await self._json("GET", path, query)

    async def post(self, path: str, body: Json) -> object:
        """What a VTN made of a new object."""
        return await self._json("POST", path, (), body)

    async def put(self, path: str, body: Json) -> object:
        """What a VTN made of a changed object."""
        return await self._json("PUT", path, (), body)

    async def delete(self, path: str) -> None:
        """An object that is gone; one that was gone before is fine."""
        try:
            await self._sent("DELETE", path)
        except RefusedError as error:
            if error.status != 404:
                raise

    async def bearer(self) -> str | None:
        """The token of now, for another way in."""
        return await self._fresh(None)

    async def _json(self, method: str, path: str, query: Query = (), body: Json | None = None) -> object:
        return (await self._sent(method, path, query, body)).json()

    async def _sent(self, method: str, path: str, query: Query = (), body: Json | None = None) -> Answer:
        request = Request(
            method=method,
            url=f"{self.url}{path}",
            query=query,
            body=None if body is None else encoded(body),
            token=await self._fresh(None),
        )
        answer = await self._http.send(request)
        if answer.status == 401 and self._credentials is not None:
            log.info("the token was refused at %s: a new one is asked for", path)
            again = Request(
                method=method,
                url=request.url,
                query=query,
                body=request.body,
                token=await self._fresh(request.token),
            )
            answer = await self._http.send(again)
        if answer.status == 401:
            raise AuthError(f"{method} {path}: the VTN does not take our token")
        return judged(answer)

    async def _fresh(self, refused: str | None) -> str | None:
        """A token that holds, and is not the one that was refused. Whoever comes meanwhile waits for it."""
        if self._credentials is None:
            return None
        async with self._lock:
            now = asyncio.get_running_loop().time()
            if self._token is None or not self._token.is_fresh(now) or self._token.value == refused:
                self._token = None
                self._token = await self._fetched(self._credentials)
            return self._token.value

    async def _fetched(self, credentials: Credentials) -> Token:
        url = credentials.token_url or await self._token_url()
        if not is_safe(url):
            raise AuthError("the URL for tokens is neither https nor of this machine")
        answer = await self._http.send(Request(method="POST", url=url, form=form_of(credentials)))
        try:
            found = judged(answer).json()
        except RefusedError as error:
            raise AuthError(f"no token for client {credentials.client_id}: {error}") from error
        except UnreadableError as error:
            raise AuthError(f"no token that can be read: {error}") from error
        return token_of(found, asyncio.get_running_loop().time())

    async def _token_url(self) -> str:
        """Where tokens are: 3.1.0 tells it; 3.0.1, and a VTN of 3.1.0 that does not, has them itself."""
        own = f"{self.url}/auth/token"
        if self.version is Version.V301:
            return own
        try:
            answer = judged(await self._http.send(Request(method="GET", url=f"{self.url}/auth/server")))
        except RefusedError as error:
            log.warning("the VTN does not tell its token server (%s): /auth/token is tried", error)
            return own
        try:
            return token_url_of(answer.json())
        except UnreadableError as error:
            raise AuthError(f"the VTN tells no token server: {error}") from error
