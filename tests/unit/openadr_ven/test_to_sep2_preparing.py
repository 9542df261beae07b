"""Which programs a fleet needs before an event comes."""

from dataclasses import replace

from openadr_ven.to_sep2 import Envelope, Fleet, HomeKind, usual_homes
from tests.unit.openadr_ven.house import BATTERY, EVSE, LOAD, PROGRAMME, PV, House, dispatch, event

SITE = replace(LOAD, name="site", group="g-site", envelope=Envelope.CSIP_AUS)


def test_ders_and_loads_have_programs_in_each_programme_and_group() -> None:
    fleet = Fleet(
        devices=(BATTERY, PV, EVSE, LOAD, SITE), groups={"all": frozenset({"battery", "load", "gone"})}
    )
    other = replace(PROGRAMME, marketContext="http://other")
    found = usual_homes(fleet, [PROGRAMME, other])
    der, load = HomeKind.DER, HomeKind.DRLC
    assert [(one.group, one.kind) for one in found[: len(found) // 2]] == [
        ("g-battery", der),
        ("g-pv", der),
        ("g-evse", der),
        ("g-evse", load),
        ("g-load", load),
        ("g-site", der),
        ("g-site", load),
        ("all", der),
        ("all", load),
    ]
    assert len({one.mRID for one in found}) == len(found) == 18


def test_they_are_those_that_events_are_published_in() -> None:
    house = House(devices=(BATTERY, PV))
    wanted = house.makes(event(dispatch(-3000))).items.values()
    assert {one.home for one in wanted} == set(usual_homes(house.fleet, [house.programme]))
