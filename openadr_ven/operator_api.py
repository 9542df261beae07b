"""A publisher over the operator API of a 2030.5 server: HTTPS, JSON, a token. IEEE 2030.5 names throughout.

The server knows everything by its mRID, so that each call may be repeated. docs/reference/operator_api.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import aiohttp

from certs import operator_client_context
from function_sets import Gone, Refused, ToCancel, ToDefault, ToPublish, Unreachable
from schemas import DERControlBase, Json, ReadingType, Resource, csip_aus, json_of, spec_of, wire_name

TIMEOUT_S: Final = 10
TOO_MANY: Final = 429
NOT_FOUND: Final = 404
SERVER_MAKES: Final = frozenset({"href", "EventStatus", "creationTime", "replyTo", "version"})
OVER: Final = frozenset({"cancelled", "cancelled with randomization", "superseded"})
LIMITS: Final = tuple(
    f.name for f in spec_of(csip_aus.DERControlBaseV12) if f.name.startswith("opMod") and "Lim" in f.name
)
"""Modes that a default of ours may have: those that it has not are taken away."""
Told = dict[str, Any]


class _Missing(Refused):
    """Nothing is there."""


def operator_session(secret: str, roots: Path | None = None) -> aiohttp.ClientSession:
    """A session for `OperatorApi`; `roots` None trusts those of the system. The caller closes it."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=operator_client_context(roots)),
        headers={"Authorization": f"Bearer {secret}"},
        timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bulk:
    """What became of many items, in their order: why not, and what the server told of the others by place."""

    refused: list[Refused | None]
    items: Mapping[int, Told]


class OperatorApi:
    """A `function_sets.Publisher`. `url` is that of the operator API, such as https://localhost:8444."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url.rstrip("/")

    async def told(self, path: str, **query: str) -> Told:
        """What the server answers to a GET. Unreachable or Refused."""
        return await self._call("GET", path, None, query)

    async def publish(self, items: Sequence[ToPublish]) -> Sequence[Refused | None]:
        """Have all of this there, in one commit of the server."""
        told = await self._bulk("/resources/bulk", [_item(one) for one in items])
        found: list[Refused | None] = list(told.refused)
        for number, one in told.items.items():
            if one.get("status") in OVER:
                found[number] = Gone(f"event {one.get('mRID')} is {one['status']}")
        return found

    async def cancel(self, items: Sequence[ToCancel]) -> Sequence[Refused | None]:
        """Cancel events, in one commit of the server."""
        asked: list[Json] = [
            {"mRID": one.mRID, "randomized": one.is_randomized, "reason": one.reason} for one in items
        ]
        return (await self._bulk("/events/cancel/bulk", asked)).refused

    async def remove_curve(self, curve: str) -> None:
        """Remove a curve that no control follows any more."""
        try:
            await self._call("DELETE", f"/curves/{_part(curve)}")
        except _Missing:
            return

    async def answer_flow(self, request: str, device: str, answer: Mapping[str, Json]) -> None:
        """Answer the FlowReservationRequest of a device. Refused where it is answered, or taken back."""
        await self._call("POST", f"/flows/{_part(request)}/answer", answer, {"device": device})

    async def set_defaults(self, items: Sequence[ToDefault]) -> Sequence[Refused | None]:
        """Set the limits of defaults to exactly these, in one commit of the server."""
        asked: list[Json] = [{"program": one.program, "default": _default(one.base)} for one in items]
        return (await self._bulk("/defaults/bulk", asked)).refused

    async def _bulk(self, path: str, items: list[Json]) -> "_Bulk":
        """What became of many items; those that are wrong do not keep the server from the others."""
        told = await self._call("POST", path, items, {"keep_going": "true"})
        refused: list[Refused | None] = [None] * len(items)
        for one in told["problems"]:
            refused[int(one["item"]) - 1] = Refused(str(one["detail"]))
        return _Bulk(refused=refused, items={int(one["item"]) - 1: one for one in told["items"]})

    async def _call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Json] | Sequence[Json] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Told:
        """One request. Unreachable where nobody knows what became of it, Refused for all that is wrong."""
        try:
            async with self._session.request(
                method, f"{self._url}{path}", json=body, params=query
            ) as response:
                told = await response.json(content_type=None)
                status = response.status
        except (aiohttp.ClientError, TimeoutError, ValueError) as flaw:
            raise Unreachable(f"{self._url}: {flaw!r}") from flaw
        return _checked(status, told, f"{method} {path}")


def _checked(status: int, told: object, what: str) -> Told:
    if status < 400 and isinstance(told, dict):
        return told
    detail = told.get("detail", "") if isinstance(told, dict) else ""
    text = f"{what}: {status} {detail}"
    if status >= 500 or status == TOO_MANY or status < 400:
        raise Unreachable(text)
    raise (_Missing if status == NOT_FOUND else Refused)(text)


def _default(base: DERControlBase | None) -> Json:
    return None if base is None else {"DERControlBase": {**dict.fromkeys(LIMITS), **json_of(base)}}


def _item(one: ToPublish) -> Json:
    """What is to be there as it is sent."""
    body = _body(one.value)
    for mode, curve in one.curves:
        body.setdefault("DERControlBase", {})[mode] = curve
    for below in one.below:
        if isinstance(below, ReadingType):
            body["ReadingType"] = json_of(below)
        else:
            body.setdefault(wire_name(type(below)), []).append(json_of(below))
    place = {"group": one.group} if one.home is None else {"below": one.home}
    return {"kind": wire_name(type(one.value)), "resource": body, **place}


def _body(value: Resource) -> dict[str, Any]:
    """A resource as it is sent: without what the server makes."""
    told = json_of(value)
    return {name: one for name, one in told.items() if name not in SERVER_MAKES and not name.endswith("Link")}


def _part(text: str) -> str:
    return quote(text, safe="")
