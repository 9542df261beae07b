"""BASIC-001, CORE-009, 010 and 011: finding the own EndDevice, its PIN, and every assignment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from conformance_tests.case import Level
from conformance_tests.client.csip.row import Row
from conformance_tests.client.csip.site import LEVELS, Site, levels_of, settled, site_of
from conformance_tests.client.tolerances import DISCOVERY_S, SETTLE_S

if TYPE_CHECKING:
    from conformance_tests.client.bench import ClientBench
    from conformance_tests.client.seen import Seen
    from conformance_tests.client.staged import StagedDevice
    from schemas import Resource

STRANGERS: Final = ("11" * 20, "22" * 20)
WRONG_PIN: Final = 123455
MANY: Final = 15
"""FunctionSetAssignments that a client has to cope with. CSIP 2.1."""
QUIET_S: Final = 120.0
FIELDS: Final = (
    ("DERCapability", "capability"),
    ("DERSettings", "settings"),
    ("DERStatus", "status"),
    ("DERAvailability", "availability"),
)


def strangers_of(bench: ClientBench) -> list[StagedDevice]:
    """EndDevices of others, before the client's in the list."""
    later = bench.stage.now() + 1_000
    return [bench.stage.add_device(lfdi, changed_s=later + n) for n, lfdi in enumerate(STRANGERS)]


async def identification(bench: ClientBench) -> None:
    """BASIC-001: of several EndDevices the client uses its own, and with a PIN that matches."""
    others = strangers_of(bench)
    site = levels_of(site_of(bench), ("SP",))
    await settled(site)
    await _registered(site)
    await bench.pause(QUIET_S)
    touched = [one for one in bench.requests if not _may_touch(one, others, bench)]
    bench.trial.check(
        not touched,
        "the client leaves the EndDevices of others alone",
        seen=f"{touched[0].method} of a {touched[0].route} of another" if touched else "",
        exchange=bench.proof(touched[0]) if touched else None,
    )


async def end_device(bench: ClientBench) -> None:
    """CORE-009: the PIN is compared, and the four resources of a DER are put and read back the same."""
    site = levels_of(site_of(bench), ("SP",))
    await settled(site)
    await _registered(site)
    for name, device in site.devices.items():
        for route, field in FIELDS:
            await _put(bench, route, getattr(device.ders[0], field), name)
    if bench.start is not None:
        await _refuses_wrong_pin(site)


async def basic_assignments(bench: ClientBench) -> None:
    """CORE-010: three EndDevices, the client's last; seven assignments, all read within two minutes."""
    strangers_of(bench)
    site = levels_of(site_of(bench), LEVELS)
    await _all_read(site, len(LEVELS))


async def advanced_assignments(bench: ClientBench) -> None:
    """CORE-011: fifteen assignments, all read with their programs."""
    site = site_of(bench)
    for number in range(MANY):
        site.group(f"group {number + 1}", number + 1)
    await _all_read(site, MANY)


async def _all_read(site: Site, number: int) -> None:
    bench = site.bench
    start = await bench.begin()
    wanted = {one.programs for one in site.assignments.values()}
    lists = {one.assignments for one in site.devices.values()}

    def is_read() -> bool:
        return all(bench.reads(href) for href in wanted) and all(map(_whole, lists))

    def _whole(href: str) -> bool:
        return sum(_results(one) for one in bench.reads(href)) >= number

    within_s = DISCOVERY_S + start.at_s - bench.clock.time_s()
    held = await bench.waits(is_read, within_s)
    missing = sum(not bench.reads(href) for href in wanted)
    bench.trial.check(
        held,
        f"all {number} FunctionSetAssignments of each device and their programs are read"
        f" within {DISCOVERY_S:.0f} s",
        seen=f"{missing} of {len(wanted)} program lists were not read" if not held else "",
    )


