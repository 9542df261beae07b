"""Where a server begins: the URI of DeviceCapability, as configured, as its versions say, or by DNS-SD.

IEEE 2030.5-2018 (discovery); CSIP COMM-001, COMM-002; CSIP-AUS SDVN-01.
"""

import json
import logging
from typing import Final

from der_client.dns_sd import found_uris
from der_client.errors import ExchangeError, RefusedError, UnreachableError
from der_client.identity import identity_of
from der_client.profiles import ClientProfile, version_of
from der_client.session import Session
from schemas import Codec

log = logging.getLogger(__name__)

WELL_KNOWN: Final = "/.well-known/csipaus"
HAS_NONE: Final = frozenset({400, 403, 404, 405, 406, 410, 501})
"""Answers of a server that knows nothing of versions: it is asked at its configured URI."""


class Entry:
    """Finds the server anew each time it is asked: the address of a server may change."""

    def __init__(self, session: Session, profile: ClientProfile) -> None:
        self._session = session
        self._profile = profile
        self._tried = 0

    async def find(self) -> str:
        """The URI to begin at; the session's codec is that of the version found there. ExchangeError."""
        uri = await self._address()
        self._session.base = uri
        if not self._profile.versions:
            return uri
        found = await self._version()
        if found is None:
            return uri
        self._session.base = found
        return found

    async def _address(self) -> str:
        """The configured URI; where it does not answer, or there is none, one by DNS-SD."""
        settings = self._session.settings
        self._tried += 1
        if not settings.dns_sd or (settings.uri and self._tried % 2):
            return settings.uri
        identity = identity_of(settings.certificate)
        uris = await found_uris(settings.dns_sd, identity.sfdi, settings.timeout_s)
        if not uris:
            raise UnreachableError("_smartenergy._tcp", "no server is announced by DNS-SD")
        log.info("found by DNS-SD: %s", uris[0])
        return uris[0]

    async def _version(self) -> str | None:
        """DeviceCapability of the best version that both sides have; None for a server without versions."""
        try:
            body = await self._session.read_plain(WELL_KNOWN, "application/json")
        except ExchangeError as error:
            if error.status not in HAS_NONE:
                raise
            log.info("the server has no %s: %s", WELL_KNOWN, error.detail)
            return None
        found = version_of(_parsed(body), self._profile.versions)
        if found is None:
            raise RefusedError(WELL_KNOWN, "the server has no version that this client speaks")
        version, path = found
        self._session.codec = Codec(version)
        log.info("%s at %s", version.name, path)
        return self._session.joined(path)


def _parsed(body: bytes) -> object:
    try:
        return json.loads(body)
    except ValueError:
        return None
