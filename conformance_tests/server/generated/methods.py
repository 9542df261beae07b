"""Each resource with each method: what annex A marks against what the server answers.

No probe changes the server for longer than its case: PUT sends what was read, POST sends a resource that is
deleted again or a body that must be refused, DELETE takes away what was posted for it. Whether a method that
cannot be undone is there is read from the Allow header of a method that must be refused.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from conformance_tests.case import ALL_PROFILES, AnyCase, Case, Level, Role
from conformance_tests.judge import Judge
from conformance_tests.server.generated.notifying import judged, posted, status_of
from conformance_tests.server.generated.specimens import CREATED, DONE, REMOVED, SPECIMENS, known_of
from conformance_tests.server.generated.survey import Found, found, survey_of
from conformance_tests.sources import STANDARD
from function_sets import METHODS, ROUTES, Mark, Route
from schemas import MEDIA_TYPE, wire_name

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from conformance_tests.evidence import Exchange
    from conformance_tests.server.bench import ServerBench
    from conformance_tests.trial import Trial

CLAUSE: Final = "annex A"
REFUSED: Final = frozenset({400, 405})
UNSUPPORTED: Final = frozenset({405, 501})
NOBODYS: Final = b'<Nothing xmlns="urn:ieee:std:2030.5:ns"/>'
"""A body that is no resource of the standard: where POST is supported it is refused with 400."""
REPORTS: Final = frozenset({"DERSettings", "DERStatus", "DERAvailability", "DERCapability"})
"""What CSIP-AUS lets clients POST beside the marks."""
_MARKS: Final = {
    Mark.MUST: "{method} at {id} works",
    Mark.MAY: "{method} at {id} works, or is refused with 405 or 501",
    Mark.DISCOURAGED: "{method} at {id} should not be supported",
    Mark.ERROR: "{method} at {id} is refused with 400, or 405 and the methods that are allowed",
}


async def _get(bench: ServerBench, route: Route) -> None:
    mark = route.methods["GET"]
    seen = await found(bench, route, others=frozenset() if mark is Mark.MUST else UNSUPPORTED)
    if seen.exchange.status != 200:
        _check_unsupported(bench.trial, route, "GET", seen.exchange)
        return
    root = Judge().judge(seen.exchange.body).root
    wanted = wire_name(route.type)
    bench.trial.check(root == wanted, f"GET answers with a {wanted}", seen=root or "no XML")


async def _head(bench: ServerBench, route: Route) -> None:
    seen = await found(bench, route)
    head = await seen.viewer.send("HEAD", seen.href, headers={"Accept": MEDIA_TYPE})
    if route.methods["HEAD"] is not Mark.MUST and head.status in UNSUPPORTED:
        _check_unsupported(bench.trial, route, "HEAD", head)
        return
    bench.trial.check(head.status == 200, f"HEAD of a {route.id} answers 200", seen=head.status)
    bench.trial.check(not head.body, "an answer to HEAD has no body", seen=f"{len(head.body)} octets")


async def _put(bench: ServerBench, route: Route) -> None:
    if f"{route.id}List" in SPECIMENS and route.methods["PUT"] is Mark.MUST:
        await _put_specimen(bench, route)
        return
    seen = await found(bench, route)
    bench.trial.note("probe: PUT of what was read, which changes nothing")
    answer = await _send(seen, "PUT", seen.exchange.body)
    _judge(bench.trial, route, "PUT", answer)
    if route.methods["PUT"] is Mark.MUST:
        again = await seen.viewer.get(seen.href)
        bench.trial.check(again.status == 200, "it can be read after the PUT", seen=again.status)


async def _put_specimen(bench: ServerBench, route: Route) -> None:
    """PUT of what was read of a resource that is posted for it and deleted again."""
    listed = await found(bench, ROUTES[f"{route.id}List"])
    known = await known_of(bench, listed.viewer, await survey_of(bench, listed.viewer))
    bench.trial.note(f"probe: POST of a {route.id}, PUT of what was read of it, DELETE")
    async with posted(bench, listed.viewer, listed.href, SPECIMENS[f"{route.id}List"](known)) as answer:
        location = _location(bench, route, answer)
        read = await listed.viewer.get(location)
        bench.trial.require(read.status == 200, "what was posted can be read", seen=read.status)
        there = Found(viewer=listed.viewer, href=location, exchange=read)
        _judge(bench.trial, route, "PUT", await _send(there, "PUT", read.body))


async def _post(bench: ServerBench, route: Route) -> None:
    mark = route.methods["POST"]
    seen = await found(bench, route)
    if mark is Mark.MUST and route.id in SPECIMENS:
        await _post_specimen(bench, route, seen)
    elif mark is Mark.MUST:
        bench.trial.note("probe: POST of a body that is no resource of the standard")
        answer = await _send(seen, "POST", NOBODYS)
        what = "POST is supported: a body that is no resource is refused with 400"
        bench.trial.check(answer.status == 400, what, seen=answer.status)
    elif mark is Mark.MAY:
        bench.trial.note("probe: POST of a body that is no resource of the standard")
        answer = await _send(seen, "POST", NOBODYS)
        what = "POST is supported (400, 403) or not (405, 501), and never stores such a body"
        bench.trial.check(answer.status in {400, 403, 405, 415, 422, 501}, what, seen=answer.status)
        _check_allow(bench.trial, route, "POST", answer)
    else:
        await _post_again(bench, route, seen)


async def _post_specimen(bench: ServerBench, route: Route, seen: Found) -> None:
    known = await known_of(bench, seen.viewer, await survey_of(bench, seen.viewer))
    bench.trial.note("probe: POST of a valid resource, which is deleted again")
    before = await _held(route, seen)
    async with posted(bench, seen.viewer, seen.href, SPECIMENS[route.id](known)) as answer:
        location = _location(bench, route, answer)
        is_known = before is None or seen.viewer.uri(location) in before
        what = "a resource that is new is answered 201 (200 and 204 are for one that is known)"
        bench.trial.check(answer.status == CREATED or is_known, what, seen=answer.status)
        if ROUTES[route.id.removesuffix("List")].methods["GET"] is Mark.MUST:
            there = await seen.viewer.get(location)
            what = "what was posted is where Location says"
            bench.trial.check(there.status == 200, what, seen=there.status)


async def _held(route: Route, seen: Found) -> frozenset[str] | None:
    """The URIs of all items of a list; None where it need not be readable."""
    if route.methods["GET"] is not Mark.MUST or route.item is None:
        return None
    items: Sequence[Any] = await seen.viewer.items(seen.href, route.type, route.item)
    return frozenset(seen.viewer.uri(one.href) for one in items if one.href)


async def _post_again(bench: ServerBench, route: Route, seen: Found) -> None:
    """POST of what is there already: an item of the list, or the resource itself."""
    value: object = None
    if route.is_list:
        items: Sequence[object] = await seen.viewer.items(seen.href, route.type, route.item or object)
        value = items[0] if items else None
    bench.trial.note("probe: POST of what is there already; it is deleted if it is taken")
    if value is None:
        _judge(bench.trial, route, "POST", await _send(seen, "POST", seen.exchange.body))
        return
    async with posted(bench, seen.viewer, seen.href, value) as answer:
        _judge(bench.trial, route, "POST", answer)


async def _delete(bench: ServerBench, route: Route) -> None:
    mark = route.methods["DELETE"]
    if mark is Mark.MUST:
        await _delete_specimen(bench, route)
    elif mark is Mark.ERROR:
        seen = await found(bench, route)
        _judge(bench.trial, route, "DELETE", await seen.viewer.delete(seen.href))
        again = await seen.viewer.get(seen.href)
        bench.trial.check(again.status == 200, "it is there after the refused DELETE", seen=again.status)
    else:
        await _delete_by_allow(bench, route)


async def _delete_specimen(bench: ServerBench, route: Route) -> None:
    listed = await found(bench, ROUTES[f"{route.id}List"])
    known = await known_of(bench, listed.viewer, await survey_of(bench, listed.viewer))
    bench.trial.note(f"probe: POST of a {route.id}, and DELETE of it")
    wish = SPECIMENS[f"{route.id}List"](known)
    answer = await judged(bench, listed.viewer, listed.href, wish)
    location = _location(bench, route, answer)
    gone = await listed.viewer.delete(location)
    bench.trial.check(gone.status in REMOVED, "DELETE answers 200 or 204", seen=gone.status)
    after = await listed.viewer.get(location)
    bench.trial.check(after.status in {404, 410}, "what was deleted is gone (404)", seen=after.status)


async def _delete_by_allow(bench: ServerBench, route: Route) -> None:
    refused = next((m for m in ("POST", "PUT") if route.methods[m] is Mark.ERROR), None)
    if refused is None:
        bench.trial.skip(
            "DELETE cannot be undone, and no other method must be refused whose Allow would tell"
        )
    seen = await found(bench, route)
    bench.trial.note(f"probe: a {refused}, which must be refused, and its Allow; DELETE cannot be undone")
    allow = allowed(await _send(seen, refused or "", seen.exchange.body))
    if allow is None:
        bench.trial.skip(f"DELETE cannot be undone, and a refused {refused} did not tell what is allowed")
    shown = ", ".join(sorted(allow or ()))
    if route.methods["DELETE"] is Mark.DISCOURAGED:
        bench.trial.check("DELETE" not in (allow or ()), "DELETE should not be supported", seen=shown)
    else:
        bench.trial.check(held=True, what="DELETE may be supported or not: Allow tells", seen=shown)


_PROBES: Final[dict[str, Callable[[ServerBench, Route], Awaitable[None]]]] = {
    "GET": _get,
    "HEAD": _head,
    "PUT": _put,
    "POST": _post,
    "DELETE": _delete,
}


async def _run(bench: ServerBench, route: Route, method: str) -> None:
    await _PROBES[method](bench, route)


async def _send(seen: Found, method: str, body: bytes) -> Exchange:
    headers = {"Content-Type": MEDIA_TYPE, "Accept": MEDIA_TYPE}
    return await seen.viewer.send(method, seen.href, body, headers)


def _location(bench: ServerBench, route: Route, answer: Exchange) -> str:
    """Where what was posted is; the case ends where it was not taken."""
    what = f"a valid resource that is posted is taken (201, or 200 or 204 for a known one) at {route.id}"
    bench.trial.require(answer.status in DONE, what, seen=status_of(bench, answer))
    location = answer.header("Location")
    bench.trial.require(location, "the answer to POST has a Location", seen="none")
    return location or ""


def _judge(trial: Trial, route: Route, method: str, answer: Exchange) -> None:
    """Hold the status of an answer against the mark of the method."""
    mark, status = route.methods[method], answer.status
    what = _MARKS[mark].format(method=method, id=route.id)
    if mark is Mark.MUST:
        trial.check(status in DONE, what, seen=status)
    elif mark is Mark.MAY:
        trial.check(status in DONE | UNSUPPORTED | {403}, what, seen=status)
    elif mark is Mark.DISCOURAGED:
        trial.check(status not in DONE, what, seen=status, level=Level.SHOULD)
        trial.check(
            status in DONE | REFUSED | {403, 501}, f"{method} is refused with 4xx or 501", seen=status
        )
    else:
        trial.check(status in REFUSED, what, seen=status)
    _check_allow(trial, route, method, answer)


def _check_unsupported(trial: Trial, route: Route, method: str, answer: Exchange) -> None:
    trial.check(answer.status in UNSUPPORTED, f"{method} is refused with 405 or 501", seen=answer.status)
    _check_allow(trial, route, method, answer)


def allowed(answer: Exchange) -> frozenset[str] | None:
    """The methods in the Allow header of an answer 405; None for any other."""
    allow = answer.header("Allow")
    if answer.status != 405 or allow is None:
        return None
    return frozenset(name.strip() for name in allow.split(",") if name.strip())


def _check_allow(trial: Trial, route: Route, method: str, answer: Exchange) -> None:
    """Hold the Allow header of an answer 405 against the marks. RFC 9110, 15.5.6."""
    if answer.status != 405:
        return
    allow = allowed(answer)
    if not trial.check(
        allow is not None, "an answer 405 has an Allow header", seen="none", clause="RFC 9110"
    ):
        return
    names, shown = allow or frozenset(), answer.header("Allow")
    beside = {"POST"} if route.id in REPORTS else set()
    musts = {name for name in METHODS if route.methods[name] is Mark.MUST}
    errors = {name for name in METHODS if route.methods[name] is Mark.ERROR} - beside
    trial.check(method not in names, f"Allow does not name {method}, which was refused", seen=shown)
    trial.check(musts <= names, f"Allow names {', '.join(sorted(musts)) or 'nothing'} (must)", seen=shown)
    trial.check(not errors & names, f"Allow names none of {', '.join(sorted(errors))} (error)", seen=shown)


def _case(route: Route, method: str) -> AnyCase:
    mark = route.methods[method]
    aus = method == "POST" and route.id in REPORTS
    return Case(
        id=f"methods/{route.id}-{method}/server",
        title=f"{method} at {route.id} (mark {mark.value})",
        source=STANDARD,
        clause=CLAUSE,
        requirement=_MARKS[mark].format(method=method, id=route.id),
        role=Role.SERVER,
        procedure=partial(_run, route=route, method=method),
        level=Level.SHOULD if mark is Mark.DISCOURAGED else Level.MUST,
        profiles=ALL_PROFILES - {"csip_aus"} if aus else ALL_PROFILES,
        lasts_s=0.02,
    )


CASES: Final[tuple[AnyCase, ...]] = tuple(
    _case(route, method) for route in ROUTES.values() for method in METHODS
)
