from collections.abc import Callable
from dataclasses import replace

import pytest

from der_client.discovery import Identity, Want, is_elsewhere, walk, walk_above, walk_device
from der_client.nodes import curve_hrefs, node_of
from der_client.shelf import Party, Shelf
from der_client.tariff_lists import outdated
from der_client.view import ServerView, pin_flaw, view_of
from schemas import (
    DER,
    CurveData,
    DateTimeInterval,
    DefaultDERControl,
    DefaultDERControlLink,
    DERControl,
    DERControlBase,
    DERControlList,
    DERControlListLink,
    DERCurve,
    DERCurveLink,
    DERCurveList,
    DERCurveListLink,
    DERList,
    DERListLink,
    DERProgram,
    DERProgramList,
    DERProgramListLink,
    DeviceCapability,
    EndDevice,
    EndDeviceList,
    EndDeviceListLink,
    EventStatus,
    FunctionSetAssignments,
    FunctionSetAssignmentsList,
    FunctionSetAssignmentsListLink,
    Link,
    ListLink,
    LogEventListLink,
    MirrorUsagePointListLink,
    RateComponent,
    RateComponentList,
    RateComponentListLink,
    ReadingTypeLink,
    Registration,
    RegistrationLink,
    Resource,
    ResponseSetList,
    ResponseSetListLink,
    TariffProfileList,
    TariffProfileListLink,
    Time,
    TimeLink,
    TimeTariffInterval,
    TimeTariffIntervalList,
    TimeTariffIntervalListLink,
    csip_aus,
)

LFDI = "3E4F45AB31EDFE5B67E343E5E4562E31984E23E5"
ME = Identity(lfdi=LFDI, sfdi=167261211391)
ROOT = "https://server/x"
Held = dict[str, Resource | None]


def a_time() -> Time:
    return Time(currentTime=0, dstEndTime=0, dstOffset=0, dstStartTime=0, quality=7, tzOffset=0)


def a_program(name: str, primacy: int) -> DERProgram:
    return DERProgram(
        href=f"/{name}",
        mRID=name,
        primacy=primacy,
        DefaultDERControlLink_=DefaultDERControlLink(href=f"/{name}/default"),
        DERControlListLink_=DERControlListLink(href=f"/{name}/controls"),
        DERCurveListLink_=DERCurveListLink(href=f"/{name}/curves"),
    )


def a_control(curve: str | None = None) -> DERControl:
    link = DERCurveLink(href=curve) if curve else None
    return DERControl(
        href="/p1/controls/1",
        mRID="C1",
        creationTime=0,
        EventStatus_=EventStatus(currentStatus=0, dateTime=0, potentiallySuperseded=False),
        interval=DateTimeInterval(duration=60, start=100),
        DERControlBase_=DERControlBase(opModVoltVar=link),
    )


def a_curve(href: str) -> DERCurve:
    return DERCurve(
        href=href,
        mRID="D1",
        creationTime=0,
        CurveData_=[CurveData(xvalue=1, yvalue=1)],
        curveType=11,
        xMultiplier=0,
        yMultiplier=0,
        yRefType=2,
    )


def me(**change: object) -> EndDevice:
    device = EndDevice(
        href="/me",
        lFDI=LFDI.lower(),
        sFDI=1,
        changedTime=0,
        postRate=120,
        RegistrationLink_=RegistrationLink(href="/me/pin"),
        FunctionSetAssignmentsListLink_=FunctionSetAssignmentsListLink(href="/me/fsas"),
        DERListLink_=DERListLink(href="/me/ders"),
        LogEventListLink_=LogEventListLink(href="/me/log"),
    )
    for name, value in change.items():
        setattr(device, name, value)
    return device


