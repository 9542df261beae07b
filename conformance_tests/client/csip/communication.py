"""COMM-002, COMM-003, CORE-003, CORE-005 and ERR-001: reaching the server, polling, time, redirects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from conformance_tests.case import Level, Need
from conformance_tests.client.announcing import announced
from conformance_tests.client.csip.physical import holds
from conformance_tests.client.csip.replies import judge, whole
from conformance_tests.client.csip.row import Row
from conformance_tests.client.csip.site import factor, levels_of, settled, site_of
from conformance_tests.client.csip.timing import not_faster, not_forgotten, polls
from conformance_tests.client.faults import Fault
from conformance_tests.client.tolerances import DEVICE_S, LATE_S, SETTLE_S
from schemas import DERStatus, LogEvent, Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conformance_tests.client.bench import ClientBench
    from conformance_tests.client.faults import Ordered
    from conformance_tests.client.seen import Seen

SUITE: Final = "ECDHE-ECDSA-AES128-CCM8"
"""TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8, as OpenSSL names it."""
UNLIKE_S: Final = 400_000
"""How far the clock of CORE-005 is from real time, s."""
RATES: Final = {
    "DeviceCapability": 60,
    "EndDeviceList": 45,
    "FunctionSetAssignmentsList": 35,
    "DERProgramList": 20,
}
LONG_S: Final = 300


async def discovery(bench: ClientBench) -> None:
    """COMM-001: the server is announced by multicast DNS; the client finds its DeviceCapability."""
    site_of(bench)
    async with announced(bench.host, bench.port, bench.stage.dcap):
        start = await bench.begin()
        bench.trial.check(
            start.status == 200,
            "the client reads the DeviceCapability at the path in the TXT record, over HTTPS",
            seen=start.status,
        )


async def out_of_band(bench: ClientBench) -> None:
    """COMM-002: the URI that was given, and one resource more by a link."""
    site_of(bench)
    start = await bench.begin()
    bench.trial.check(start.status == 200, "GET of the DeviceCapability is answered 200", seen=start.status)
    linked = {bench.stage.time, bench.stage.devices, bench.stage.mirrors, bench.stage.response_sets}
    await bench.required(
        lambda one: one.path in linked and one.method == "GET" and one.status == 200,
        SETTLE_S,
        "the client reads a resource that the DeviceCapability links to",
        since=start.number,
    )
    _judge_asking(bench)


async def basic_security(bench: ClientBench) -> None:
    """COMM-003: version and suite of TLS, and certificates of both sides."""
    site_of(bench)
    start = await bench.begin()
    facts = start.exchange.tls
    bench.trial.require(facts is not None, "the client speaks TLS")
    assert facts is not None  # noqa: S101  required above
    bench.trial.check(facts.version == "TLSv1.2", "TLS 1.2 is negotiated", seen=facts.version)
    bench.trial.check(
        facts.suite == SUITE, "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8 is negotiated", seen=facts.suite
    )
    bench.trial.check(
        start.lfdi == bench.lfdi.upper(),
        "the client presents the certificate whose LFDI the run was given",
        seen=start.lfdi or facts.alert,
    )
    bench.trial.check(start.status == 200, "GET of the DeviceCapability is answered 200", seen=start.status)


async def polling(bench: ClientBench) -> None:
    """CORE-003: the walk to the programs, then polls at the pollRate of each resource."""
    for route, rate_s in RATES.items():
        bench.stage.set_rate(route, rate_s)
    site = levels_of(site_of(bench), ("SP",))
    await settled(site)
    own = next(iter(site.devices.values()))
    await _walked(bench, own.registration, "the Registration of its EndDevice")
    await bench.pause(LONG_S)
    until_s = bench.clock.elapsed_s()
    followed = {
        "DeviceCapability": [bench.stage.dcap],
        "EndDeviceList": [bench.stage.devices],
        "FunctionSetAssignmentsList": [one.assignments for one in site.devices.values()],
        "DERProgramList": [one.programs for one in site.assignments.values()],
    }
    for route, hrefs in followed.items():
        for href in hrefs:
            seen = polls(bench, href)
            not_faster(bench, route, seen, RATES[route])
            not_forgotten(bench, route, seen, RATES[route], until_s, Level.SHOULD)


async def basic_time(bench: ClientBench) -> None:
    """CORE-005: a server whose clock is unlike real time; what the client writes is by that clock."""
    bench.clock.shift(UNLIKE_S)
    site = levels_of(site_of(bench), ("SP",))
    await settled(site)
    await _walked(bench, bench.stage.time, "the Time resource")
    known_s = bench.stage.now()
    base = factor(950)
    event = bench.stage.publish(site.programs["SP"], base, start_s=known_s + 120, duration_s=60)
    await bench.until(event.start_s + DEVICE_S)
    await holds(site, base, "at a time by the server's clock")
    await bench.until(event.end_s + LATE_S)
    for device in site.devices.values():
        judge(bench, event, device.lfdi, whole(bench, event, known_s), "the control")
    stamped = [(one, time_s) for one in bench.requests if (time_s := _stamp(one)) is not None]
    bench.trial.check(stamped, "the client writes times", seen=f"{len(stamped)} of them")
    for one, time_s in stamped:
        bench.trial.check(
            abs(one.at_s - time_s) <= UNLIKE_S / 10,
            f"the time in a {type(one.resource).__name__} is by the clock of the server",
            seen=f"{one.at_s - time_s:.0f} s before it came",
            exchange=bench.proof(one),
        )


READS_ON: Final = 10
"""So many GETs elsewhere, and none where the redirection is, tell where a client has gone."""


async def redirects(bench: ClientBench) -> None:
    """ERR-001: 302, then 301, to another port; the client follows, goes on there, and may stay."""
    site = levels_of(site_of(bench), ("SP",))
    other = bench.serving.listen(bench.host)
    try:
        await settled(site)
        for status in (302, 301):
            await _redirected(bench, status, other)
    finally:
        await bench.serving.close(other)


async def _redirected(bench: ClientBench, status: int, other: int) -> None:
    """Lead the client from the port where it is to the other one."""
    ways = {bench.port: other, other: bench.port}
    ordered, first = await _met(bench, status, ways)
    there = ways[first.port]
    followed = (
        (lambda one: one.path == first.path, f"the client follows a {status} to its Location, over TLS"),
        (lambda one: one.path == bench.stage.dcap, "the client reads the DeviceCapability at the new place"),
        (lambda one: one.path != bench.stage.dcap, "the client reads another resource at the new place"),
    )
    for is_it, what in followed:
        await bench.required(
            lambda one, is_it=is_it: one.port == there and one.status == 200 and is_it(one),  # type: ignore[misc]  # bound early
            SETTLE_S,
            what,
            since=first.number,
        )
    bench.lift(ordered)


async def _met(bench: ClientBench, status: int, ways: Mapping[int, int]) -> tuple[Ordered, Seen]:
    """The redirection that a GET of the client has met, and that; the case ends where none does.

    A client may go on where a 301 has led it, or come back: one that reads on at the other port is redirected
    there.
    """
    ends_s, port = bench.stage.now() + bench.patience_s, bench.port
    while True:
        since = len(bench.requests)
        ordered = bench.fault(Fault(status=status, location=f"https://{bench.host}:{ways[port]}", port=port))

        def gets(answered: int, since: int = since) -> list[Seen]:
            return [one for one in bench.requests[since:] if one.method == "GET" and one.status == answered]

        left_s = ends_s - bench.stage.now()
        await bench.waits(lambda: gets(status) or len(gets(200)) >= READS_ON, left_s)
        if gets(status) or bench.stage.now() >= ends_s:
            what = f"a GET is answered {status}"
            first = await bench.required(
                lambda one: one.status == status and one.method == "GET", 0.0, what, since=since
            )
            return ordered, first
        bench.lift(ordered)
        port = ways[port]


async def _walked(bench: ClientBench, href: str, what: str) -> None:
    await bench.required(
        lambda one: one.path == href and one.method == "GET" and one.status == 200,
        SETTLE_S,
        f"the client reads {what}",
    )


def _stamp(seen: Seen) -> int | None:
    """The time that a client wrote into what it sent."""
    one = seen.resource
    if isinstance(one, Response):
        return one.createdDateTime
    if isinstance(one, LogEvent):
        return one.createdDateTime
    return one.readingTime if isinstance(one, DERStatus) else None


def _judge_asking(bench: ClientBench) -> None:
    """Check the headers of what has come so far: Host, and no other type asked for than XML or EXI."""
    asked = [one for one in bench.requests if one.method == "GET"]
    wrong = [one for one in asked if not _accepts(one)]
    bench.trial.check(
        not wrong,
        "every GET takes application/sep+xml or application/sep-exi",
        seen=wrong[0].exchange.request_header("Accept") if wrong else f"{len(asked)} GETs",
        exchange=bench.proof(wrong[0]) if wrong else None,
    )
    bench.trial.check(all(one.exchange.request_header("Host") for one in asked), "every request has a Host")


def _accepts(seen: Seen) -> bool:
    accept = seen.exchange.request_header("Accept") or "*/*"
    return any(kind in accept for kind in ("application/sep", "application/*", "*/*"))


ROWS: Final = (
    Row(
        name="COMM-001",
        title="Discovery by multicast DNS",
        requirement="The client finds a server that is announced as _smartenergy._tcp, and its path",
        procedure=discovery,
        lasts_s=120,
        client=Level.SHOULD,
        aggregator=None,
        needs=frozenset({Need.LOCAL_NETWORK}),
        preconditions=("the client was given no URI, and looks for servers on the runner's network",),
    ),
    Row(
        name="COMM-002",
        title="Out-of-band discovery",
        requirement="The client reads the DeviceCapability at the URI that it was given, and what it links",
        procedure=out_of_band,
        lasts_s=60,
    ),
    Row(
        name="COMM-003",
        title="Basic security",
        requirement="The client negotiates TLS 1.2 with the suite of the standard and shows its certificate",
        procedure=basic_security,
        lasts_s=30,
    ),
    Row(
        name="CORE-003",
        title="Polling",
        requirement="The client walks from the DeviceCapability to its programs, and keeps every pollRate",
        procedure=polling,
        lasts_s=LONG_S + 120,
    ),
    Row(
        name="CORE-005",
        title="Basic time",
        requirement="The client takes on the Time of its server, whatever its own clock says",
        procedure=basic_time,
        lasts_s=420,
    ),
    Row(
        name="ERR-001",
        title="Redirects",
        requirement="The client follows 301 and 302 and goes on where they lead",
        procedure=redirects,
        lasts_s=300,
    ),
)
CASES: Final = tuple(case for row in ROWS for case in row.cases())
