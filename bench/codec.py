"""100 DERControls: parse and write, against a bare lxml tree of the same bytes."""

from __future__ import annotations

from lxml import etree

from bench.measure import Result, alternating_ms
from schemas import (
    Codec,
    DateTimeInterval,
    DERControl,
    DERControlBase,
    DERControlList,
    EventStatus,
    PowerFactorWithExcitation,
)


def controls(count: int, *, start: int = 1_767_225_600) -> DERControlList:
    """A list of `count` DERControls as a server sends them, one each minute."""
    items = [
        DERControl(
            href=f"/derp/1/derc/{n}",
            replyTo="/rsps/1/rsp",
            responseRequired="07",
            subscribable=0,
            mRID=f"{n:024X}0000A1B2",
            description="pf 0.95 over-excited",
            version=0,
            creationTime=start,
            EventStatus_=EventStatus(currentStatus=0, dateTime=start, potentiallySuperseded=False),
            interval=DateTimeInterval(duration=60, start=start + 60 * n),
            randomizeDuration=0,
            randomizeStart=0,
            DERControlBase_=DERControlBase(
                opModFixedPFInjectW=PowerFactorWithExcitation(
                    displacement=950, excitation=False, multiplier=-3
                ),
                opModMaxLimW=5000,
                rampTms=500,
            ),
            deviceCategory="200000",
        )
        for n in range(count)
    ]
    return DERControlList(href="/derp/1/derc", subscribable=1, all=count, results=count, DERControl_=items)


def measure() -> list[Result]:
    """Parse and write of a list of 100."""
    codec = Codec()
    document = codec.encode(controls(100))
    listed = codec.decode(document, DERControlList)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    tree = etree.fromstring(document, parser)
    read = alternating_ms(
        lambda: codec.decode(document, DERControlList), lambda: etree.fromstring(document, parser)
    )
    written = alternating_ms(lambda: codec.encode(listed), lambda: etree.tostring(tree))
    size = f"{len(document) // 1000} kB"
    return [
        Result(
            name=f"parse 100 DERControls ({size})",
            ours=read[0],
            floor_value=read[1],
            floor="lxml parses the bytes into a tree",
            bar=6.0,
        ),
        Result(
            name=f"write 100 DERControls ({size})",
            ours=written[0],
            floor_value=written[1],
            floor="lxml serialises the tree",
            bar=3.5,
        ),
    ]
