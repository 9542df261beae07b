"""GET of single resources: at most 1.5 times a bare handler; lists of 100 items: at most 2 times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bench.comparing import Case, compare
from bench.filling import MANAGED
from bench.stand import AGGREGATOR, CONTROLS

if TYPE_CHECKING:
    from bench.measure import Result
    from bench.stand import Stand

SINGLE_BAR: Final = 1.5
LIST_BAR: Final = 2.0
PAGE: Final = 100


def measure(stand: Stand) -> list[Result]:
    """The reads of devices, and pages of an aggregator, against a bare handler."""
    return [*compare(stand, cases(stand)), *compare(stand, [unread(stand)], remembers=False)]


def cases(stand: Stand) -> list[Case]:
    """What is asked for."""
    paths = stand.paths
    singles = [
        Case(name=f"GET {kind}", path=paths[kind], bar=SINGLE_BAR)
        for kind in ("Time", "DeviceCapability", "EndDevice", "DERControl")
    ]
    controls = Case(
        name=f"list of {CONTROLS} DERControls",
        path=f"{paths['DERControlList']}?s=0&l={PAGE}",
        bar=LIST_BAR,
        batch=100,
    )
    places = {"first": 0, "middle": MANAGED // 2, "last": MANAGED - PAGE + 1}
    pages = [
        Case(
            name=f"list of {PAGE} EndDevices, {name} page",
            path=f"{paths['EndDeviceList']}?s={start}&l={PAGE}",
            bar=LIST_BAR,
            client=AGGREGATOR,
            batch=100,
        )
        for name, start in places.items()
    ]
    fresh = Case(
        name=f"list of {PAGE} EndDevices, a page that nobody asked for before",
        path=f"{paths['EndDeviceList']}?s=0&l={PAGE}",
        bar=LIST_BAR,
        client=AGGREGATOR,
        batch=100,
        turns=[f"{paths['EndDeviceList']}?s={start}&l={PAGE}" for start in range(1, MANAGED - PAGE)],
    )
    return [*singles, controls, *pages, fresh]


def unread(stand: Stand) -> Case:
    """A page of an aggregator of whose devices nothing is in memory, as the first one after a start."""
    return Case(
        name=f"list of {PAGE} EndDevices, a page of which nothing is in memory",
        path=f"{stand.paths['EndDeviceList']}?s=0&l={PAGE}",
        bar=LIST_BAR,
        client=AGGREGATOR,
        batch=100,
    )