def a_server() -> Held:
    other = EndDevice(href="/other", lFDI="00" * 20, sFDI=2, changedTime=0)
    other.RegistrationLink_ = RegistrationLink(href="/other/pin")
    assignments = [
        FunctionSetAssignments(
            href="/fsa/1",
            mRID="F1",
            TimeLink_=TimeLink(href="/fsa/time"),
            DERProgramListLink_=DERProgramListLink(href="/programs"),
            ResponseSetListLink_=ResponseSetListLink(href="/fsa/responses"),
        ),
        FunctionSetAssignments(
            href="/fsa/2", mRID="F2", DERProgramListLink_=DERProgramListLink(href="/programs")
        ),
    ]
    return {
        ROOT: DeviceCapability(
            pollRate=600,
            TimeLink_=TimeLink(href="/time"),
            EndDeviceListLink_=EndDeviceListLink(href="/devices"),
            MirrorUsagePointListLink_=MirrorUsagePointListLink(href="/mirror"),
            DERProgramListLink_=DERProgramListLink(href="/all/programs"),
            ResponseSetListLink_=ResponseSetListLink(href="/all/responses"),
        ),
        "/time": a_time(),
        "/devices": EndDeviceList(all=2, results=2, EndDevice_=[other, me()]),
        "/me/pin": Registration(dateTimeRegistered=0, pIN=111115),
        "/me/fsas": FunctionSetAssignmentsList(
            all=2, results=2, pollRate=300, FunctionSetAssignments_=assignments
        ),
        "/fsa/time": a_time(),
        "/fsa/responses": ResponseSetList(all=0, results=0),
        "/programs": DERProgramList(
            all=2, results=2, pollRate=60, DERProgram_=[a_program("p1", 1), a_program("p2", 2)]
        ),
        "/p1/default": DefaultDERControl(mRID="D", DERControlBase_=DERControlBase(opModMaxLimW=100)),
        "/p1/controls": DERControlList(all=1, results=1, DERControl_=[a_control()]),
        "/p1/curves": DERCurveList(all=1, results=1, DERCurve_=[a_curve("/curve/1")]),
        "/p2/default": None,
        "/p2/controls": DERControlList(all=0, results=0),
        "/p2/curves": DERCurveList(all=0, results=0),
        "/me/ders": DERList(all=1, results=1, DER_=[DER(href="/me/ders/1")]),
    }


def discovered(server: Held, identity: Identity = ME) -> list[str]:
    """Hrefs in the order in which a client that follows the walk asks for them."""
    held: Held = {}
    asked: list[str] = []
    while missing := walk(ROOT, held, identity).missing(held):
        asked.append(missing[0].href)
        held[missing[0].href] = server[missing[0].href]
    return asked


def test_the_walk_begins_at_the_configured_uri_and_ends_with_every_link_followed() -> None:
    server = a_server()

    assert discovered(server)[:3] == [ROOT, "/time", "/devices"]
    assert set(discovered(server)) == set(server)


def test_the_registration_is_read_before_any_assignment() -> None:
    asked = discovered(a_server())

    assert asked.index("/me/pin") < asked.index("/me/fsas")


def test_nothing_of_another_device_is_followed() -> None:
    assert "/other/pin" not in walk(ROOT, a_server(), ME).wants


def test_an_entry_without_lfdi_is_known_by_its_sfdi() -> None:
    assert ME.owns(EndDevice(sFDI=167261211391, changedTime=0))
    assert not ME.owns(EndDevice(sFDI=1, changedTime=0))


def test_poll_rates_are_handed_down_until_another_is_given() -> None:
    wants = walk(ROOT, a_server(), ME).wants

    rates = [wants[href].poll_s for href in (ROOT, "/me/pin", "/me/fsas", "/p1/controls")]
    assert rates == [600, 600, 300, 60]


def test_programs_of_dcap_are_used_only_without_a_list_of_assignments() -> None:
    server = a_server()
    alone = me(FunctionSetAssignmentsListLink_=None)
    server["/devices"] = EndDeviceList(all=1, results=1, EndDevice_=[alone])

    assert "/all/programs" not in walk(ROOT, a_server(), ME).wants
    assert {"/all/programs", "/all/responses"} <= walk(ROOT, server, ME).wants.keys()


def test_a_device_that_is_not_enabled_is_not_registered() -> None:
    server = a_server()
    server["/devices"] = EndDeviceList(all=1, results=1, EndDevice_=[me(enabled=False)])

    view = view_of(ROOT, server, ME)

    assert view is not None
    assert not view.is_registered
    assert view.programs == ()


