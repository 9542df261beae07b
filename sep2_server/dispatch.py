"""From requests to answers: one dispatch for every resource, driven by the declarations. No IO of its own.

A GET or HEAD is answered at once. A write is checked and decoded, and comes back as a `Work` to be run in the
store's writer. Real behaviour of single resources is in `hooks`.
"""

import re
from collections.abc import Sequence
from typing import Final

from function_sets import METHODS, Access, BadQueryError, ListQuery, Mark, Route, parse_query, readable_query
from schemas import File
from sep2_server.access import Viewer, Viewers, may_see_again, open_to_unknown
from sep2_server.bodies import value_of
from sep2_server.built import (
    BUILT_KINDS,
    capability_for_unknown,
    device_capability,
    time_at,
)
from sep2_server.documents import Documents, Draft, base_document
from sep2_server.environment import Environment
from sep2_server.errors import (
    BadRequest,
    Forbidden,
    NotAcceptable,
    NotAllowed,
    NotFound,
    RemoteError,
    UnknownMethod,
)
from sep2_server.extra_routes import ASSOCIATED, FILE_CONTENT
from sep2_server.feed import EVERYTHING
from sep2_server.files.fits import wanted_of
from sep2_server.files.stored import download_of
from sep2_server.kept import LARGE, Asked, Kept
from sep2_server.listing import Listing
from sep2_server.location import READING_KINDS, Target
from sep2_server.messages import Answer, Request, found
from sep2_server.negotiation import Form
from sep2_server.profiles import ServerProfile
from sep2_server.reader import Reader
from sep2_server.rows import BLOCKED, EVERYBODY, KIND_OF, OPTION, Change, Row
from sep2_server.run_time import run_time_of
from sep2_server.self_device import own_resource
from sep2_server.shelf import Recall, Shelf, access_token, tokens_of
from sep2_server.shown_items import Parts, ShownItems
from sep2_server.visibility import require_visible
from sep2_server.work import Work, method_at, shares_path

READS: Final = frozenset({"GET", "HEAD"})
WRITES: Final = frozenset({"PUT", "POST"})
LOADED: Final = frozenset({OPTION, BLOCKED, EVERYTHING.kind})
"""Kinds of changes after which options and blocked certificates are read again."""
_ALLOWED: Final[dict[str, tuple[str, ...]]] = {}
_POSITION: Final = re.compile("0|[1-9][0-9]{0,8}")
"""How the place of a Reading is written in its URI, and in no other way."""


