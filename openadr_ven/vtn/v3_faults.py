"""How the VTN of 3.x misbehaves on command: each switch is one fault, off by default."""

import asyncio
from dataclasses import dataclass, field, fields

from aiohttp import web

Json = dict[str, object]


@dataclass(slots=True, kw_only=True)
class Faults:
    """Switches. What counts requests is counted down by them.

    `only` is a part of the path that `hang`, `status`, `broken_json` and `wrong_type` are bound to.
    """

    only: str = ""
    refuse_tokens: int = 0
    """So many requests with a good token get 401."""
    hang: bool = False
    """Requests get no answer."""
    status: int = 0
    """Requests get this status, `times` times where that is set."""
    times: int = -1
    retry_after: str = ""
    broken_json: bool = False
    """Answers end in the middle."""
    wrong_type: bool = False
    """Lists are an object, objects are a list."""
    lost_page: int = -1
    """The page of this number (from 0) is empty."""
    repeated_page: bool = False
    """Every page is the first."""
    page_cap: int = 0
    """Pages are no longer than this, whatever is asked for."""
    no_paging: bool = False
    """Every answer has everything."""
    stranger: bool = False
    """Each page has an object that nobody can identify."""
    stale: dict[str, Json] = field(default_factory=dict)
    """Objects by id that are shown in place of those of now."""
    flood: int = 0
    """So many more events are on the list, none of which ever was."""
    clock_offset_s: float = 0.0
    """How wrong the clock of the VTN is."""
    lost_answers: int = 0
    """So many objects are created, and the answer is 500."""
    no_echo: bool = False
    """Subscriptions are taken without a look at the callback."""

    def clear(self) -> None:
        """Behave."""
        for one in fields(self):
            setattr(self, one.name, getattr(Faults(), one.name))

    def paged(self, found: list[Json], skip: int, limit: int) -> list[Json]:
        """A page as it is shown."""
        shown = [self.stale.get(str(one["id"]), one) for one in found]
        shown += [_flooding(number) for number in range(self.flood)]
        if self.no_paging:
            return shown
        size = min(limit, self.page_cap) if self.page_cap else limit
        begin = 0 if self.repeated_page else skip
        page = shown[begin : begin + size]
        if self.lost_page >= 0 and skip > 0 and -(-skip // size) == self.lost_page:
            page = []
        return [*page, {"objectType": "EVENT"}] if self.stranger else page

    async def before(self, path: str) -> web.Response | None:
        """An answer before anything is done; None to go on."""
        if self.only not in path:
            return None
        if self.hang:
            await asyncio.Event().wait()
        if self.status and self.times != 0:
            self.times -= self.times > 0
            headers = {"Retry-After": self.retry_after} if self.retry_after else None
            body: Json = {"title": "told to fail", "status": self.status}
            return web.json_response(body, status=self.status, headers=headers)
        return None

    def spoilt(self, path: str, text: str) -> str:
        """The body of a good answer, as it is sent."""
        if self.only not in path:
            return text
        if self.broken_json:
            return text[: max(1, len(text) - 2)]
        if self.wrong_type:
            return "{}" if text.startswith("[") else "[]"
        return text


def _flooding(number: int) -> Json:
    made = "2025-01-01T00:00:00Z"
    return {
        "id": f"flood-{number}",
        "objectType": "EVENT",
        "createdDateTime": made,
        "modificationDateTime": made,
        "programID": "none",
        "intervals": [],
    }