def test_a_curve_that_no_list_holds_is_wanted_by_itself() -> None:
    server = a_server()
    server["/p1/controls"] = DERControlList(all=1, results=1, DERControl_=[a_control("/curve/9")])
    server["/p2/controls"] = DERControlList(all=1, results=1, DERControl_=[a_control("/curve/1")])

    seen = walk(ROOT, server, ME)

    assert seen.missing(server) == (Want(href="/curve/9", type=DERCurve, poll_s=60),)


def test_a_default_control_links_to_curves_too() -> None:
    base = DERControlBase(opModVoltVar=DERCurveLink(href="/curve/1"))

    assert list(curve_hrefs(DefaultDERControl(mRID="D", DERControlBase_=base))) == ["/curve/1"]


def test_the_view_is_there_only_when_nothing_is_missing() -> None:
    server = a_server()
    del server["/p2/controls"]

    assert view_of(ROOT, server, ME) is None


def test_the_view_shows_programs_clock_and_places_to_report() -> None:
    view = view_of(ROOT, a_server(), ME)

    assert view is not None
    assert [(p.href, p.primacy, len(p.controls)) for p in view.programs] == [("/p1", 1, 1), ("/p2", 2, 0)]
    assert view.programs[1].default is None
    assert list(view.curves) == ["/curve/1"]
    assert [der.href for der in view.ders] == ["/me/ders/1"]
    assert (view.time_href, view.mirror_href, view.log_event_href) == ("/fsa/time", "/mirror", "/me/log")
    assert (view.post_rate_s, view.device_information_href) == (120, None)


def test_without_an_assigned_clock_that_of_dcap_holds() -> None:
    server = a_server()
    server["/me/fsas"] = FunctionSetAssignmentsList(all=0, results=0)
    server["/all/responses"] = None

    view = view_of(ROOT, server, ME)

    assert view is not None
    assert view.time_href == "/time"


@pytest.mark.parametrize(("pin", "is_good"), [(111115, True), (None, True), (123455, False)])
def test_a_server_with_another_pin_is_not_to_be_used(pin: int | None, *, is_good: bool) -> None:
    view = ServerView(registration=Registration(dateTimeRegistered=0, pIN=111115))

    assert (pin_flaw(view, pin) is None) == is_good


def test_a_server_without_registration_may_be_used() -> None:
    assert pin_flaw(ServerView(), 111115) is None


def filled(change: Callable[[Held], None] = lambda _: None) -> Shelf:
    server = a_server()
    change(server)
    shelf = Shelf(ROOT, [Party(identity=ME)], floor_s=1.0)
    while (want := shelf.next(0.0)) is not None and not shelf.holds(want.href):
        resource = server[want.href]
        if resource is None:
            shelf.miss(want.href, 0.0, 0.0)
        else:
            shelf.put(want.href, resource, 0.0, 0.0)
    return shelf


def test_the_shelf_asks_for_what_is_missing_then_waits_for_the_shortest_rate() -> None:
    shelf = filled()

    assert shelf.view() is not None
    assert shelf.next(59.0) is None
    assert shelf.wait_s(59.0) == 1.0
    due = shelf.next(60.0)
    assert due is not None
    assert due.poll_s == 60
    assert shelf.shortest_poll_s() == shelf.fastest_poll_s() == 60.0


def test_what_the_server_tells_of_itself_is_not_what_is_polled_fastest() -> None:
    shelf = filled()
    wants = [want for href in a_server() if (want := shelf.wanted(href)) is not None]
    for want in wants:
        shelf.slow_down(want.href, 900.0 if want.poll_s == 60 else None)
    assert (shelf.shortest_poll_s(), shelf.fastest_poll_s()) == (60.0, 300.0)


