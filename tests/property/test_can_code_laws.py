"""Codes read from the bytes of a frame are those that cantools decodes, at any length, order and content."""

from collections.abc import Mapping
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from der_client.can import builtin_profiles, load_profile
from der_client.can.mapping import message_of, signal_of
from der_client.can.plan import SignalPlan, plan_of
from der_client.can.wire import bytes_needed, swap_bytes, swap_order

PROFILES = {name: load_profile(name) for name in builtin_profiles()}
PLANS = [
    plan_of(profile, message_of(profile.database, m))
    for profile in PROFILES.values()
    for m in profile.incoming
]


def by_cantools(plan: SignalPlan, data: bytes) -> Mapping[str, object]:
    data = data if plan.order is None else swap_bytes(data, plan.order)
    decoded: Mapping[str, object] = plan.message.decode_simple(
        data, decode_choices=False, scaling=False, allow_truncated=True
    )
    return decoded


@given(plan=st.sampled_from(PLANS), data=st.binary(max_size=8))
@settings(deadline=None)
def test_codes_are_those_of_cantools(plan: object, data: bytes) -> None:
    assert isinstance(plan, type(PLANS[0]))
    expected = by_cantools(plan.values, data)

    codes = plan.values.codes(data)

    assert codes is not None
    assert dict(zip(plan.values.names, codes, strict=True)) == {
        name: expected.get(name) for name in plan.values.names
    }


@given(plan=st.sampled_from(PLANS), data=st.binary(max_size=8))
@settings(deadline=None)
def test_codes_of_alarms_are_those_of_cantools(plan: object, data: bytes) -> None:
    assert isinstance(plan, type(PLANS[0]))
    expected = by_cantools(plan.alarm_codes, data)

    codes = plan.alarm_codes.codes(data)

    assert codes is not None
    assert list(codes) == [expected.get(name) for name in plan.alarm_codes.names]


@given(data=st.binary(max_size=8), message=st.sampled_from(sorted(PROFILES["sma_35x"].incoming)))
@settings(deadline=None)
def test_a_swapped_bus_gives_the_codes_of_the_swapped_bytes(data: bytes, message: str) -> None:
    plain = PROFILES["sma_35x"]
    found = message_of(plain.database, message)
    swapped = plan_of(replace(plain, is_swapped=True), found).values
    whole = swap_bytes(data.ljust(found.length, b"\0"), swap_order(found))
    codes = swapped.codes(data)
    straight = plan_of(plain, found).values.codes(whole)

    assert codes is not None
    assert straight is not None
    held = [bytes_needed(signal_of(found, name)) <= len(data) for name in swapped.names]
    assert list(codes) == [code if is_held else None for code, is_held in zip(straight, held, strict=True)]
