"""What every rule of the server works with: settings, codec and URIs. Values, no IO."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, Protocol, Self

from function_sets import FUNCTION_SETS, Route
from schemas import Codec, Error, TariffProfile, spec_of, wire_name
from schemas.codes import ErrorReason
from schemas.csip_aus import COMBINED_LINK
from sep2_server.body_codecs import XML, XML_ALONE, BodyCodecs
from sep2_server.errors import NotAllowed, NotSatisfiable, RemoteError
from sep2_server.extra_routes import COMBINED_INTERVALS, CONNECTION_POINT, EXTRA_ROUTES, GROUP_LISTS
from sep2_server.fragments import Fragments
from sep2_server.messages import CONTENT_TYPE, Answer
from sep2_server.mounts import Mount
from sep2_server.negotiation import Forms
from sep2_server.profiles import ServerProfile
from sep2_server.settings import Settings
from sep2_server.uris import Uris

_HEADS: Final = {
    "bill": "CustomerAccount",
    "file": "File",
    "sdev": "SelfDevice",
    "tp": "TariffProfile",
    "upt": "UsagePoint",
}
"""The resource at the first segment of a path, EndDevice apart."""


class Own(Protocol):
    """The certificate of a server, which may be another one tomorrow."""

    @property
    def lfdi(self) -> str:
        """Its LFDI."""
        ...


@dataclass(frozen=True, kw_only=True)
class Environment:
    """Settings of one server and what follows from them; `own` is its certificate, as it is at the time.

    `codec` is that of what is stored, `mount` the profile at whose path a client is served.
    """

    settings: Settings
    codec: Codec
    uris: Uris
    mount: Mount
    own: Own | None = None
    started: int = 0
    """When the server was started, s since 1970 UTC by its own clock."""
    codecs: BodyCodecs = XML_ALONE

    @classmethod
    def of(
        cls,
        settings: Settings,
        own: Own | None = None,
        started: int = 0,
        codecs: BodyCodecs = XML_ALONE,
    ) -> Self:
        """The environment that settings describe, for clients of the profile at the root."""
        codec = Codec(settings.store_profile)
        mount = Mount(codec, rules=settings.profile)
        return cls(
            settings=settings,
            codec=codec,
            uris=Uris(settings.uri_salt),
            mount=mount,
            own=own,
            started=started,
            codecs=codecs,
        )

    def mounted(self) -> dict[str, Self]:
        """The environments of the other profiles, by the path before their URIs."""
        return {
            prefix: replace(self, mount=Mount(self.codec, prefix, rules))
            for prefix, rules in self.settings.mounts.items()
        }

    @property
    def lfdi(self) -> str | None:
        """LFDI of the certificate presented now, None where there is none. IEEE 2030.5-2018, 6.3.4."""
        return None if self.own is None else self.own.lfdi

    @property
    def rules(self) -> ServerProfile:
        """What the profile decides."""
        return self.mount.rules

    @cached_property
    def offered_kinds(self) -> frozenset[str]:
        """Ids of the routes that are served: those of function sets that are switched on."""
        kinds = {
            route.id for one in FUNCTION_SETS if one.code in self.rules.function_sets for route in one.routes
        }
        kinds |= {kind for kind, route in EXTRA_ROUTES.items() if _home_of(route) in kinds}
        if CONNECTION_POINT not in self.rules.xml.additions:
            kinds.discard(CONNECTION_POINT)
        tariff = self.rules.xml.resolve(TariffProfile)
        if not any(f.name == COMBINED_LINK for f in spec_of(tariff)):
            kinds.discard(COMBINED_INTERVALS)
        return frozenset(kinds)

    def refusal(self, flaw: RemoteError) -> Answer:
        """The answer to a request that broke a rule. IEEE 2030.5-2018, 4.6."""
        headers = [CONTENT_TYPE]
        if isinstance(flaw, NotSatisfiable):
            headers.append(("Content-Range", f"bytes */{flaw.size}"))
        if flaw.allow or flaw.status == NotAllowed.status:
            headers.append(("Allow", ", ".join(flaw.allow)))
        if flaw.retry_s is None:
            return Answer(flaw.status, tuple(headers), self._error_bodies[flaw.reason])
        headers.append(("Retry-After", str(flaw.retry_s)))
        body = self.mount.codec.encode(Error(reasonCode=flaw.reason, maxRetryDuration=flaw.retry_s))
        return Answer(flaw.status, tuple(headers), body)

    @cached_property
    def forms(self) -> Forms:
        """The forms that clients of this mount can be answered in."""
        return Forms(self.codecs, has_extensions=bool(self.mount.codec.profile.extension_namespace))

    def written(self, answer: Answer, accept: str | None) -> Answer:
        """An answer with an Error in a media type that the client accepts; XML where it accepts none."""
        codec = self.forms.of_error(accept).codec
        if codec is XML or not answer.body:
            return answer
        headers = tuple((n, codec.media_type if n == CONTENT_TYPE[0] else v) for n, v in answer.headers)
        return replace(answer, headers=headers, body=codec.encode(answer.body))

    @cached_property
    def fragments(self) -> Fragments:
        """What readings bring, encoded."""
        return Fragments(self.codec)

    @cached_property
    def failure(self) -> Answer:
        """The answer when the server itself is at fault: no word of why."""
        return Answer(500, (CONTENT_TYPE,), self._error_bodies[ErrorReason.INVALID_VALUES])

    @cached_property
    def _error_bodies(self) -> dict[int, bytes]:
        return {code: self.mount.codec.encode(Error(reasonCode=code)) for code in ErrorReason}


def _home_of(route: Route) -> str:
    """Id of the resource of the standard that a resource beside it goes with."""
    if route.id in GROUP_LISTS:
        return wire_name(route.type)
    return _HEADS.get(route.path.split("/")[1], "EndDevice")