@pytest.mark.parametrize(("entries", "expected"), [(1, 250), (1_000, 1)])
def test_a_long_list_of_devices_that_is_told_to_change_all_the_time_rests_between_reads(
    entries: int, expected: int
) -> None:
    others = [EndDevice(href=f"/b/{n}", sFDI=n, changedTime=0) for n in range(1, entries)]

    def fill(server: Held) -> None:
        devices = server["/devices"]
        assert isinstance(devices, EndDeviceList)
        server["/devices"] = replace(devices, all=entries, EndDevice_=[*devices.EndDevice_, *others])

    shelf, reads = filled(fill), 0
    devices = shelf.resource("/devices")
    assert devices is not None
    for tenth in range(1, 251):
        shelf.hurry("/devices")
        while (want := shelf.next(tenth / 10)) is not None:
            reads += want.href == "/devices"
            shelf.put(want.href, devices, tenth / 10, 0.0)

    assert reads == expected


def test_a_new_poll_rate_counts_at_once() -> None:
    shelf = filled()
    server = a_server()
    programs = server["/programs"]
    assert isinstance(programs, DERProgramList)
    programs.pollRate = 10
    shelf.put("/programs", programs, 5.0, 0.0)

    due = shelf.next(10.0)

    assert due is not None
    assert due.href == "/p1/default"


def test_no_resource_is_polled_faster_than_the_floor() -> None:
    shelf = Shelf(ROOT, [Party(identity=ME)], floor_s=30.0)
    dcap = DeviceCapability(pollRate=1)
    shelf.put(ROOT, dcap, 0.0, 0.0)

    assert shelf.wait_s(0.0) == 30.0


def test_what_is_no_longer_linked_is_put_away() -> None:
    shelf = filled()
    shelf.put("/programs", DERProgramList(all=0, results=0), 1.0, 0.0)

    view = shelf.view()

    assert not shelf.holds("/p1/controls")
    assert view is not None
    assert view.programs == ()


def test_a_resource_that_vanishes_calls_for_rediscovery_but_not_one_that_never_was() -> None:
    shelf = filled()

    assert shelf.miss("/p1/controls", 1.0, 0.0)
    assert not shelf.miss("/p2/default", 1.0, 0.0)


def test_a_refused_poll_leaves_what_was_held() -> None:
    shelf = filled()
    before = shelf.view()
    shelf.postpone("/p1/controls", 60.0, 0.0)

    assert shelf.view() == before


def test_an_empty_shelf_need_not_wait() -> None:
    assert Shelf(ROOT, [Party(identity=ME)], floor_s=1.0).wait_s(0.0) == 0.0


def test_a_restart_begins_at_the_root() -> None:
    shelf = filled()
    shelf.restart()

    first = shelf.next(0.0)

    assert first is not None
    assert first.href == ROOT


@pytest.mark.parametrize(
    ("href", "expected"),
    [("/a", False), ("https://here:1/a", False), ("https://here:2/a", True), ("https://there/a", True)],
)
def test_a_link_to_another_host_is_elsewhere(href: str, expected: bool) -> None:
    assert is_elsewhere("https://here:1/dcap", href) is expected


def test_a_combined_list_of_prices_stands_for_those_of_each_rate_component() -> None:
    """CSIP-AUS PRC-01: the components are read for their units, their intervals are not."""
    component = RateComponent(
        href="/rc/1",
        mRID="E1",
        ReadingTypeLink_=ReadingTypeLink(href="/rt/1"),
        roleFlags="00",
        TimeTariffIntervalListLink_=TimeTariffIntervalListLink(href="/rc/1/tti"),
    )
    tariff = csip_aus.TariffProfileV13(
        href="/tp/1",
        mRID="E2",
        primacy=0,
        serviceCategoryKind=0,
        RateComponentListLink_=RateComponentListLink(href="/tp/1/rc"),
        CombinedTimeTariffIntervalListLink=ListLink(href="/tp/1/ctti"),
    )
    server = a_server()
    assigned = server["/me/fsas"]
    assert isinstance(assigned, FunctionSetAssignmentsList)
    assigned.FunctionSetAssignments_[0].TariffProfileListLink_ = TariffProfileListLink(href="/tp")
    server["/tp"] = TariffProfileList(all=1, results=1, TariffProfile_=[tariff])
    server["/tp/1/rc"] = RateComponentList(all=1, results=1, RateComponent_=[component])

    nodes = {href: node_of(one) for href, one in server.items() if one is not None}
    above = walk_above(ROOT, server, nodes)
    wants = walk_device(me(), above, nodes, also=frozenset({TariffProfileList})).wants

    assert {"/tp", "/tp/1/ctti", "/tp/1/rc", "/rt/1"} <= wants.keys()
    assert "/rc/1/tti" not in wants