class Dispatcher:
    """Answers requests from a reader, and keeps what it answered until it changes.

    Any thread may ask; one thread tells what has changed.
    """

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        settings = environment.settings
        self._recall = Recall()
        self._loads_due = self._loads = 0
        self._listing = Listing(environment, self._recall)
        self._kept: Shelf[tuple[str, str, int, str], Kept] = Shelf(
            settings.cached_answers, settings.cached_octets, self._recall
        )
        self._items = ShownItems(settings.cached_octets // 4, self._recall)
        self._documents = Documents(environment, self._listing, self._items)
        self._viewers = Viewers(settings.known_clients)
        self.run_time = run_time_of({}, environment)
        self._blocked: frozenset[str] = frozenset()
        self._asked = Asked(settings.cached_answers)
        self.hits = 0
        self.misses = 0

    @property
    def kept_octets(self) -> int:
        """Memory that the answers take which are kept, roughly."""
        return self._kept.octets + self._items.octets

    @property
    def is_load_due(self) -> bool:
        """Whether what was set at run time has changed since it was read."""
        return self._loads < self._loads_due

    def load(self, reader: Reader, rights: int | None = None) -> None:
        """Take over what was set at run time, and who is refused.

        `rights` is the last change of rights in the feed, at the start.
        """
        if rights is not None:
            self._viewers.start_at(rights)
        due = self._loads_due
        self.run_time = run_time_of(reader.options(), self.environment)
        self._documents.set_rates(self.run_time.poll_rates)
        self._blocked = frozenset(blocked.lfdi for blocked in reader.blocked())
        self._recall.hear_all()
        self._items.clear()
        self._kept.clear()
        self._loads = max(self._loads, due)

    def is_blocked(self, lfdi: str) -> bool:
        """Whether a certificate is refused, as far as it is known here."""
        return lfdi in self._blocked

    def changed(self, changes: Sequence[Change]) -> None:
        """Forget what a commit has made wrong."""
        kinds = set(map(KIND_OF, changes))
        tokens = tokens_of(changes)
        if EVERYTHING.kind in kinds:
            self._recall.hear_all()
            self._items.clear()
            self._kept.clear()
            self._listing.clear()
        else:
            self._recall.hear(tokens)
            self._kept.drop(tokens)
            self._items.drop(tokens)
            self._listing.drop(tokens)
        self._viewers.forget(changes)
        if not kinds.isdisjoint(LOADED):
            self._loads_due += 1

    def answer_at_once(self, request: Request) -> Answer | Work | None:
        """The answer that is kept, or the work that needs no reader to prepare; None for all others."""
        viewer = self._viewers.known(request.lfdi)
        if viewer is None or self.is_load_due or self.run_time.is_out or self.is_blocked(request.lfdi):
            return None
        try:
            if request.method in READS:
                return self._kept_for(request, viewer, self._form(request))
            return None if viewer.is_disabled else self._prepare_at_once(request, viewer)
        except RemoteError as flaw:
            return self.refusal(flaw, request.accept)

    def answer(self, reader: Reader, request: Request) -> Answer | Work:
        """The answer to a request, or the work that leads to it. RepairDue where time has changed a list."""
        if self.is_load_due:
            self.load(reader)
        reader.since = self._recall.now
        try:
            if self.is_blocked(request.lfdi):
                raise Forbidden(f"{request.lfdi} is blocked")
            if self.run_time.is_out:
                return self.environment.written(self.environment.failure, request.accept)
            if request.method in READS:
                return self._read(reader, request)
            return self._prepare(reader, request)
        except RemoteError as flaw:
            return self.refusal(flaw, request.accept)

    def refusal(self, flaw: RemoteError, accept: str | None = None) -> Answer:
        """The answer to a request that broke a rule, in a media type that the client accepts."""
        return self.environment.written(self.environment.refusal(flaw), accept)

    def _read(self, reader: Reader, request: Request) -> Answer:
        viewer = self._viewers.of(reader, request.lfdi)
        form = self._form(request)
        kept = self._kept_for(request, viewer, form)
        if kept is not None:
            return kept
        self.misses += 1
        with reader.snapshot():
            return self._render(reader, request, viewer, form)

    def _kept_for(self, request: Request, viewer: Viewer, form: Form) -> Answer | None:
        """The answer that is kept and right for this client, at this time."""
        kept = self._kept.get((request.path, request.query, EVERYBODY, form.key)) or self._kept.get(
            (request.path, request.query, viewer.scope, form.key)
        )
        if (
            kept is not None
            and kept.is_right(request.now, self._items.forgotten)
            and may_see_again(viewer, kept.route, kept.owner_id, kept.row, kept.speaker)
        ):
            self.hits += 1
            return kept.answer
        return None

    def _form(self, request: Request) -> Form:
        """The form that a client accepts. NotAcceptable for none of ours; octets of files have their own."""
        try:
            return self.environment.forms.of(request.accept)
        except NotAcceptable:
            place = self.environment.uris.find(request.path)
            if place is None or place.route.id != FILE_CONTENT:
                raise
            return self.environment.forms.plain

    def _render(self, reader: Reader, request: Request, viewer: Viewer, form: Form) -> Answer:
        target = self._find(reader, request, viewer)
        if target.route.id == FILE_CONTENT and target.row is not None:
            return download_of(self.environment, target.row, viewer.lfdi)
        rules = self.environment.rules
        query = _query_of(target.route, request.query, rules).capped(rules.list_limit)
        draft = Draft(reader, viewer, request.now)
        if target.route.item is File:
            draft.wanted = wanted_of(request.query)
        document = self.environment.mount.rendered(self._document(draft, target, query))
        if form.is_base:
            document = base_document(document)
        answer = found(form.codec.encode(document), target.route.id, form.codec.media_type)
        if target.row is not None or target.route.id in BUILT_KINDS or target.route.view_of:
            self._keep(request, draft, target, answer, form)
        return answer

    def _keep(self, request: Request, draft: Draft, target: Target, answer: Answer, form: Form) -> None:
        scope = draft.viewer.scope if draft.is_private else EVERYBODY
        key = (request.path, request.query, scope, form.key)
        if len(answer.body) > LARGE and not self._asked.again(key):
            return
        speaker = self._speaker(draft, target)
        parts = Parts(draft.items)
        kept = Kept(
            answer, target.route, target.owner_id, target.row, speaker, request.now, draft.until, parts
        )
        octets = kept.octets(draft.tokens) + len(request.path) + len(request.query)
        self._kept.put(key, kept, draft.tokens, octets, since=draft.reader.since)

    def _speaker(self, draft: Draft, target: Target) -> int | None:
        """EndDevice of the aggregator that is not the owner; who speaks for the owner is a token then."""
        owner_id = target.owner_id
        if target.route.access is not Access.OWNER or owner_id in {None, draft.viewer.scope}:
            return None
        draft.tokens.add(access_token(owner_id or EVERYBODY))
        return draft.viewer.scope

    def _document(self, draft: Draft, target: Target, query: ListQuery) -> bytes:
        route = target.route
        if route.id in BUILT_KINDS:
            return self._built(draft, target)
        if route.is_list:
            return self._documents.page(draft, target, query.start, query.limit, query.after)
        if route.id in READING_KINDS and target.above is not None:
            return self._reading(draft, target, target.above)
        if target.row is None:
            raise NotFound(target.href)
        if route.id == ASSOCIATED:
            return self._documents.associated(draft, target, target.row)
        return self._documents.resource(draft, target, target.row)

    def _built(self, draft: Draft, target: Target) -> bytes:
        if target.route.id == "Time":
            draft.until = draft.now + 1
            return self._documents.built(
                draft, target.route, time_at(self.environment, draft.now, quality=self.run_time.time_quality)
            )
        if target.route.id != "DeviceCapability":
            own = own_resource(self.environment, target.route.id)
            if own is None:
                raise NotFound(target.href)
            return self._documents.built(draft, target.route, own)
        draft.is_private = True
        if draft.viewer.client is None:
            capability = capability_for_unknown(self.environment, self._open_to(draft.viewer))
            return self._documents.built(draft, target.route, capability)
        capability = device_capability(self.environment, has_room=self._has_room(draft))
        return self._documents.built(draft, target.route, capability)

    def _has_room(self, draft: Draft) -> bool:
        """Whether the client may add one more MirrorUsagePoint. IEEE 2030.5-2018, 10.11."""
        if self.environment.rules.full_mirror_link:
            return True
        limit = self.environment.settings.mirror_usage_points_per_device
        mirrors = self._documents.count(draft, self.environment.uris.of("MirrorUsagePointList"))
        return mirrors < limit or (draft.viewer.is_aggregator and limit > 0)

    def _reading(self, draft: Draft, target: Target, reading_set: Row) -> bytes:
        position = target.place.parts[-1]
        is_position = _POSITION.fullmatch(position)
        reading = draft.reader.reading(reading_set.id, int(position)) if is_position else None
        if reading is None:
            raise NotFound(target.href)
        return self.environment.codec.document(reading.body)

    def _prepare(self, reader: Reader, request: Request) -> Work:
        if request.method not in METHODS:
            raise UnknownMethod(request.method[:20])
        rights = self._viewers.as_of
        viewer = self._viewers.of(reader, request.lfdi)
        if viewer.is_disabled:
            raise Forbidden(f"{request.lfdi} is disabled")
        target = self._find(reader, request, viewer)
        value = None if request.method == "DELETE" else value_of(self.environment, request, target.route)
        return Work(self.environment, request, value, viewer, rights)

    def _prepare_at_once(self, request: Request, viewer: Viewer) -> Work | None:
        """A write whose body is good at a URI that stands for one kind: all else is seen in the transaction.

        None where anything is wrong, so that what may be told of it is found out first.
        """
        place = self.environment.uris.find(request.path)
        if place is None or request.method not in WRITES or shares_path(place.route.id):
            return None
        if place.route.id not in self.environment.offered_kinds:
            return None
        rights = self._viewers.as_of
        try:
            require_allowed(self.environment, place.route, request.method)
            value = value_of(self.environment, request, place.route)
        except RemoteError:
            return None
        return Work(self.environment, request, value, viewer, rights)

    def _find(self, reader: Reader, request: Request, viewer: Viewer) -> Target:
        """What a request is about, if its method is allowed there and the client may know of it."""
        target = self._listing.known.target(reader, self.environment.uris, request.path)
        if target is None or target.route.id not in self.environment.offered_kinds:
            self._require_client(viewer)
            raise NotFound(request.path)
        if viewer.client is None:
            self._require_open(viewer, target.route, request.method)
        require_allowed(self.environment, target.route, request.method)
        require_visible(reader, self.environment, viewer, target)
        return target

    def _require_client(self, viewer: Viewer) -> None:
        if viewer.client is None:
            self._refuse_unknown(f"{viewer.lfdi} is not enrolled")

    def _require_open(self, viewer: Viewer, route: Route, method: str) -> None:
        """Refuse a client that is not enrolled, but where it may look or register in-band."""
        may_post = self.run_time.in_band_registration and bool(viewer.lfdi)
        is_registration = may_post and (method, route.id) == ("POST", "EndDeviceList")
        is_open = method in READS and route.id in self._open_to(viewer)
        if not is_registration and not is_open:
            self._refuse_unknown("the client is not enrolled")

    def _open_to(self, viewer: Viewer) -> frozenset[str]:
        """Ids of what a client may read that is not enrolled."""
        in_band = self.run_time.in_band_registration
        return open_to_unknown(self.environment.rules, has_certificate=bool(viewer.lfdi), in_band=in_band)

    def _refuse_unknown(self, text: str) -> None:
        """Raise what the profile has for clients that are not enrolled."""
        raise NotFound(text) if self.environment.rules.unknown_client == "404" else Forbidden(text)


def allowed_methods(route: Route) -> tuple[str, ...]:
    """The methods that clients may use at a resource, in the order of the standard.

    What the standard advises against is not among them: clients host their own Notifications.
    """
    known = _ALLOWED.get(route.id)
    if known is None:
        known = _ALLOWED[route.id] = tuple(method for method in METHODS if _is_open(route, method))
    return known


def _is_open(route: Route, method: str) -> bool:
    if method in READS:
        return route.methods[method] in {Mark.MUST, Mark.MAY}
    return route.methods[method] is not Mark.ERROR and method in route.writes


def require_allowed(environment: Environment, route: Route, method: str) -> None:
    """Raise NotAllowed, or UnknownMethod for one that the standard allows and this server has not."""
    allow = allowed_methods(route)
    if method_at(environment, method, route) in allow:
        return
    is_error = method not in METHODS or route.methods[method] is Mark.ERROR
    if is_error or environment.rules.unimplemented_status == NotAllowed.status:
        raise NotAllowed(f"{method} at {route.id}", allow)
    raise UnknownMethod(f"{method} at {route.id}")


def _query_of(route: Route, query: str, rules: ServerProfile) -> ListQuery:
    """The query of a list; other resources have none, whatever is asked."""
    try:
        return parse_query(query) if route.is_list else ListQuery()
    except BadQueryError as flaw:
        if rules.bad_query == "ignore":
            return readable_query(query)
        raise BadRequest(str(flaw)) from flaw
