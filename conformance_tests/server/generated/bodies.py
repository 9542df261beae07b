"""Every body that the server sends: its schema, its content type, its negotiation, and the answer to HEAD."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from conformance_tests.case import AnyCase, Case, Level, Role
from conformance_tests.server.generated.laws import broken, links
from conformance_tests.server.generated.notifying import judged
from conformance_tests.server.generated.specimens import SPECIMENS, known_of
from conformance_tests.server.generated.survey import HOSTED_BY_CLIENTS, found, survey_of, viewers
from conformance_tests.server.judged import check_valid, judge_of
from conformance_tests.sources import STANDARD
from function_sets import ROUTES, Mark, Route
from schemas import MEDIA_TYPE, Codec, Malformed, wire_name

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from conformance_tests.evidence import Exchange
    from conformance_tests.server.bench import ServerBench, Viewer

MOST_JUDGED: Final = 6
"""Resources of one kind whose bodies are judged in a case, for each identity."""
PAGE: Final = 255
EXI: Final = "application/sep-exi"
NOTHING: Final = b'<Nothing xmlns="urn:ieee:std:2030.5:ns"/>'
BROKEN: Final = b"<DERStatus"
BOMB: Final = b'<!DOCTYPE a [<!ENTITY b "c">]><DERStatus xmlns="urn:ieee:std:2030.5:ns">&b;</DERStatus>'
_SAME: Final = ("Content-Type", "Content-Length", "Allow", "Location")
"""Headers that HEAD and GET have in common."""


async def _bodies(bench: ServerBench, route: Route) -> None:
    """All bodies of one kind are judged, as each identity sees them."""
    seen = 0
    for viewer in viewers(bench):
        for href in (await survey_of(bench, viewer)).bodies_of(route.id)[:MOST_JUDGED]:
            answer = await viewer.get(href, l=PAGE) if route.is_list else await viewer.get(href)
            if answer.status == 200:
                seen += 1
                _check(bench, answer, wire_name(route.type))
                await _laws(bench, viewer, answer, counts=seen == 1)
    if not seen:
        bench.trial.skip(
            f"the server offers no {route.id} to these certificates: nothing leads to one that is there"
        )


def _check(bench: ServerBench, answer: Exchange, root: str) -> None:
    judgement = judge_of(bench).judge(answer.body, answer.header("Content-Type") or "")
    bench.trial.check(judgement.root == root, f"the body is a {root}", seen=judgement.root or "no XML")
    check_valid(bench.trial, judgement, answer.uri)


async def _laws(bench: ServerBench, viewer: Viewer, answer: Exchange, *, counts: bool) -> None:
    """What no schema holds; with `counts` the lists that are linked are counted too."""
    try:
        value = Codec(viewer.profile).decode_any(answer.body)
    except Malformed:
        return
    flaws = list(broken(value))
    bench.trial.check(not flaws, "check digits are right; links to lists have `all`", seen="; ".join(flaws))
    for link in links(value, answer.uri) if counts else ():
        shown = await viewer.get(link.href, l=0)
        listed = _all(viewer, shown)
        if listed is not None and link.all is not None:
            what = f"the link to {link.href} tells how many items are there"
            bench.trial.check(link.all == listed, what, seen=f"{link.all}, there are {listed}")


def _all(viewer: Viewer, answer: Exchange) -> int | None:
    """How many items a list has, None for what is no list or is not there."""
    try:
        value = Codec(viewer.profile).decode_any(answer.body) if answer.status == 200 else None
    except Malformed:
        return None
    count: int | None = getattr(value, "all", None)
    return count


async def _head(bench: ServerBench, route: Route) -> None:
    """HEAD has the status and headers of GET, and no body; the connection is good after it."""
    seen = await found(bench, route)
    head = await seen.viewer.send("HEAD", seen.href, headers={"Accept": MEDIA_TYPE})
    if route.methods["HEAD"] is not Mark.MUST and head.status in {405, 501}:
        bench.trial.skip("HEAD is optional here, and not supported")
    again = await seen.viewer.get(seen.href)
    bench.trial.check(head.status == again.status, "HEAD has the status of GET", seen=head.status)
    for name in _SAME:
        pair = head.header(name), again.header(name)
        omits = name == "Content-Length" and pair[0] is None
        bench.trial.check(omits or pair[0] == pair[1], f"HEAD has the {name} of GET", seen=pair)


def _is_error(bench: ServerBench, answer: Exchange) -> None:
    """A body of an error, where there is one, is an Error."""
    if answer.body:
        _check(bench, answer, "Error")
    else:
        bench.trial.check(held=True, what="an error needs no body", seen="none")


async def _refused(bench: ServerBench, body: bytes, media: str, statuses: frozenset[int], what: str) -> None:
    """A body that must be refused, posted where a device may post."""
    for list_id in ("LogEventList", "SubscriptionList", "MirrorUsagePointList"):
        hrefs = (await survey_of(bench, bench.device)).places.get(list_id, ())
        if hrefs:
            headers = {"Content-Type": media, "Accept": MEDIA_TYPE} if media else {"Accept": MEDIA_TYPE}
            answer = await bench.device.send("POST", hrefs[0], body, headers)
            bench.trial.check(answer.status in statuses, what, seen=answer.status)
            _is_error(bench, answer)
            return
    bench.trial.skip(
        "this device may post nothing: it has no LogEventList, SubscriptionList or MirrorUsagePointList"
    )


async def _gone(bench: ServerBench) -> None:
    """404 for what was there and is deleted: no URI is made up."""
    viewer = bench.device
    survey = await survey_of(bench, viewer)
    for list_id in ("LogEventList", "MirrorUsagePointList", "SubscriptionList"):
        hrefs = survey.places.get(list_id, ())
        if hrefs:
            wish = SPECIMENS[list_id](await known_of(bench, viewer, survey))
            made = await judged(bench, viewer, hrefs[0], wish)
            location = made.header("Location")
            bench.trial.require(location, "a resource that is posted has a Location", seen=made.status)
            await viewer.delete(location or "")
            answer = await viewer.get(location or "")
            bench.trial.check(answer.status in {404, 410}, "what is gone answers 404", seen=answer.status)
            _is_error(bench, answer)
            return
    bench.trial.skip("this device may post nothing that it could delete")


async def _not_allowed(bench: ServerBench) -> None:
    answer = await bench.device.send("DELETE", bench.dcap, headers={"Accept": MEDIA_TYPE})
    bench.trial.check(
        answer.status in {400, 405}, "DELETE of the DeviceCapability is refused", seen=answer.status
    )
    _is_error(bench, answer)


async def _unknown_method(bench: ServerBench) -> None:
    answer = await bench.device.send("FOO", bench.dcap, headers={"Accept": MEDIA_TYPE})
    bench.trial.check(answer.status in {501, 405, 400}, "an unknown method is refused", seen=answer.status)
    what = "an unknown method answers 501"
    bench.trial.check(answer.status == 501, what, seen=answer.status, level=Level.SHOULD)
    _is_error(bench, answer)


async def _accepted(bench: ServerBench, accept: str | None, *, wanted: str = MEDIA_TYPE) -> None:
    """The DeviceCapability comes in a type that is accepted."""
    answer = await bench.device.send("GET", bench.dcap, headers={} if accept is None else {"Accept": accept})
    bench.trial.require(answer.status == 200, f"Accept {accept}: the answer is 200", seen=answer.status)
    media = (answer.header("Content-Type") or "").partition(";")[0].strip()
    bench.trial.check(media == wanted, f"it comes as {wanted}", seen=media)
    _check(bench, answer, "DeviceCapability")


async def _either(bench: ServerBench) -> None:
    """EXI is for who has it: 406 of who has not."""
    answer = await bench.device.send("GET", bench.dcap, headers={"Accept": EXI})
    media = (answer.header("Content-Type") or "").partition(";")[0].strip()
    served = answer.status == 200 and media == EXI
    bench.trial.check(
        served or answer.status == 406, f"{EXI} is served, or 406", seen=f"{answer.status} {media}"
    )
    if answer.status == 406:
        _is_error(bench, answer)


async def _not_acceptable(bench: ServerBench, accept: str) -> None:
    answer = await bench.device.send("GET", bench.dcap, headers={"Accept": accept})
    bench.trial.check(answer.status == 406, f"Accept {accept}: the answer is 406", seen=answer.status)
    _is_error(bench, answer)


async def _base_level(bench: ServerBench) -> None:
    """Who accepts level -S1 gets no extension."""
    survey = await survey_of(bench, bench.device)
    looked = 0
    for route_id in (
        "EndDevice",
        "EndDeviceList",
        "DERCapability",
        "DERSettings",
        "DERControlList",
        "TariffProfile",
    ):
        for href in survey.places.get(route_id, ())[:2]:
            headers = {"Accept": f"{MEDIA_TYPE};level=-S1"}
            answer = await bench.device.send("GET", href, headers=headers)
            if answer.status == 200:
                looked += 1
                judgement = judge_of(bench).judge(answer.body, answer.header("Content-Type") or "")
                seen = ", ".join(judgement.extensions[:3])
                bench.trial.check(not seen, f"level -S1: {route_id} comes without extensions", seen=seen)
    if not looked:
        bench.trial.skip("nothing that this device sees could hold an extension")


_REFUSALS: Final = {
    "error-not-xml": (
        BROKEN,
        MEDIA_TYPE,
        frozenset({400}),
        "a body that is not well-formed is refused with 400",
    ),
    "error-empty": (b"", MEDIA_TYPE, frozenset({400}), "an empty body is refused with 400"),
    "error-entities": (
        BOMB,
        MEDIA_TYPE,
        frozenset({400}),
        "a body with a DTD and entities is refused with 400",
    ),
    "error-unknown-type": (
        NOTHING,
        MEDIA_TYPE,
        frozenset({400}),
        "a body of an unknown type is refused with 400",
    ),
    "error-media-type": (
        b"x",
        "text/plain",
        frozenset({400, 415}),
        "a body of another media type is refused with 415",
    ),
    "error-json": (b"{}", "application/json", frozenset({400, 415}), "a body of JSON is refused with 415"),
}
_OTHERS: Final[dict[str, tuple[Callable[[ServerBench], Awaitable[None]], str, Level]]] = {
    "accept-any": (partial(_accepted, accept="*/*"), "who accepts everything gets XML or EXI", Level.MUST),
    "accept-base-level": (_base_level, "who accepts level -S1 is sent no extension", Level.MUST),
    "accept-exi": (_either, "EXI is served, or refused with 406", Level.MUST),
    "accept-extended-level": (
        partial(_accepted, accept=f"{MEDIA_TYPE};level=+S1"),
        "who accepts level +S1 is answered",
        Level.MUST,
    ),
    "accept-first-of-two": (
        partial(_accepted, accept=f"text/html, {MEDIA_TYPE};q=0.5"),
        "of several types one that the server has is taken",
        Level.MUST,
    ),
    "accept-html": (partial(_not_acceptable, accept="text/html"), "no acceptable type: 406", Level.SHOULD),
    "accept-nothing": (
        partial(_not_acceptable, accept=f"{MEDIA_TYPE};q=0, {EXI};q=0"),
        "types of quality 0 are not acceptable: 406",
        Level.SHOULD,
    ),
    "accept-unsaid": (
        partial(_accepted, accept=None),
        "without Accept the server answers in XML",
        Level.SHOULD,
    ),
    "error-gone": (_gone, "what is gone answers 404", Level.MUST),
    "error-not-allowed": (_not_allowed, "the body of a 405 is an Error", Level.MUST),
    "error-unknown-method": (_unknown_method, "an unknown method is refused with 501", Level.MUST),
}


def _case(
    name: str,
    requirement: str,
    procedure: Callable[[ServerBench], Awaitable[None]],
    clause: str,
    level: Level,
) -> AnyCase:
    return Case(
        id=f"bodies/{name}/server",
        title=name.replace("-", " "),
        source=STANDARD,
        clause=clause,
        requirement=requirement,
        role=Role.SERVER,
        procedure=procedure,
        level=level,
        lasts_s=0.03,
    )


def _cases_of(route: Route) -> tuple[AnyCase, AnyCase]:
    valid = f"every {route.id} is valid by the schema and comes as {MEDIA_TYPE}"
    same = f"HEAD of a {route.id} has the headers of GET and no body"
    return (
        _case(route.id, valid, partial(_bodies, route=route), "schema", Level.MUST),
        _case(f"{route.id}-head", same, partial(_head, route=route), "HTTP", Level.MUST),
    )


CASES: Final[tuple[AnyCase, ...]] = (
    *(case for route in ROUTES.values() if route.id not in HOSTED_BY_CLIENTS for case in _cases_of(route)),
    *(
        _case(
            name,
            text,
            partial(_refused, body=body, media=media, statuses=statuses, what=text),
            "representations",
            Level.MUST,
        )
        for name, (body, media, statuses, text) in _REFUSALS.items()
    ),
    *(
        _case(name, text, procedure, "representations", level)
        for name, (procedure, text, level) in _OTHERS.items()
    ),
)
