"""The listeners of clients: connections to addresses that were checked, kept and used again. A shell."""

import asyncio
import ipaddress
import socket
from dataclasses import dataclass

from certs import KnownIssuers, client_context
from sep2_server.environment import Environment
from sep2_server.notifications.hosts import Address, Place, refusal_of_address, refusal_of_host
from sep2_server.notifications.kept import Bounds, Kept
from sep2_server.notifications.names import PATIENCE_S, Names
from sep2_server.notifications.posting import DeliveryError, Endpoint, MisdirectedError, Posting
from sep2_server.settings import Settings


@dataclass(frozen=True, slots=True)
class Addressee:
    """Whom a notification is for.

    `name` is that of who speaks for it (LFDI): all hosts of one are looked up one at a time.
    `places` are where it may go, `lfdis` whose certificate the listener may have; None: anybody's.
    """

    name: str
    places: tuple[Place, ...]
    lfdis: frozenset[str] | None


class Listeners:
    """Posts to listeners with the certificate of the server, over kept connections."""

    def __init__(self, environment: Environment) -> None:
        settings = environment.settings
        self._rules = environment.rules
        bounds = Bounds(
            most=settings.notification_kept,
            idle_s=settings.notification_idle_s,
            age_s=settings.notification_age_s,
        )
        self._kept = Kept(bounds)
        self._names = Names()
        self.renew(settings)

    def renew(self, settings: Settings) -> None:
        """Use certificate, key and roots as their files now are. CertsError.

        Connections made with the former ones are closed: at once, or with the answer that they wait for.
        """
        self._settings = settings
        self._context = client_context(
            settings.certificate, settings.key, settings.roots, strict=self._rules.strict_tls
        )
        self._issuers = KnownIssuers.from_files(settings.roots, settings.certificate)
        self._kept.close()

    async def post(
        self,
        endpoint: Endpoint,
        target: str,
        body: bytes,
        *,
        media_type: str,
        addressee: Addressee,
    ) -> int:
        """The status of the answer to a POST. DeliveryError where there is none."""
        try:
            async with asyncio.timeout(self._settings.notification_timeout_s):
                return await self._post(endpoint, target, body, media_type, addressee)
        except TimeoutError as flaw:
            raise DeliveryError(f"no answer within {self._settings.notification_timeout_s} s") from flaw

    def sweep(self) -> None:
        """Close connections that were not used for long."""
        self._kept.sweep(_now())

    def close(self) -> None:
        """Close all kept connections."""
        self._kept.close()

    async def _post(
        self, endpoint: Endpoint, target: str, body: bytes, media_type: str, addressee: Addressee
    ) -> int:
        while True:
            posting = self._kept.take(endpoint, _now()) or await self._connect(endpoint, addressee)
            was_used = posting.is_used
            try:
                self._require(posting, endpoint, addressee)
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

    def _require(self, posting: Posting, endpoint: Endpoint, addressee: Addressee) -> None:
        """Raise MisdirectedError for a connection to the wrong one, or that is no longer allowed."""
        lfdis, places = addressee.lfdis, addressee.places
        if lfdis is not None and endpoint.scheme == "https" and posting.lfdi not in lfdis:
            raise MisdirectedError(
                f"the listener's LFDI {posting.lfdi} is neither the subscriber's nor its aggregator's"
            )
        if posting.allowed != places:
            _require_address(places, endpoint, posting.address)
            posting.allowed = places

    async def _connect(self, endpoint: Endpoint, addressee: Addressee) -> Posting:
        """A new connection to the first address of a host that may be and can be reached.

        MisdirectedError where an address is not allowed: others may be let go there.
        """
        flaw = refusal_of_host(addressee.places, endpoint.host, endpoint.port)
        if flaw is not None:
            raise MisdirectedError(flaw)
        patience_s = min(PATIENCE_S, self._settings.notification_timeout_s / 4)
        errors: list[Exception] = []
        for address in await self._names.addresses(endpoint, addressee.name, patience_s):
            try:
                _require_address(addressee.places, endpoint, address)
                return await self._open(endpoint, address)
            except (DeliveryError, OSError) as error:
                errors.append(error)
        is_barred = any(isinstance(error, MisdirectedError) for error in errors)
        told = "; ".join(str(error) or type(error).__name__ for error in errors)[:500]
        raise (MisdirectedError if is_barred else DeliveryError)(told or f"{endpoint.host} has no address")

    async def _open(self, endpoint: Endpoint, address: Address) -> Posting:
        is_tls, context, born = endpoint.scheme == "https", self._context, _now()
        _, posting = await asyncio.get_running_loop().create_connection(
            lambda: Posting(address, born, context),
            str(address),
            endpoint.port,
            ssl=context if is_tls else None,
            server_hostname=endpoint.host if is_tls else None,
        )
        if is_tls:
            posting.identify(self._issuers, allow_self_signed=self._rules.allow_self_signed)
        return posting

    def _keep(self, endpoint: Endpoint, posting: Posting) -> None:
        if posting.context is self._context:
            self._kept.keep(endpoint, posting, _now())
        else:
            posting.close()


def _now() -> float:
    return asyncio.get_running_loop().time()


def _require_address(places: tuple[Place, ...], endpoint: Endpoint, address: Address) -> None:
    own = _own(address, endpoint.port)
    flaw = refusal_of_address(places, endpoint.host, address, endpoint.port, own)
    if flaw is not None:
        raise MisdirectedError(flaw)


def _own(address: Address, port: int) -> frozenset[Address]:
    """The server's own address, where packets to an address would come from it. Nothing is sent."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((str(address), port))
        except OSError:
            return frozenset()
        return frozenset({ipaddress.ip_address(probe.getsockname()[0].partition("%")[0])})
