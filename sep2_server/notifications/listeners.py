"""The listeners of clients: connections to addresses that were checked, kept and used again. A shell."""

import asyncio
import ipaddress
import socket
from collections import defaultdict
from typing import Final

from certs import KnownIssuers, client_context
from sep2_server.environment import Environment
from sep2_server.notifications.hosts import Address, Place, refusal_of_address, refusal_of_host
from sep2_server.notifications.posting import DeliveryError, Endpoint, Posting
from sep2_server.settings import Settings

MOST_IDLE: Final = 1024
"""Most connections that are kept without a request."""


class Listeners:
    """Posts to listeners with the certificate of the server, over kept connections."""

    def __init__(self, environment: Environment) -> None:
        settings = environment.settings
        self._rules = environment.rules
        self.renew(settings)
        self._idle: defaultdict[Endpoint, list[Posting]] = defaultdict(list)
        self._kept = 0

    def renew(self, settings: Settings) -> None:
        """Use certificate, key and roots as their files now are for new connections. CertsError."""
        self._settings = settings
        self._context = client_context(
            settings.certificate, settings.key, settings.roots, strict=self._rules.strict_tls
        )
        self._issuers = KnownIssuers.from_files(settings.roots, settings.certificate)

    async def post(
        self,
        endpoint: Endpoint,
        target: str,
        body: bytes,
        *,
        media_type: str,
        places: tuple[Place, ...],
        lfdis: frozenset[str] | None,
    ) -> int:
        """The status of the answer to a POST. DeliveryError where there is none.

        `places` are where it may go, `lfdis` whose certificate the listener may have; None: anybody's.
        """
        try:
            async with asyncio.timeout(self._settings.notification_timeout_s):
                return await self._post(endpoint, target, body, media_type, places, lfdis)
        except TimeoutError as flaw:
            raise DeliveryError(f"no answer within {self._settings.notification_timeout_s} s") from flaw

    def close(self) -> None:
        """Close all kept connections."""
        for kept in self._idle.values():
            for posting in kept:
                posting.close()
        self._idle.clear()
        self._kept = 0

    async def _post(
        self,
        endpoint: Endpoint,
        target: str,
        body: bytes,
        media_type: str,
        places: tuple[Place, ...],
        lfdis: frozenset[str] | None,
    ) -> int:
        while True:
            posting = self._take(endpoint) or await self._connect(endpoint, places)
            was_used = posting.is_used
            try:
                self._require(posting, endpoint, places, lfdis)
                status = await posting.post(endpoint, target, body, media_type)
            except DeliveryError:
                posting.close()
                if was_used:
                    continue
                raise
            except BaseException:
                posting.close()
                raise
            self._keep(endpoint, posting)
            return status

    def _require(
        self, posting: Posting, endpoint: Endpoint, places: tuple[Place, ...], lfdis: frozenset[str] | None
    ) -> None:
        """Raise DeliveryError for a connection that leads to the wrong one, or that is no longer allowed."""
        if lfdis is not None and endpoint.scheme == "https" and posting.lfdi not in lfdis:
            raise DeliveryError(
                f"the listener's LFDI {posting.lfdi} is neither the subscriber's nor its aggregator's"
            )
        if posting.allowed != places:
            _require_address(places, endpoint, posting.address)
            posting.allowed = places

    async def _connect(self, endpoint: Endpoint, places: tuple[Place, ...]) -> Posting:
        """A new connection to the first address of a host that may be and can be reached."""
        flaw = refusal_of_host(places, endpoint.host, endpoint.port)
        if flaw is not None:
            raise DeliveryError(flaw)
        errors = []
        for address in await _addresses(endpoint):
            try:
                _require_address(places, endpoint, address)
                return await self._open(endpoint, address)
            except (DeliveryError, OSError) as error:
                errors.append(str(error) or type(error).__name__)
        raise DeliveryError("; ".join(errors)[:500] or f"{endpoint.host} has no address")

    async def _open(self, endpoint: Endpoint, address: Address) -> Posting:
        is_tls = endpoint.scheme == "https"
        _, posting = await asyncio.get_running_loop().create_connection(
            lambda: Posting(address),
            str(address),
            endpoint.port,
            ssl=self._context if is_tls else None,
            server_hostname=endpoint.host if is_tls else None,
        )
        if is_tls:
            posting.identify(self._issuers, allow_self_signed=self._rules.allow_self_signed)
        return posting

    def _take(self, endpoint: Endpoint) -> Posting | None:
        kept = self._idle.get(endpoint)
        while kept:
            posting = kept.pop()
            self._kept -= 1
            if posting.is_open:
                return posting
        return None

    def _keep(self, endpoint: Endpoint, posting: Posting) -> None:
        if not posting.is_open:
            return
        if self._kept >= MOST_IDLE:
            posting.close()
            return
        self._idle[endpoint].append(posting)
        self._kept += 1


async def _addresses(endpoint: Endpoint) -> list[Address]:
    """The addresses that a host has now."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            endpoint.host, endpoint.port, type=socket.SOCK_STREAM
        )
    except (OSError, UnicodeError) as flaw:
        raise DeliveryError(f"{endpoint.host} cannot be resolved: {flaw}") from flaw
    return list(dict.fromkeys(ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found))


def _require_address(places: tuple[Place, ...], endpoint: Endpoint, address: Address) -> None:
    own = _own(address, endpoint.port)
    flaw = refusal_of_address(places, endpoint.host, address, endpoint.port, own)
    if flaw is not None:
        raise DeliveryError(flaw)


def _own(address: Address, port: int) -> frozenset[Address]:
    """The server's own address, where packets to an address would come from it. Nothing is sent."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((str(address), port))
        except OSError:
            return frozenset()
        return frozenset({ipaddress.ip_address(probe.getsockname()[0].partition("%")[0])})