def _results(seen: Seen) -> int:
    """Items of a list that an answer held."""
    head = seen.exchange.body[:400].partition(b'results="')[2].partition(b'"')[0]
    return int(head or b"0")


async def _registered(site: Site) -> None:
    for name, device in site.devices.items():
        href = device.registration
        await site.bench.required(
            lambda one, href=href: one.path == href and one.status == 200,  # type: ignore[misc]  # bound early
            SETTLE_S,
            f"the client reads the Registration of {name} to compare the PIN",
        )


async def _put(bench: ClientBench, route: str, href: str, name: str) -> None:
    """Wait for a PUT, and look whether what is held now is what was put."""
    seen = await bench.required(
        lambda one: one.path == href and one.method == "PUT",
        bench.patience_s,
        f"the client puts the {route} of {name}",
    )
    bench.trial.check(
        seen.status in {200, 201, 204},
        f"the {route} of {name} can be taken: PUT is answered 204",
        seen=seen.status,
        exchange=bench.proof(seen),
    )
    bench.trial.check(
        not seen.flaws,
        f"the {route} of {name} is valid",
        seen="; ".join(seen.flaws),
        exchange=bench.proof(seen),
    )
    last = [one for one in bench.requests if one.path == href and one.method == "PUT"][-1]
    held = bench.stage.tree.held.get(href)
    same = held is not None and _plain(held.resource) == _plain(last.resource)
    bench.trial.check(same, f"the {route} of {name} reads back as it was put", exchange=bench.proof(last))


def _plain(resource: Resource | None) -> str:
    """A resource as text, apart from its address."""
    if resource is None:
        return ""
    kept, resource.href = resource.href, None
    text = repr(resource)
    resource.href = kept
    return text


async def _refuses_wrong_pin(site: Site) -> None:
    """With another PIN at the server the client, started anew, is silent on behalf of its devices."""
    bench = site.bench
    bench.trial.note("the PIN of every Registration is changed, and the client started anew")
    await bench.leave()
    for device in site.devices.values():
        bench.stage.set_pin(device, WRONG_PIN)
    since = len(bench.requests)
    await bench.begin(since=since)
    await bench.first(lambda one: one.route == "Registration", SETTLE_S, since)
    read = len(bench.requests)
    await bench.pause(QUIET_S)
    wrote = [one for one in bench.record.since(read) if not one.is_read]
    bench.trial.check(
        not wrote,
        "a client whose PIN is not the one in Registration writes nothing",
        seen=f"{wrote[0].method} of a {wrote[0].route}" if wrote else "",
        level=Level.SHOULD,
        exchange=bench.proof(wrote[0]) if wrote else None,
    )


def _may_touch(seen: Seen, others: list[StagedDevice], bench: ClientBench) -> bool:
    """Whether a request is to nothing of others; to read what the list shows of them is no harm."""
    held = bench.stage.tree.held.get(seen.path)
    path = held.path if held is not None else bench.stage.tree.places.get(seen.path, ("", ""))[1]
    is_under = any(path.startswith(f"{one.path}/") for one in others)
    return not is_under


ROWS: Final = (
    Row(
        name="BASIC-001",
        title="DER identification",
        requirement="Of several EndDevices the client finds and uses its own, whose PIN it compares",
        procedure=identification,
        lasts_s=300,
    ),
    Row(
        name="CORE-009",
        title="Advanced end device",
        requirement="The client compares the PIN and keeps the four resources of each DER up to date",
        procedure=end_device,
        lasts_s=600,
    ),
    Row(
        name="CORE-010",
        title="Basic function set assignments",
        requirement="The client pages to its EndDevice and reads seven assignments within 2 minutes",
        procedure=basic_assignments,
        lasts_s=180,
    ),
    Row(
        name="CORE-011",
        title="Advanced function set assignments",
        requirement="The client copes with 15 assignments",
        procedure=advanced_assignments,
        lasts_s=180,
    ),
)
CASES: Final = tuple(case for row in ROWS for case in row.cases())
