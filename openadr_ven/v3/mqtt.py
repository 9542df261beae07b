"""Notifications by MQTT: one connection to the broker that the VTN names, on the topics that it names.

Needs aiomqtt, which comes with `lineside[mqtt]`. OpenADR 3.1.0, /notifiers; MQTT 3.1.1.
"""

import asyncio
import importlib
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from certs import TlsContext, operator_client_context
from openadr_ven.v3.bounded import parsed
from openadr_ven.v3.errors import FlawError, RefusedError, UnavailableError, UnreadableError, V3Error
from openadr_ven.v3.http import LOCAL
from openadr_ven.v3.leniency import Notes
from openadr_ven.v3.listener import MOST_BYTES
from openadr_ven.v3.objects import MqttBinding, Notification
from openadr_ven.v3.pace import Backoff
from openadr_ven.v3.ports import Settings, Surroundings
from openadr_ven.v3.read_objects import read_mqtt, read_notification
from openadr_ven.v3.table import table_of
from openadr_ven.v3.version import segment
from openadr_ven.v3.wire import Wire

log: Final = logging.getLogger(__name__)
KINDS: Final = ("events", "programs", "resources")
OPERATIONS: Final = ("CREATE", "UPDATE", "DELETE")
MOST_WAITING: Final = 200
_PORTS: Final = {"mqtts": 8883, "mqtt": 1883}
_TOPIC: Final = re.compile(r"[^\0]{1,1000}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """Where to connect, and as whom; the password is a token of now."""

    host: str
    port: int
    is_tls: bool
    username: str | None = None
    password: str | None = field(default=None, repr=False)


def broker_of(binding: MqttBinding, client_id: str, token: str | None) -> Broker:
    """The first broker that is safe to talk to. Raises UnavailableError for none."""
    for uri in binding.URIS:
        parts = urlsplit(uri)
        is_safe = parts.scheme == "mqtts" or (parts.scheme == "mqtt" and parts.hostname in LOCAL)
        if parts.hostname and is_safe:
            break
    else:
        raise UnavailableError("no broker with mqtts")
    port, is_tls = parts.port or _PORTS[parts.scheme], parts.scheme == "mqtts"
    if binding.method == "ANONYMOUS":
        return Broker(host=parts.hostname, port=port, is_tls=is_tls)
    if binding.method == "OAUTH2_BEARER_TOKEN" and token is not None:
        name = client_id if binding.username == "{clientID}" else binding.username
        return Broker(host=parts.hostname, port=port, is_tls=is_tls, username=name, password=token)
    raise UnavailableError(f"the broker wants {binding.method[:40]!r}, which is not supported")


class Mqtt:
    """The connection. `take` gets each notification; `changed` is told when it comes and goes."""

    def __init__(
        self,
        settings: Settings,
        wire: Wire,
        ports: Surroundings,
        take: Callable[[Notification], bool],
        changed: Callable[[bool], None],
    ) -> None:
        self._settings, self._wire, self._ports = settings, wire, ports
        self._take, self._changed = take, changed
        self._backoff = Backoff(settings.poll_s)

    async def run(self, ven_id: Callable[[], str | None]) -> None:
        """Be connected for ever, once the VEN has an id; what fails is tried again, ever slower."""
        while True:
            known = ven_id()
            if known is None:
                await self._ports.wait(asyncio.Event(), 1.0)
                continue
            try:
                await self._connected(known)
            except (V3Error, OSError) as error:
                self._changed(False)
                pause_s = self._backoff.failed(self._ports.random())
                log.warning("no notifications by MQTT, again in %.0f s: %s", pause_s, error)
                await self._ports.wait(asyncio.Event(), pause_s)

    async def _connected(self, ven_id: str) -> None:
        """Listen until the connection is lost. Raises UnavailableError then, or where there is none."""
        try:
            aiomqtt: Any = importlib.import_module("aiomqtt")
        except ImportError as error:
            raise UnavailableError("aiomqtt is not installed: it comes with lineside[mqtt]") from error
        broker, topics = await self._broker(), await self._topics(ven_id)
        try:
            async with aiomqtt.Client(
                broker.host,
                broker.port,
                username=broker.username,
                password=broker.password,
                tls_context=self._tls() if broker.is_tls else None,
                timeout=self._settings.timeout_s,
                max_queued_incoming_messages=MOST_WAITING,
            ) as client:
                for topic in topics:
                    await client.subscribe(topic, qos=1)
                self._backoff.worked()
                self._changed(True)
                async for message in client.messages:
                    self._heard(bytes(message.payload))
        except aiomqtt.MqttError as error:
            raise UnavailableError(f"the broker: {type(error).__name__}") from error
        raise UnavailableError("the broker said no more")

    def _tls(self) -> TlsContext:
        return self._settings.tls or operator_client_context()

    async def _broker(self) -> Broker:
        try:
            binding = read_mqtt(await self._wire.get("/notifiers"), Notes())
        except RefusedError as error:
            raise UnavailableError(f"the VTN has no notifiers: {error}") from error
        if binding is None:
            raise UnavailableError("the VTN has no MQTT")
        credentials = self._settings.credentials
        client_id = "" if credentials is None else credentials.client_id
        return broker_of(binding, client_id, await self._wire.bearer())

    async def _topics(self, ven_id: str) -> list[str]:
        """The topics of our VEN, as the VTN names them."""
        topics: dict[str, None] = {}
        for kind in KINDS:
            found = await self._wire.get(f"/notifiers/mqtt/topics/vens/{segment(ven_id)}/{kind}")
            table = table_of(found, "topics", Notes()).inner("topics")
            named = [] if table is None else [table.text(name) for name in OPERATIONS]
            topics |= {name: None for name in named if name and _TOPIC.fullmatch(name)}
        if not topics:
            raise UnavailableError("the VTN names no topics")
        return list(topics)

    def _heard(self, payload: bytes) -> None:
        try:
            notice = read_notification(
                parsed(payload, most_bytes=MOST_BYTES), self._settings.version, Notes()
            )
        except (UnreadableError, FlawError) as error:
            log.warning("a notification by MQTT cannot be read: %s", error)
        else:
            self._take(notice)
