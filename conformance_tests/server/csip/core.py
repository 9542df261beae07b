"""HTTP, lists and time: CORE-001, 002, 004 and 005."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from conformance_tests.case import Need
from conformance_tests.server.csip import steps
from conformance_tests.server.csip.device import log_event, status_at
from conformance_tests.server.csip.rows import row
from function_sets import METHODS, ROUTES, Mark
from schemas import MEDIA_TYPE, DeviceCapability, LogEvent, LogEventList, Time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance_tests.evidence import Exchange
    from conformance_tests.server.bench import ServerBench

UNKNOWN: Final = "FOO"
NO_DOCUMENT: Final = b"<nothing/>"
"""A body that no resource takes: a method that is there answers 400 to it, and nothing is changed."""
DAY_S: Final = 86_400
_BODY: Final = {"Content-Type": MEDIA_TYPE, "Accept": MEDIA_TYPE}


async def method_matrix(bench: ServerBench) -> None:
    """CORE-001: each method at each resource that the server offers, held against the WADL."""
    await steps.own(bench)
    found = await bench.device.tour()
    for route_id in sorted(set(found) & set(ROUTES)):
        marks = ROUTES[route_id].methods
        for method in METHODS:
            if method == "DELETE" and marks[method] is not Mark.ERROR:
                continue
            await _method(bench, route_id, found[route_id][0], method, marks[method])
        exchange = await bench.device.send(UNKNOWN, found[route_id][0])
        what = f"an unknown method at {route_id} answers 501"
        bench.trial.check(exchange.status == 501, what, seen=exchange.status)


async def _method(bench: ServerBench, route_id: str, href: str, method: str, mark: Mark) -> None:
    body = NO_DOCUMENT if method in {"PUT", "POST"} else None
    exchange = await bench.device.send(method, href, body, _BODY if body else {"Accept": MEDIA_TYPE})
    status = exchange.status or 0
    if mark is Mark.ERROR:
        good, wanted = status in {400, 405}, "is refused with 400 or 405"
    elif mark is Mark.MUST:
        good, wanted = status not in {405, 501} and status < 500, "is there: neither 405 nor 501"
    else:
        good, wanted = status < 500 or status == 501, "works, or answers 405 or 501"
    bench.trial.check(good, f"{method} at {route_id} {wanted}", seen=status)


async def status_codes(bench: ServerBench) -> None:
    """CORE-002: status codes and headers of good and of bad requests."""
    device = await steps.own(bench)
    viewer, check = bench.device, bench.trial.check
    place = steps.linked(bench, device, "LogEventListLink")
    exchange = await viewer.post(place, log_event(1, await bench.now()))
    await steps.created(bench, exchange, "a LogEvent")
    der = (await steps.ders(bench, viewer, device))[0]
    exchange = await viewer.put(steps.linked(bench, der, "DERStatusLink"), status_at(await bench.now()))
    check(exchange.status in steps.WRITTEN, "PUT answers 204 (or 200, 201)", seen=exchange.status)
    dcap = await viewer.read(bench.dcap, DeviceCapability)
    devices = steps.linked(bench, dcap, "EndDeviceListLink")
    time = steps.linked(bench, dcap, "TimeLink")
    exchange = await viewer.send("POST", time, NO_DOCUMENT, _BODY)
    what = "POST to a resource that has no POST answers 405"
    check(exchange.status == 405, what, seen=exchange.status)
    allow = exchange.header("Allow")
    check("GET" in (allow or ""), "a 405 has an Allow with the methods that are there", seen=allow)
    exchange = await viewer.send(UNKNOWN, bench.dcap)
    check(exchange.status == 501, "an unknown method answers 501", seen=exchange.status)
    exchange = await viewer.get(f"{devices.rstrip('/')}-that-nobody-has/0")
    check(exchange.status == 404, "an unknown URI answers 404", seen=exchange.status)
    await _malformed(bench)
    await _plain(bench, devices)


async def _malformed(bench: ServerBench) -> None:
    """Requests that are none: no Host, and a header that is no header."""
    parts = urlsplit(bench.dcap)
    line = f"GET {parts.path or '/'} HTTP/1.1\r\n".encode()
    exchange = await bench.device.raw(line + b"\r\n")
    what = "a request without Host answers 400"
    bench.trial.check(exchange.status == 400, what, seen=exchange.status)
    host = f"Host: {parts.netloc}\r\n".encode()
    exchange = await bench.device.raw(line + host + b"no header at all\r\n\r\n")
    what = "a request with a malformed header answers 400"
    bench.trial.check(exchange.status == 400, what, seen=exchange.status)


async def _plain(bench: ServerBench, href: str) -> None:
    """A request without TLS leads to https."""
    if Need.PLAIN_HTTP not in bench.has:
        bench.trial.note(f"the redirection from http was not looked at: needs {Need.PLAIN_HTTP}")
        return
    exchange = await bench.device.get(bench.in_plain(href))
    what = "a request without TLS for a protected resource answers 301"
    bench.trial.check(exchange.status == 301, what, seen=exchange.status)
    location = exchange.header("Location") or ""
    what = "the 301 leads to the same resource by https"
    good = location.startswith("https://") and urlsplit(location).path == urlsplit(href).path
    bench.trial.check(good, what, seen=location)


async def list_queries(bench: ServerBench) -> None:
    """CORE-004: queries of a list with a time as its first key: the LogEvents, the newest first.

    A server may show fewer on a page than it is asked for.
    """
    device = await steps.own(bench)
    viewer = bench.device
    place = steps.linked(bench, device, "LogEventListLink")
    now_s = await bench.now()
    for number in range(4):
        exchange = await viewer.post(place, log_event(number, now_s - 40 + 10 * number))
        await steps.created(bench, exchange, "a LogEvent")
    whole = await viewer.read(place, LogEventList, s=0, l=255)
    held = await viewer.items(place, LogEventList, LogEvent)
    bench.trial.require(len(held) >= 4, "the list has the four LogEvents", seen=len(held))
    second_s = held[1].createdDateTime
    for query, wanted in (
        ("", held[:1]),
        ("s=0", held[:1]),
        (f"a={now_s + 1}", []),
        ("l=0", []),
        ("l=1000", held),
        (f"s=3&a={now_s + 1}", []),
        ("s=1&l=1&s=2", held[1:2]),
        ("l=0&l=2", []),
        (f"s=1&a={second_s}&a={second_s + DAY_S}", []),
        (f"a={second_s}&l=255", [one for one in held if one.createdDateTime > second_s]),
        ("l=1&b=2", held[:1]),
        (f"s={whole.all}&l=10", []),
    ):
        href = f"{place}{'&' if '?' in place else '?'}{query}" if query else place
        exchange = await viewer.send("GET", href, headers={"Accept": MEDIA_TYPE})
        _check_page(bench, exchange, query or "no query", wanted[: len(whole.LogEvent_)], whole.all)


def _check_page(
    bench: ServerBench, exchange: Exchange, query: str, wanted: Sequence[LogEvent], all_: int
) -> None:
    what = f"{query}: GET answers 200"
    if not bench.trial.check(exchange.status == 200, what, seen=exchange.status):
        return
    page = bench.device.decoded(exchange, LogEventList)
    got, due = [one.href for one in page.LogEvent_], [one.href for one in wanted]
    bench.trial.check(got == due, f"{query}: the items are {len(due)}: {due[:3]}", seen=got[:10])
    bench.trial.check(page.results == len(got), f"{query}: results counts the items", seen=page.results)
    counts = {all_} if "a=" not in query else set(range(len(due), all_ + 1))
    bench.trial.check(page.all in counts, f"{query}: all counts what is in the list", seen=page.all)


async def basic_time(bench: ServerBench) -> None:
    """CORE-005: the fields of Time agree with each other, and time passes."""
    viewer, check = bench.device, bench.trial.check
    dcap = await viewer.read(bench.dcap, DeviceCapability)
    place = steps.linked(bench, dcap, "TimeLink")
    time = await viewer.read(place, Time)
    check(3 <= time.quality <= 7, "Time.quality is 3 to 7", seen=time.quality)
    check(abs(time.tzOffset) <= 14 * 3600, "tzOffset is at most 14 h", seen=time.tzOffset)
    check(abs(time.dstOffset) <= 2 * 3600, "dstOffset is at most 2 h", seen=time.dstOffset)
    seen = f"{time.dstStartTime} to {time.dstEndTime}"
    has_span = time.dstOffset == 0 or time.dstStartTime != time.dstEndTime
    check(has_span, "with a dstOffset, daylight saving lasts for a time", seen=seen)
    if time.localTime is not None:
        due = time.currentTime + time.tzOffset + (time.dstOffset if is_summer(time) else 0)
        what = "localTime is currentTime with tzOffset, and dstOffset in its time"
        check(time.localTime == due, what, seen=f"{time.localTime}, due {due}")
    await bench.until(time.currentTime + 3)
    later = await viewer.read(place, Time)
    passed_s = later.currentTime - time.currentTime
    check(3 <= passed_s <= 60, "currentTime goes on as time passes", seen=f"{passed_s} s")


def is_summer(time: Time) -> bool:
    """Whether daylight saving is in force; in the south that of a year ends before it starts."""
    start, end, now = time.dstStartTime, time.dstEndTime, time.currentTime
    return start <= now < end if start <= end else not end <= now < start


CASES: Final = (
    row(
        "CORE-001",
        "HTTP method matrix",
        "Each method at each resource does what annex A marks: must, may, or an error; unknown ones are 501.",
    ).case(method_matrix, lasts_s=30),
    row(
        "CORE-002",
        "HTTP status codes and headers",
        "201 with Location, 204, 301, 400, 404, 405 with Allow and 501 each where they belong.",
    ).case(status_codes),
    row(
        "CORE-004",
        "List query strings",
        "s, l and a page a list; the first of repeated parameters counts, unknown ones are ignored.",
    ).case(list_queries),
    row("CORE-005", "Basic time", "The Time resource is a clock that runs, with a valid time zone.").case(
        basic_time
    ),
)
