"""Laws of the translation to IEEE 2030.5, over random events and fleets."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from openadr_ven.events import Event, Signal, Unit
from openadr_ven.to_sep2 import Device, Envelope, Held, Kind, Motion, TargetMode, changes, done, judge
from openadr_ven.to_sep2.amounts import Part, quantum_w, split
from openadr_ven.to_sep2.fleet import GENERATES
from openadr_ven.to_sep2.publication import told
from schemas import DERControl
from tests.inputs import inputs
from tests.unit.openadr_ven.house import (
    HOUR,
    PROGRAMME,
    T0,
    House,
    dispatch,
    event,
    event_3,
    ordered,
    signal,
    simple,
    watts,
)

WATTS = st.integers(0, 20_000)
SHEDS = st.one_of(
    st.integers(0, 3).map(simple),
    st.decimals(0, 1, places=3).map(lambda one: signal("LOAD_CONTROL", "x-loadControlCapacity", one)),
    st.integers(-10, 10).map(lambda one: signal("LOAD_CONTROL", "x-loadControlLevelOffset", Decimal(one))),
    st.decimals(-1, 1, places=3).map(lambda one: signal("LOAD_CONTROL", "x-loadControlPercentOffset", one)),
)


DISPATCHES = st.builds(
    lambda kind, value, unit: signal("LOAD_DISPATCH", kind, value, unit=unit),
    st.sampled_from(["setpoint", "delta"]),
    st.integers(-9000, 9000).map(Decimal),
    st.sampled_from([Unit.W, Unit.VA]),
)


@st.composite
def fleets(draw: st.DrawFn, kinds: tuple[Kind, ...] = tuple(Kind)) -> tuple[Device, ...]:
    """Some devices with whatever is known of them."""
    return tuple(
        Device(
            resource=f"r{number % 3}",
            name=f"d{number}",
            group=f"g{number}",
            lFDI=f"{number:02X}",
            kind=draw(st.sampled_from(kinds)),
            envelope=draw(st.sampled_from(Envelope)),
            motion=draw(st.sampled_from(Motion)),
            setMaxW=draw(st.none() | WATTS),
            setMaxChargeRateW=draw(st.none() | WATTS),
            setMaxDischargeRateW=draw(st.none() | WATTS),
            power_w=draw(st.none() | st.integers(-20_000, 20_000).map(Decimal)),
        )
        for number in range(draw(st.integers(1, 6)))
    )


@st.composite
def groups(draw: st.DrawFn) -> dict[str, frozenset[str]]:
    names = st.sampled_from([f"d{number}" for number in range(6)])
    return draw(st.dictionaries(st.sampled_from(["east", "west"]), st.frozensets(names, min_size=2)))


def sheds(signals: list[Signal]) -> list[Event]:
    return [
        event(one, eventID=f"e{number}", start=T0 + number * 900, priority=number)
        for number, one in enumerate(signals)
    ]


@given(fleets(), groups(), st.lists(SHEDS, min_size=1, max_size=3), st.sampled_from(TargetMode))
@settings(max_examples=inputs(100), deadline=None)
def test_a_shed_signal_never_curtails_generation(
    devices: tuple[Device, ...], known: dict[str, frozenset[str]], signals: list[Signal], mode: TargetMode
) -> None:
    house = House(devices=devices, groups=known, programme=replace(PROGRAMME, target_mode=mode))
    house.hears(*sheds(signals))
    generators = {one.name for one in devices if one.kind in GENERATES}
    for one in house.translated().items.values():
        reached = known.get(one.home.group, frozenset(one.devices))
        assert reached == frozenset(one.devices)
        if isinstance(one.value, DERControl) and generators & reached:
            base = one.value.DERControlBase_
            assert "opModImpLimW" in told(base)
            assert (base.opModTargetW, base.opModFixedW, base.opModMaxLimW) == (None, None, None)
            assert base.opModConnect is base.opModEnergize is None


@given(fleets(kinds=(Kind.STORAGE,)), st.integers(1, 3))
@settings(max_examples=inputs(40), deadline=None)
def test_a_shed_signal_never_stops_a_discharge_nor_charges_more(
    devices: tuple[Device, ...], level: int
) -> None:
    house = House(devices=devices)
    house.hears(event(simple(level)))
    for one in house.translated().items.values():
        assert isinstance(one.value, DERControl)
        (device,) = [held for held in devices if held.name in one.devices]
        target = one.value.DERControlBase_.opModTargetW
        assert target is None or (device.motion is Motion.CHARGING and target.value == 0)


@given(
    st.integers(0, 2_000_000),
    st.lists(
        st.builds(
            Part,
            weight=st.decimals(0, 1000, places=3),
            most_w=st.none() | st.integers(0, 3_000_000),
            step_w=st.sampled_from([1, 1, 10, 100]),
        ),
        min_size=1,
        max_size=8,
    ),
)
@settings(max_examples=inputs(150), deadline=None)
def test_a_split_is_exact_where_there_is_room(total: int, parts: list[Part]) -> None:
    found = split(total, parts)
    left = total - sum(found)
    assert left >= 0
    for amount, part in zip(found, parts, strict=True):
        room = left if part.most_w is None else part.most_w - amount
        assert min(amount, room) >= 0
        assert amount % part.step_w == 0
        assert min(left, room) < part.step_w


@given(fleets(kinds=(Kind.STORAGE, Kind.EVSE, Kind.GENERATION)), st.integers(-60_000, 60_000))
@settings(max_examples=inputs(60), deadline=None)
def test_set_points_never_sum_to_more_than_was_asked_nor_go_the_other_way(
    devices: tuple[Device, ...], load_w: int
) -> None:
    house = House(devices=devices)
    house.hears(event(dispatch(load_w)))
    found = [one or 0 for one in watts(house.translated())]
    assert abs(sum(found)) <= abs(load_w)
    assert all(one * load_w <= 0 for one in found)
    rooms = [one.most_in_w if load_w > 0 else one.most_out_w for one in devices]
    if None in rooms or sum(one or 0 for one in rooms) >= abs(load_w):
        assert abs(sum(found) + load_w) < quantum_w(abs(load_w) if None in rooms else 1)


@given(
    st.lists(
        st.tuples(WATTS, st.integers(0, 6), st.integers(1, 6), st.integers(0, 3)), min_size=1, max_size=5
    )
)
@settings(max_examples=inputs(60), deadline=None)
def test_one_set_point_and_the_tightest_limit_hold_at_any_second(
    given_: list[tuple[int, int, int, int]],
) -> None:
    pv = Device(resource="pv", name="pv", group="g", kind=Kind.GENERATION, lFDI="AA", setMaxW=20_000)
    house = House(devices=(pv,))
    house.hears(
        *(
            event_3(
                signal("EXPORT_CAPACITY_LIMIT", "", Decimal(watt), unit=Unit.W),
                eventID=f"e{number}",
                start=T0 + start * 600,
                duration_s=length * 600,
                priority=priority,
            )
            for number, (watt, start, length, priority) in enumerate(given_)
        )
    )
    made = ordered(house.translated())
    for at in range(T0, T0 + 12 * 600, 600):
        wanted = [
            watt
            for watt, start, length, _ in given_
            if T0 + start * 600 <= at < T0 + (start + min(length, 6)) * 600
        ]
        held = [one for one in made if one.start <= at < (one.end or 0)]
        assert len(held) == bool(wanted)
        for one in held:
            assert isinstance(one.value, DERControl)
            assert one.value.DERControlBase_.opModMaxLimW == min(wanted) * 10_000 // 20_000


@given(
    st.lists(st.lists(st.integers(0, 4000), min_size=1, max_size=4), min_size=1, max_size=4),
    st.lists(st.integers(0, HOUR), min_size=4, max_size=4),
)
@settings(max_examples=inputs(40), deadline=None)
def test_after_all_steps_there_is_what_is_wanted_and_nothing_more_is_to_be_done(
    versions: list[list[int]], delays: list[int]
) -> None:
    house, held, at = House(), Held(), T0 - HOUR
    used: set[str] = set()
    for number, version in enumerate(versions):
        at += delays[number]
        house.hears(event(dispatch(*version), modification=number), at=at)
        wanted = house.translated(at)
        for step in changes(held, wanted, at):
            held = done(held, step)
        assert changes(held, wanted, at) == ()
        live = {key for key, one in held.items.items() if one.end is None or one.end > at}
        assert live == {key for key, one in wanted.items.items() if one.end is None or one.end > at}
        used |= {one.mRID for one in held.items.values()}
    assert len(used) == len({one.upper() for one in used})


@given(fleets(), st.one_of(SHEDS, DISPATCHES), st.booleans())
@settings(max_examples=inputs(80), deadline=None)
def test_what_is_judged_to_be_possible_is_not_refused_by_the_translation(
    devices: tuple[Device, ...], one: Signal, is_split: bool
) -> None:
    house = House(devices=devices, programme=replace(PROGRAMME, is_split=is_split))
    resources = list(dict.fromkeys(device.resource for device in devices))
    verdict = judge(event(one), resources, house.fleet, house.programmes)
    answers = house.hears(event(one))
    found = house.translated()
    assert (answers[0].code == 200) == (verdict.refusal is None)
    by_resource = house.fleet.by_resource()
    refused = {note.device for note in found.notes if note.text.endswith(")") and "(4" in note.text}
    for name in resources:
        is_refused = all(device.name in refused for device in by_resource[name])
        assert verdict.refusal is not None or is_refused == (name in verdict.refusals)