def prices(*components: str) -> TimeTariffIntervalList:
    found: list[TimeTariffInterval] = [
        csip_aus.TimeTariffIntervalV13(
            mRID=f"E{number}",
            creationTime=0,
            EventStatus_=EventStatus(currentStatus=0, dateTime=0, potentiallySuperseded=False),
            interval=DateTimeInterval(duration=60, start=0),
            touTier=0,
            RateComponentLink=Link(href=component),
        )
        for number, component in enumerate(components)
    ]
    return TimeTariffIntervalList(all=len(found), results=len(found), TimeTariffInterval_=found)


@pytest.mark.parametrize(
    ("href", "news", "expected"),
    [
        ("/tp/1/ctti", prices("/rc/1", "/rc/2"), ["/tp/1/rc"]),
        ("/tp/1/ctti", prices("/rc/1", "/rc/1"), []),
        ("/tp/1/ctti", prices(), []),
        ("/tp/2/ctti", prices("/rc/2"), []),
        ("/tp/1/ctti", a_time(), []),
    ],
)
def test_a_price_of_a_component_that_is_not_known_makes_the_list_of_components_be_read(
    href: str, news: Resource, expected: list[str]
) -> None:
    """CSIP-AUS PRC-05."""
    component = RateComponent(
        href="/rc/1",
        mRID="E1",
        ReadingTypeLink_=ReadingTypeLink(href="/rt/1"),
        roleFlags="00",
        TimeTariffIntervalListLink_=TimeTariffIntervalListLink(href="/rc/1/tti"),
    )
    tariff = csip_aus.TariffProfileV13(
        mRID="E2",
        primacy=0,
        serviceCategoryKind=0,
        RateComponentListLink_=RateComponentListLink(href="/tp/1/rc"),
        CombinedTimeTariffIntervalListLink=ListLink(href="/tp/1/ctti"),
    )
    held: Held = {
        "/tp": TariffProfileList(all=1, results=1, TariffProfile_=[tariff]),
        "/tp/1/rc": RateComponentList(all=1, results=1, RateComponent_=[component]),
    }

    assert list(outdated(href, news, held)) == expected


def test_a_rediscovery_for_one_end_device_leaves_what_the_others_hold() -> None:
    server = a_server()
    other = me(
        href="/you", lFDI="00" * 20, RegistrationLink_=None, DERListLink_=DERListLink(href="/you/ders")
    )
    other.FunctionSetAssignmentsListLink_ = None
    server["/devices"] = EndDeviceList(all=2, results=2, EndDevice_=[other, me()])
    server["/you/ders"] = DERList(all=0, results=0)
    server["/all/programs"] = DERProgramList(all=0, results=0)
    server["/all/responses"] = ResponseSetList(all=0, results=0)
    parties = [Party(identity=ME), Party(identity=Identity(lfdi="00" * 20, sfdi=2))]
    shelf = Shelf(ROOT, parties, floor_s=1.0)
    read_all(shelf, server)
    shelf.restart(0)
    asked = read_all(shelf, server)

    assert {ROOT, "/devices", "/time", "/me/fsas", "/me/ders"} <= set(asked)
    assert not {"/you/ders", "/all/programs"} & set(asked)


def read_all(shelf: Shelf, server: Held) -> list[str]:
    """Read what is missing until nothing is; the hrefs in their order."""
    asked: list[str] = []
    while shelf.is_incomplete and (want := shelf.next(0.0)) is not None:
        asked.append(want.href)
        resource = server[want.href]
        if resource is None:
            shelf.miss(want.href, 0.0, 0.0)
        else:
            shelf.put(want.href, resource, 0.0, 0.0)
    return asked
