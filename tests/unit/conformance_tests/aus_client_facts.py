"""The published procedures for clients, translated into the words of the runner. Nothing may be left over."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from conformance_tests.aus.client_words import (
    Act,
    AddControl,
    AddInterval,
    AddProgram,
    AddRate,
    AddTariff,
    Advertise,
    Asked,
    CancelControls,
    CancelIntervals,
    Check,
    ClientProcedure,
    Confirmed,
    Device,
    Devices,
    DropAssignment,
    DropRate,
    Elapsed,
    Event,
    Finish,
    Mirrored,
    Notified,
    Open,
    Part,
    Polled,
    Quantity,
    Rates,
    Reachable,
    Register,
    RegistrationLinks,
    Requested,
    Responded,
    ServeDcapAt,
    SetDefault,
    Step,
    Stored,
    Subscribed,
)
from conformance_tests.aus.places import Kind, Place
from conformance_tests.aus.values import (
    Amount,
    Bit,
    Bits,
    Compared,
    Facts,
    Given,
    Moment,
    Relation,
    Reported,
    Since,
    Wanted,
)

if TYPE_CHECKING:
    from collections.abc import Callable

Raw = dict[str, Any]

UNITS: Final = {"second": 1, "minute": 60, "hour": 3600}
SINCE: Final = {"now": Since.NOW, "now_day": Since.TODAY, "now_hour": Since.THIS_HOUR}
PLACES: Final = {
    r"/dcap": Kind.DCAP,
    r"/tm": Kind.TIME,
    r"/edev": Kind.EDEV_LIST,
    r"/mup": Kind.MUP_LIST,
    r"/mup/\*": Kind.MUP,
    r"\$randuri_(?P<which>\d+)": Kind.DECOY,
    r"/edev/(?P<device>\d+)/rg": Kind.REGISTRATION,
    r"/edev/(?P<device>\d+)/cp": Kind.CONNECTION_POINT,
    r"/edev/(?P<device>\d+)/fsa": Kind.FSA_LIST,
    r"/edev/(?P<device>\d+)/der": Kind.DER_LIST,
    r"/edev/(?P<device>\d+)/der/1/dercap": Kind.DER_CAPABILITY,
    r"/edev/(?P<device>\d+)/der/1/derg": Kind.DER_SETTINGS,
    r"/edev/(?P<device>\d+)/der/1/ders": Kind.DER_STATUS,
    r"/edev/(?P<device>\d+)/derp": Kind.ALL_PROGRAMS,
    r"/edev/(?P<device>\d+)/fsa/(?P<which>\d+)/derp": Kind.PROGRAMS,
    r"/edev/(?P<device>\d+)/fsa/(?P<which>\d+)/tp": Kind.TARIFFS,
    r"/edev/(?P<device>\d+)/derp/(?P<which>\d+)/derc": Kind.CONTROLS,
    r"/edev/(?P<device>\d+)/derp/(?P<which>\d+)/dderc": Kind.DEFAULT,
    r"/edev/(?P<device>\d+)/tp/(?P<which>\d+)/ctti": Kind.INTERVALS,
    r"/edev/(?P<device>\d+)/sub": Kind.SUBSCRIPTIONS,
    r"/edev/(?P<device>\d+)/rsps/site_control/rsp": Kind.RESPONSES,
    r"/edev/(?P<device>\d+)/rsps/tariff_generated_rates/rsp": Kind.PRICE_RESPONSES,
}
QUANTITIES: Final = {
    "readings-site-active-power": Quantity.SITE_ACTIVE,
    "readings-site-reactive-power": Quantity.SITE_REACTIVE,
    "readings-der-active-power": Quantity.DER_ACTIVE,
    "readings-der-reactive-power": Quantity.DER_REACTIVE,
    "readings-voltage": Quantity.VOLTAGE,
    "readings-der-stored-energy": Quantity.STORED_ENERGY,
}
PARTS: Final = {
    "der-capability-contents": Part.CAPABILITY,
    "der-settings-contents": Part.SETTINGS,
    "der-status-contents": Part.STATUS,
}
MODES: Final = (
    "opModConnect",
    "opModEnergize",
    "opModExpLimW",
    "opModFixedW",
    "opModGenLimW",
    "opModImpLimW",
    "opModLoadLimW",
    "opModStorageTargetW",
)


def place(uri: str) -> Place:
    """The place that a path of the published procedures means."""
    for pattern, kind in PLACES.items():
        if found := re.fullmatch(pattern, uri):
            return Place(kind, **{name: int(number) for name, number in found.groupdict().items()})
    raise AssertionError(uri)


def moment(text: str) -> Moment:
    """A time such as `$(now + '5 minutes')`."""
    found = re.fullmatch(r"\$\((now\w*)(?: ([+-]) '(\d+) (second|minute|hour)s?')?\)", text)
    assert found, text
    since, sign, number, unit = found.groups()
    offset = int(number) * UNITS[unit] * (-1 if sign == "-" else 1) if number else 0
    return Moment(SINCE[since], offset)


def amount(value: float | str) -> Amount:
    """A number or a truth value as it is; `$(setMaxW * 0.5)` as what it means."""
    if not isinstance(value, str):
        return value
    if found := re.fullmatch(r"\$\(0 - (\w+)\)", value):
        return -Reported(found[1])
    if found := re.fullmatch(r"\$\(([\d.]+) \* (\w+)\)", value):
        return Reported(found[2]) * float(found[1])
    found = re.fullmatch(r"\$\((\w+)(?: \* ([\d.]+))?\)", value)
    assert found, value
    return Reported(found[1]) * float(found[2] or 1)


def wanted(name: str, value: float | str) -> tuple[str, Wanted]:
    """What an element must be."""
    if found := re.fullmatch(r"(\w+)_bit(\d)", name):
        return found[1], Bit(int(found[2]), bool(value))
    if found := re.fullmatch(r"(\w+)_(set|anyset)", name):
        return found[1], Bits(int(str(value), 16), any_of=found[2] == "anyset")
    if isinstance(value, bool):
        assert value, name
        return name, Given.ANY
    if isinstance(value, str) and (found := re.fullmatch(r"\$\(this (<=|>=|==|>) (\w+)\)", value)):
        other: Amount = int(found[2]) if found[2].isdigit() else Reported(found[2])
        return name, Compared(Relation(found[1]), other)
    return name, int(value)


def facts(raw: Raw) -> Facts:
    """Elements and what they must be."""
    return tuple(wanted(name, value) for name, value in raw.items())


def check(raw: Raw) -> Check:
    """One check of the published procedures."""
    kind, more = raw["type"], dict(raw.get("parameters") or {})
    if kind in PARTS:
        return Stored(PARTS[kind], facts(more))
    if kind in QUANTITIES:
        return Mirrored(QUANTITIES[kind], **{"at_least": more.pop("minimum_count"), **more})
    return CHECKS[kind](more)


def _device(more: Raw) -> Check:
    identity, point = more.pop("check_lfdi", False), more.pop("has_connection_point_id", False)
    return Device(identity=identity, connection_point=point, facts=facts(more))


def _devices(more: Raw) -> Check:
    assert more["minimum_count"] == more["maximum_count"], more
    return Devices(more["minimum_count"])


def _polled(more: Raw) -> Check:
    assert more.pop("request_type_str") == "GET", more
    return Polled(tuple(map(place, more.pop("endpoints"))), every_s=more.pop("poll_interval_seconds"), **more)


def _responded(more: Raw, *, prices: bool = False) -> Check:
    names = {"subject_tag": "tag", "all": "to_all", "exists": "came"}
    return Responded(prices=prices, **{names.get(name, name): value for name, value in more.items()})


CHECKS: Final[dict[str, Callable[[Raw], Check]]] = {
    "end-device-contents": _device,
    "end-device-count": _devices,
    "subscription-contents": lambda more: Subscribed(place(more.pop("subscribed_resource")), **more),
    "response-contents": _responded,
    "price-response-contents": lambda more: _responded(more, prices=True),
    "all-polls-at-correct-time": _polled,
    "all-notifications-transmitted": lambda more: Notified(**more),
    "resource-requests": lambda more: Requested(
        tuple(more.pop("resources")),
        at_least=more.pop("minimum_count"),
        at_most=more.pop("maximum_count"),
        **more,
    ),
}


def _renamed(more: Raw, names: dict[str, str]) -> Raw:
    return {names.get(name, name): value for name, value in more.items()}


def _modes(more: Raw) -> tuple[tuple[str, Any], ...]:
    return tuple((name, amount(more.pop(name))) for name in MODES if name in more)


def _add_control(more: Raw) -> Act:
    names = {
        "duration_seconds": "duration_s",
        "fsa_id": "assignment",
        "end_device_indexes": "devices",
        "der_program_tag": "program_tag",
        "randomizeStart_seconds": "randomize_start_s",
        "pow_10_multipliers": "multiplier",
        "ramp_time_seconds": "ramp_s",
    }
    return AddControl(start=moment(more.pop("start")), modes=_modes(more), **_renamed(_tuples(more), names))


def _tuples(more: Raw) -> Raw:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in more.items()}


def _set_default(more: Raw) -> Act:
    names = {"setGradW": "ramp", "derp_id": "program", "cancelled": "removed"}
    return SetDefault(modes=_modes(more), **_renamed(more, names))


def _rates(more: Raw) -> Act:
    names = {
        "dcap_poll_seconds": "dcap",
        "edev_list_poll_seconds": "edev",
        "fsa_list_poll_seconds": "fsa",
        "der_list_poll_seconds": "der",
        "derp_list_poll_seconds": "derp",
        "mup_post_seconds": "mup",
        "tp_list_poll_seconds": "tariffs",
        "tti_list_poll_seconds": "intervals",
        "edev_post_seconds": "device_post",
    }
    return Rates(**_renamed(more, names))


def _register(more: Raw) -> Act:
    assert more.pop("aggregator_lfdi") == "3E4F45AB31EDFE5B67E343E5E4562E3100000000"
    assert more.pop("aggregator_sfdi") == 16726121139
    return Register(more.pop("registration_pin"), **more)


def _add_rate(more: Raw) -> Act:
    return AddRate(**_renamed(more, {"power_of_ten_multiplier": "multiplier", "flow_direction": "direction"}))


def _add_interval(more: Raw) -> Act:
    names = {
        "rate_component_tag": "rate",
        "duration_seconds": "duration_s",
        "price_pow10_encoded_block0": "block0",
        "price_pow10_encoded_block1": "block1",
        "price_start_pow10_block1": "block1_from",
    }
    return AddInterval(start=moment(more.pop("start")), **_renamed(more, names))


ACTS: Final[dict[str, Callable[[Raw], Act]]] = {
    "set-comms-rate": _rates,
    "register-end-device": _register,
    "edev-registration-links": lambda more: RegistrationLinks(more.pop("enabled"), **more),
    "create-der-program": lambda more: AddProgram(
        **_renamed(_tuples(more), {"fsa_id": "assignment", "end_device_indexes": "devices"})
    ),
    "set-default-der-control": _set_default,
    "create-der-control": _add_control,
    "cancel-active-der-controls": lambda more: CancelControls(**more),
    "remove-function-set-assignment": lambda more: DropAssignment(more.pop("fsa_id"), **more),
    "create-tariff-profile": lambda more: AddTariff(
        **_renamed(more, {"fsa_id": "assignment", "price_pow_10_multiplier": "price_multiplier"})
    ),
    "create-rate-component": _add_rate,
    "create-time-tariff-interval": _add_interval,
    "cancel-time-tariff-intervals": lambda more: CancelIntervals(**more),
    "delete-rate-component": lambda more: DropRate(**more),
    "communications-status": lambda more: Reachable(more.pop("enabled"), **more),
    "create-wellknown-route": lambda more: Advertise(
        more.pop("version"), tuple(place(uri).which for uri in more.pop("dcap_paths")), **more
    ),
    "enable-steps": lambda more: Open(tuple(more.pop("steps")), **more),
    "finish-test": lambda more: Finish(fault="told" if more.pop("fail_message", "") else "", **more),
}


def act(raw: Raw) -> Act:
    """One act of the server."""
    more = dict(raw.get("parameters") or {})
    if raw["type"] == "add-proxy-route":
        assert more == {"route": "$randuri_3", "proxy_to": "/dcap"}
        return ServeDcapAt(3)
    return ACTS[raw["type"]](more)


def event(raw: Raw) -> Event:
    """What a step waits for."""
    kind, more = raw["type"], dict(raw.get("parameters") or {})
    if kind == "wait":
        return Elapsed(more.pop("duration_seconds"), **more)
    if kind == "proceed":
        return Confirmed(more.pop("timeout_seconds", None), **more)
    answered = more.pop("serve_request_first", False)
    return Asked(
        kind.removesuffix("-request-received"), place(more.pop("endpoint")), answered=answered, **more
    )


def step(name: str, raw: Raw) -> Step:
    """One step; whether a person is told something is compared, not the words."""
    checks = [check(one) for one in raw["event"].get("checks") or []]
    assert len(checks) <= 1, name
    acts = [one for one in raw["actions"] if one["type"] not in {"enable-steps", "remove-steps"}]
    removed = [one["parameters"]["steps"] for one in raw["actions"] if one["type"] == "remove-steps"]
    assert removed in ([], [[name]]), name
    opened = [
        to for one in raw["actions"] if one["type"] == "enable-steps" for to in one["parameters"]["steps"]
    ]
    return Step(
        name,
        event(raw["event"]),
        tuple(map(act, acts)),
        tuple(opened),
        checks[0] if checks else None,
        "told" if raw.get("instructions") else "",
        stays=not removed,
    )


def procedure(name: str, raw: Raw) -> ClientProcedure:
    """One procedure; its title and what people are told are in words of ours."""
    before = raw["Preconditions"]
    passes = list(raw["Criteria"]["checks"])
    complete = [one for one in passes if one["type"] == "all-steps-complete"]
    assert len(complete) == 1, name
    return ClientProcedure(
        name=name,
        title="",
        category=raw["Category"],
        classes=tuple(raw["Classes"]),
        versions=frozenset(raw["TargetVersions"]),
        at_once=before.get("immediate_start", False),
        first=tuple(map(act, before.get("init_actions") or [])),
        acts=tuple(map(act, before.get("actions") or [])),
        ready=tuple(map(check, before.get("checks") or [])),
        steps=tuple(step(*one) for one in raw["Steps"].items()),
        passes=tuple(check(one) for one in passes if one not in complete),
        unmet=tuple((complete[0].get("parameters") or {}).get("ignored_steps", ())),
        tell="told" if before.get("instructions") else "",
    )
