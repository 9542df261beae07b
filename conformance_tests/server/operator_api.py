"""The operator of a Lineside server, by its operator API over HTTPS (docs/reference/operator_api.md)."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode, urlsplit

from certs import operator_client_context
from conformance_tests.errors import TargetError, UsageError
from conformance_tests.server.operator_acts import Acts, Json
from conformance_tests.server.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Container, Mapping
    from pathlib import Path

_JSON: Final = "application/json"
_MOST_TOLD: Final = 1000


def api_operator(url: str, token_file: Path, roots: Path | None) -> ApiOperator:
    """The operator at a URL with the token in a file; `roots` are trusted (None: those of the system)."""
    if urlsplit(url).scheme not in {"https", "http"} or not urlsplit(url).hostname:
        raise UsageError(f"{url}: give the URL of the operator API: https://HOST:PORT")
    try:
        secret = token_file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as flaw:
        raise UsageError(f"{token_file}: {flaw}; give the file with the token of an admin") from None
    return ApiOperator(url.rstrip("/"), secret, Wire(by="operator", context=operator_client_context(roots)))


@dataclass(slots=True)
class _Made:
    """What a case made: names of groups at the server with their program's mRID, and LFDIs of devices.

    `poll_rates` and `post_rates` (by LFDI) are those that were there before it set others, s.
    """

    tag: str = ""
    lasting: frozenset[str] = frozenset()
    programs: dict[str, str] = field(default_factory=dict)
    devices: set[str] = field(default_factory=set)
    blocked: set[str] = field(default_factory=set)
    poll_rates: dict[str, Json] = field(default_factory=dict)
    post_rates: dict[str, Json] = field(default_factory=dict)


class ApiOperator(Acts):
    """Acts by the operator API; the token needs the role admin."""

    def __init__(self, url: str, secret: str, wire: Wire) -> None:
        self._url = url
        self._secret = secret
        self._wire = wire
        self._made = _Made()
        self._acts: Final[Mapping[str, Callable[[Mapping[str, Json]], Awaitable[Mapping[str, Json]]]]] = {
            "begin": self._begin,
            "end": self._end,
            "ensure-device": self._ensure_device,
            "remove-device": self._remove_device,
            "assign": self._assign,
            "unassign": self._unassign,
            "set-primacy": self._set_primacy,
            "set-default": self._set_default,
            "add-curve": self._add_curve,
            "publish": self._publish,
            "cancel": self._cancel,
            "cancel-all": self._cancel_all,
            "set-rates": self._set_rates,
            "block": self._block,
            "forget-readings": self._forget_readings,
            "responses": self._responses,
            "cancel-subscription": self._cancel_subscription,
        }

    async def close(self) -> None:
        """Close the connection."""
        await self._wire.close()

    async def do(self, act: str, given: Mapping[str, Json]) -> Mapping[str, Json]:
        """Do one act; TargetError where the API refuses it."""
        return await self._acts[act](given)

    async def _call(
        self,
        method: str,
        *path: Json,
        body: Mapping[str, Json] | None = None,
        missing_ok: bool = False,
        **query: str | int,
    ) -> Mapping[str, Json]:
        place = self._url + "/" + "/".join(quote(str(part), safe="") for part in path)
        headers = {"Authorization": f"Bearer {self._secret}", "Accept": _JSON}
        octets = None
        if body is not None:
            headers["Content-Type"], octets = _JSON, json.dumps(body).encode()
        uri = f"{place}?{urlencode(query)}" if query else place
        exchange = await self._wire.request(method, uri, headers, octets, lambda _: None)
        if exchange.status == 404 and missing_ok:
            return {}
        try:
            told = json.loads(exchange.body or b"{}")
        except ValueError:
            raise TargetError(f"operator API: {method} {place}: no JSON, status {exchange.status}") from None
        if exchange.status is None or exchange.status >= 400 or not isinstance(told, dict):
            why = f"{told.get('detail')}; {told.get('hint')}" if isinstance(told, dict) else "no object"
            raise TargetError(f"operator API: {method} {place}: {exchange.status} {why}")
        return told

    def _group(self, given: Mapping[str, Json]) -> str:
        """The name at the server of a group of the case."""
        return f"{self._made.tag} {given['group']}"

    async def _begin(self, given: Mapping[str, Json]) -> Mapping[str, Json]:
        await self._end({})
        lasting = given.get("lasting")
        name = str(given["case"]).split("/")[1][:12]
        self._made = _Made(
            tag=f"{name} {secrets.token_hex(3)}",
            lasting=frozenset(map(str, lasting if isinstance(lasting, list) else [])),
        )
        return {}

    async def _end(self, given: Mapping[str, Json]) -> Mapping[str, Json]:
        del given
        if not self._made.tag:
            return {}
        made, self._made = self._made, _Made()
        for lfdi in sorted(made.blocked):
            await self._call("DELETE", "blocked", lfdi, missing_ok=True)
        for name in sorted(made.programs):
            await self._call("POST", "controls", "cancel", body={"group": name})
            await self._call("DELETE", "groups", name, missing_ok=True)
        if made.poll_rates:
            await self._call("PUT", "rates", body={"pollRate": made.poll_rates})
        for lfdi, rate in made.post_rates.items():
            if lfdi not in made.devices - made.lasting:
                await self._call("PUT", "devices", lfdi, "rates", body={"postRate": rate}, missing_ok=True)
        for lfdi in sorted(made.devices - made.lasting):
            await self._call("DELETE", "devices", lfdi, if_exists="true")
        return {}

    async def _ensure_device(self, given: Mapping[str, Json]) -> Mapping[str, Json]:
        lfdi = str(given["lFDI"])
        wanted: dict[str, Json] = {
            "lFDI": lfdi,
            "pIN": given["pIN"],
            "role": "aggregator" if given["isAggregator"] else "device",
            "DER": 0 if given["isAggregator"] else given["ders"],
            "enabled": True,
            "aggregator": given.get("aggregator", ""),
        }
        told = await self._call("PUT", "devices", lfdi, body=wanted)
        if told.get("created"):
            self._made.devices.add(lfdi)
        groups = told.get("groups")
        for group in groups if isinstance(groups, list) else []:
            if str(group) not in self._made.programs:
                await self._call("DELETE", "groups", group, "devices", lfdi)
        return {}

    async def _remove_device(self, given: Mapping[str, Json]) -> Mapping[str, Json]:
        return await self._call("DELETE", "devices", given["lFDI"], if_exists="true")

    async def _assign(self, given: Mapping[str, Json]) -> Mapping[str, Json]:
        name = self._group(given)
        body = {"primacy": given["primacy"], "description": given["group"]}
        told = await self._call("PUT", "devices", given["lFDI"], "groups", name, body=body)
        program = told.get("program")
        self._made.programs[name] = str(program["mRID"]) if isinstance(program, dict) else ""
        return {}

    async def _unassign(self, given: Mapping[str, Json]) -> Mapping[str, Json]:
        return await self._call("DELETE", "groups", self._group(given), "devices", given["lFDI"])

    async def _set_primacy(self, given: Mapping[str, Json]) -> Mapping[str, Json]:
        name = self._group(given)
        program = self._made.programs.get(name, "")
        return await self._call(
            "PATCH", "groups", name, "programs", program, body={"primacy": given["primacy"]}
        )

    async def _set_default(self, given: Mapping[str, Json]) -> Mapping[str, Json]:
        place = ("groups", self._group(given), "default")
        await self._call("DELETE", *place)
        wanted = given.get("DefaultDERControl")
        return await self._call("PATCH", *place, body=wanted) if isinstance(wanted, dict) else {}

    async def _add_curve(self, given: Mapping[str, Json]) -> Mapping[str, Json]:
        curve = given["DERCurve"]
        body = curve if isinstance(curve, dict) else {}
        return await self._call("POST", "groups", self._group(given), "curves", body=body)

    async def _publish(self, given: Mapping[str, Json]) -> Mapping[str, Json]:
        body = {name: value for name, value in given.items() if name != "group"}
        return await self._call("POST", "groups", self._group(given), "controls", body=body)

    async def _cancel(self, given: Mapping[str, Json]) -> Mapping[str, Json]:
        body = {"randomized": given["randomized"]}
        return await self._call("POST", "controls", given["mRID"], "cancel", body=body)

    async def _cancel_all(self, given: Mapping[str, Json]) -> Mapping[str, Json]:
        """All controls of the case: those of the utility are not its to cancel."""
        del given
        for name in sorted(self._made.programs):
            await self._call("POST", "controls", "cancel", body={"group": name})
        return {}

    async def _set_rates(self, given: Mapping[str, Json]) -> Mapping[str, Json]:
        rates = given["rates"]
        poll = dict(rates) if isinstance(rates, dict) else {}
        names = {"EndDevice": "postRate", "MirrorUsagePoint": "MirrorUsagePoint"}
        post = {field_: poll.pop(name) for name, field_ in names.items() if name in poll}
        if post:
            await self._note_post_rate(str(given["lFDI"]))
            await self._call("PUT", "devices", given["lFDI"], "rates", body=post)
        if poll:
            await self._note_poll_rates(poll)
            await self._call("PUT", "rates", body={"pollRate": poll})
        return {}

    async def _note_post_rate(self, lfdi: str) -> None:
        """Remember the postRate of a device, if it has one, before the case sets another."""
        if lfdi not in self._made.post_rates:
            held = (await self._call("GET", "devices", lfdi)).get("EndDevice")
            rate = held.get("postRate") if isinstance(held, dict) else None
            if rate is not None:
                self._made.post_rates[lfdi] = rate

    async def _note_poll_rates(self, kinds: Container[str]) -> None:
        """Remember the pollRates of resources before the case sets others."""
        told = (await self._call("GET", "rates")).get("pollRate")
        for kind, rate in told.items() if isinstance(told, dict) else ():
            if kind in kinds:
                self._made.poll_rates.setdefault(kind, rate)

    async def _block(self, given: Mapping[str, Json]) -> Mapping[str, Json]:
        lfdi = str(given["lFDI"])
        if given["blocked"]:
            self._made.blocked.add(lfdi)
            return await self._call("POST", "blocked", body={"lFDI": lfdi})
        self._made.blocked.discard(lfdi)
        return await self._call("DELETE", "blocked", lfdi)

    async def _forget_readings(self, given: Mapping[str, Json]) -> Mapping[str, Json]:
        body = {"readings": True, "managed": True}
        return await self._call("POST", "devices", given["lFDI"], "forget", body=body)

    async def _responses(self, given: Mapping[str, Json]) -> Mapping[str, Json]:
        told = await self._call("GET", "controls", given["mRID"], "responses", limit=_MOST_TOLD)
        rows = told.get("responses")
        return {
            "responses": [
                {"lFDI": one.get("endDeviceLFDI") or "", "status": one.get("status") or 0}
                for one in (rows if isinstance(rows, list) else [])
                if isinstance(one, dict)
            ]
        }

    async def _cancel_subscription(self, given: Mapping[str, Json]) -> Mapping[str, Json]:
        told = await self._call("GET", "subscriptions", device=str(given["lFDI"]), limit=_MOST_TOLD)
        rows = told.get("subscriptions")
        wanted = urlsplit(str(given["subscribedResource"])).path
        found = [
            one["id"]
            for one in (rows if isinstance(rows, list) else [])
            if isinstance(one, dict) and urlsplit(str(one.get("subscribedResource"))).path == wanted
        ]
        if not found:
            raise TargetError(f"operator API: {given['lFDI']} has no subscription to {wanted}")
        body = {"status": given["status"]}
        return await self._call("POST", "subscriptions", found[0], "cancel", body=body)
