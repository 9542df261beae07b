"""What is told to those whom the server does not know: nobody, and a device that nobody has registered.

One case for each function set: a few of the resources that the device finds there are asked for. A peer
without a certificate is refused by TLS, or sees public resources of the base standard at most; one with a
right certificate that nobody registered sees no more than public resources and empty lists.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from certs.context import Offer, probing_client_context
from conformance_tests.case import AnyCase, Case, Need, Role
from conformance_tests.chains import Identity, written
from conformance_tests.chains.make import two
from conformance_tests.errors import Skipped, TargetError
from conformance_tests.server.generated.access import CLAUSE, PAGE, leaks, private_hrefs
from conformance_tests.server.generated.survey import survey_of
from conformance_tests.server.tour import with_query
from conformance_tests.server.wire import Wire
from conformance_tests.sources import STANDARD
from function_sets import FUNCTION_SETS, Access, FunctionSet, Route
from schemas import MEDIA_TYPE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from conformance_tests.evidence import Exchange
    from conformance_tests.server.target import Bench

    Playing = Callable[[Bench, FunctionSet], Awaitable[None]]

MOST_ASKED: Final = 5
"""Resources of one function set that are asked for."""
HIDDEN: Final = frozenset({401, 403, 404})


async def _hrefs(bench: Bench, functions: FunctionSet) -> Sequence[tuple[Route, str]]:
    """Some resources of a function set that the device is led to, one of each kind."""
    places = (await survey_of(bench, bench.device)).places
    found = [(route, places[route.id][0]) for route in functions.routes if places.get(route.id)]
    if not found:
        raise Skipped(f"nothing leads the device to anything of {functions.name}: there is nothing to hide")
    return found[:MOST_ASKED]


async def _ask_all(bench: Bench, functions: FunctionSet, offer: Offer, by: str) -> None:
    """GET of each resource by a stranger, who is told nothing of the device."""
    context = probing_client_context(offer, bench.target.device.root_path)
    wire = Wire(by=by, context=context, now=bench.target.now, bounds=bench.target.bounds)
    private = private_hrefs(await survey_of(bench, bench.device))
    try:
        for route, href in await _hrefs(bench, functions):
            answer = await _ask(bench, wire, with_query(href, {"l": PAGE}) if route.is_list else href)
            if answer is None:
                return
            _check(bench, route, href, answer, by)
            leak = leaks(bench.device, private, answer.body)
            bench.trial.check(not leak, f"{by} is told nothing of the device", seen=f"{leak} at {href}")
    finally:
        await wire.close()


async def _ask(bench: Bench, wire: Wire, href: str) -> Exchange | None:
    """The answer to a GET; None where the peer is refused by TLS or the connection is closed."""
    headers = {"Accept": MEDIA_TYPE}
    uri = bench.device.uri(href)
    try:
        return await wire.request("GET", uri, headers, None, bench.trial.exchange)
    except TargetError as why:
        hangs = "no whole answer within" in str(why) or "no connection within" in str(why)
        bench.trial.check(not hangs, f"{wire.by} is refused at once", seen=why)
        return None


def _check(bench: Bench, route: Route, href: str, answer: Exchange, by: str) -> None:
    is_open = route.access is Access.PUBLIC or (route.is_list and "{" not in route.path)
    if answer.status == 200 and is_open:
        bench.trial.check(held=True, what=f"{by} sees what is public", seen=href)
        return
    what = f"{by} gets 401, 403 or 404 for a {route.id}"
    bench.trial.check(answer.status in HIDDEN, what, seen=f"{href}: {answer.status}")


async def _nobody(bench: Bench, functions: FunctionSet) -> None:
    await _ask_all(bench, functions, Offer(), "nobody (no certificate)")


async def _unknown(bench: Bench, functions: FunctionSet) -> None:
    """A device whose certificate is right and new: its key is made for the case, nobody has registered it."""
    held = two(bench.target.ca) if bench.target.ca is not None else Identity(chain=())
    with written(held) as files:
        certificate, key = files or (None, None)
        await _ask_all(bench, functions, Offer(certificate=certificate, key=key), "an unknown device")


_WHO: Final[tuple[tuple[str, str, Playing, frozenset[Need]], ...]] = (
    ("nobody", "a peer without a certificate", _nobody, frozenset()),
    ("unknown", "a device that is not registered", _unknown, frozenset({Need.TEST_CA})),
)


def _case(functions: FunctionSet, name: str, who: str, playing: Playing, needs: frozenset[Need]) -> AnyCase:
    return Case(
        id=f"access/{functions.code}-{name}/server",
        title=f"{functions.name}: {who}",
        source=STANDARD,
        clause=CLAUSE,
        requirement=f"nothing of {functions.name} is told to {who}",
        role=Role.SERVER,
        procedure=partial(_played, functions=functions, playing=playing),
        needs=needs,
        lasts_s=0.1,
        bound_s=60.0,
    )


async def _played(bench: Bench, functions: FunctionSet, playing: Playing) -> None:
    await playing(bench, functions)


CASES: Final[tuple[AnyCase, ...]] = tuple(
    _case(functions, *row) for functions in FUNCTION_SETS for row in _WHO
)
