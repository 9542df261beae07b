"""The published procedures for servers, translated into the words of the runner. Nothing may be left over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from conformance_tests.aus.server_deeds import (
    Collect,
    Deed,
    Discover,
    Forget,
    Found,
    Listen,
    Live,
    Location,
    Mirror,
    Pause,
    PostDevice,
    PostReadings,
    PutCapability,
    PutConnectionPoint,
    PutSettings,
    PutStatus,
    PutUntimedSettings,
    Reading,
    Refresh,
    Respond,
    RespondWrongly,
    Subscribe,
    Unsubscribe,
)
from conformance_tests.aus.server_words import (
    Answered,
    Assignments,
    Between,
    ClearControls,
    Controls,
    Defaults,
    DeviceLists,
    Discovered,
    Duty,
    EnsureAssignment,
    EnsureControlList,
    EnsureDevice,
    EnsureProgram,
    InTime,
    Mirrors,
    Modes,
    NoMirrors,
    OwnDevice,
    Player,
    PollRate,
    Programs,
    Publish,
    PublishDefault,
    ServerProcedure,
    ServerStep,
    SetPollRate,
    SetPostRate,
    TakeAccess,
    Test,
)
from tests.unit.conformance_tests.aus_client_facts import MODES, Raw, amount

if TYPE_CHECKING:
    from collections.abc import Callable


def _found(names: list[str]) -> tuple[Found, ...]:
    return tuple(map(Found, names))


def _renamed(more: Raw, **names: str) -> Raw:
    return {names.get(name, name): value for name, value in more.items()}


def _modes(more: Raw) -> Modes:
    return tuple((name, amount(more.pop(name))) for name in MODES if name in more)


def _between(more: Raw) -> Between:
    return Between(more.pop("minimum_count", None), more.pop("maximum_count", None))


def _mrids(more: Raw) -> tuple[str, ...]:
    return tuple(more.pop("mmr_mrids", ()))


def _types(more: Raw) -> tuple[Reading, ...]:
    return tuple(map(Reading, more.pop("reading_types", ())))


def _location(more: Raw) -> Location | None:
    return Location(more.pop("location")) if "location" in more else None


def _refresh(more: Raw) -> Deed:
    names = {"expect_rejection": "refused", "expect_rejection_or_empty": "or_empty"}
    return Refresh(Found(more.pop("resource")), **_renamed(more, **names))


def _connection_point(more: Raw) -> Deed:
    text = more.pop("connectionPointId")
    if more.pop("expect_rejection", False):
        return PutConnectionPoint(invalid=text, **more)
    return PutConnectionPoint(valid={"$(valid_nmi_1)": 1, "$(valid_nmi_2)": 2}[text], **more)


def _mirror(more: Raw) -> Deed:
    names = {
        "mup_id": "tag",
        "set_mup_mrid": "mrid",
        "pow10_multiplier": "multiplier",
        "expect_rejection": "refused",
    }
    location = _location(more)
    assert location
    return Mirror(
        location=location, types=_types(more), reading_mrids=_mrids(more), **_renamed(more, **names)
    )


def _readings(more: Raw) -> Deed:
    values = {Reading(name): tuple(row) for name, row in more.pop("values").items()}
    names = {"mup_id": "tag", "expect_rejection": "refused"}
    return PostReadings(values=values, reading_mrids=_mrids(more), **_renamed(more, **names))


def _notifications(more: Raw) -> Deed:
    if "disable" in more:
        return Listen(more.pop("sub_id"), taken=not more.pop("disable"), **more)
    assert more.pop("collect") is True
    return Collect(more.pop("sub_id"), **more)


def _wrong_settings(more: Raw) -> Deed:
    assert more == {"updatedTime_missing": True}
    return PutUntimedSettings()


DEEDS: Final[dict[str, Callable[[Raw], Deed]]] = {
    "discovery": lambda more: Discover(_found(more.pop("resources")), more.pop("list_limit", None), **more),
    "refresh-resource": _refresh,
    "insert-end-device": lambda more: PostDevice(
        **_renamed(more, expect_rejection="refused", force_lfdi="lfdi")
    ),
    "upsert-der-status": lambda more: PutStatus(
        **_renamed(
            more,
            genConnectStatus="connected",
            operationalModeStatus="operational",
            expect_rejection="refused",
        )
    ),
    "upsert-der-capability": lambda more: PutCapability(
        **_renamed(more, type="kind", rtgMaxW="max_w", modesSupported="modes", doeModesSupported="doe_modes")
    ),
    "upsert-der-settings": lambda more: PutSettings(
        **_renamed(more, setMaxW="max_w", setGradW="ramp", modesEnabled="modes", doeModesEnabled="doe_modes")
    ),
    "send-malformed-der-settings": _wrong_settings,
    "upsert-connection-point": _connection_point,
    "upsert-mup": _mirror,
    "insert-readings": _readings,
    "create-subscription": lambda more: Subscribe(more.pop("sub_id"), Found(more.pop("resource")), **more),
    "delete-subscription": lambda more: Unsubscribe(more.pop("sub_id"), **more),
    "notifications": _notifications,
    "respond-der-controls": lambda more: Respond(**more),
    "send-malformed-response": lambda more: RespondWrongly(
        **_renamed(
            more,
            mrid_unknown="unknown_event",
            endDeviceLFDI_unknown="unknown_device",
            response_invalid="unknown_status",
        )
    ),
    "wait": lambda more: Pause(more.pop("duration_seconds"), **more),
    "forget": lambda more: Forget(_found(more.pop("resources")), **more),
    "simulate-client": lambda more: Live(
        more.pop("frequency_seconds"), more.pop("total_simulations"), **more
    ),
}


def _controls(more: Raw) -> Test:
    unramped = "rampTms" in more and more["rampTms"] is None
    if unramped:
        del more["rampTms"]
    names = {
        "event_status": "status",
        "rampTms": "ramp",
        "responseRequired": "response_required",
        "duration": "duration_s",
        "randomizeStart": "randomize_start_s",
        "derp_primacy": "primacy",
        "sub_id": "subscription",
    }
    return Controls(number=_between(more), modes=_modes(more), unramped=unramped, **_renamed(more, **names))


def _defaults(more: Raw) -> Test:
    names = {"setGradW": "ramp", "derp_primacy": "primacy", "sub_id": "subscription"}
    return Defaults(number=_between(more), modes=_modes(more), **_renamed(more, **names))


def _assignments(more: Raw) -> Test:
    assert more.pop("matches_client_edev") is True
    return Assignments(number=_between(more), **_renamed(more, sub_id="subscription"))


def _answered(more: Raw) -> Test:
    number = _between(more)
    assert number.at_least == number.at_most
    return Answered(more.pop("sent_response_type"), number.at_least or 0, **more)


def _mirrors(more: Raw) -> Test:
    names = {"matches": "there", "check_mup_mrid": "mrid", "post_rate_seconds": "post_s"}
    return Mirrors(
        location=_location(more), types=_types(more), reading_mrids=_mrids(more), **_renamed(more, **names)
    )


TESTS: Final[dict[str, Callable[[Raw], Test]]] = {
    "discovered": lambda more: Discovered(
        _found(more.pop("resources", [])), _found(more.pop("links", [])), **more
    ),
    "end-device": lambda more: OwnDevice(**_renamed(more, matches_client="there", matches_pin="pin")),
    "time-synced": lambda more: InTime(**more),
    "der-control": _controls,
    "default-der-control": _defaults,
    "function-set-assignment": _assignments,
    "der-program": lambda more: Programs(
        number=_between(more), **_renamed(more, fsa_index="assignment", sub_id="subscription")
    ),
    "end-device-list": lambda more: DeviceLists(
        number=_between(more), **_renamed(more, poll_rate="poll_s", sub_id="subscription")
    ),
    "poll-rate": lambda more: PollRate(
        Found(more.pop("resource")), **_renamed(more, poll_rate_seconds="seconds")
    ),
    "mirror-usage-point": _mirrors,
    "der-control-responses": _answered,
}


def _publish(more: Raw) -> Duty:
    names = {
        "rampTms": "ramp",
        "start_offset_seconds": "start_in_s",
        "duration_seconds": "duration_s",
        "randomizeStart_seconds": "randomize_start_s",
    }
    active = {"active": True, "scheduled": False}[more.pop("status")]
    return Publish(active=active, modes=_modes(more), **_renamed(more, **names))


def _clear(more: Raw) -> Duty:
    assert more == {"all": True}
    return ClearControls()


def _access(more: Raw) -> Duty:
    assert more == {"granted": False}
    return TakeAccess()


def _post_rate(more: Raw) -> Duty:
    assert more.pop("resource") == "MirrorUsagePoint"
    return SetPostRate(more.pop("rate_seconds"), **more)


DUTIES: Final[dict[str, Callable[[Raw], Duty]]] = {
    "ensure-end-device": lambda more: EnsureDevice(
        **_renamed(more, has_der_list="der", has_registration_link="registration")
    ),
    "ensure-fsa": lambda more: EnsureAssignment(**_renamed(more, annotation="tag")),
    "ensure-der-program": lambda more: EnsureProgram(**_renamed(more, fsa_annotation="tag")),
    "ensure-der-control-list": lambda more: EnsureControlList(**more),
    "create-der-control": _publish,
    "create-default-der-control": lambda more: PublishDefault(
        modes=_modes(more), **_renamed(more, setGradW="ramp")
    ),
    "clear-der-controls": _clear,
    "set-client-access": _access,
    "set-poll-rate": lambda more: SetPollRate(Found(more.pop("resource")), more.pop("rate_seconds"), **more),
    "set-post-rate": _post_rate,
    "ensure-mup-list-empty": lambda more: NoMirrors(**more),
}


def _parameters(raw: Raw) -> Raw:
    return dict(raw.get("parameters") or {})


def _duty(raw: Raw, by: str) -> Duty:
    assert raw.get("client", by) == by, raw
    return DUTIES[raw["type"]](_parameters(raw))


def step(raw: Raw, alone: bool) -> ServerStep:
    """One step without its name; whether the operator is told something is compared, not the words."""
    by = raw.get("client", "")
    return ServerStep(
        "",
        DEEDS[raw["action"]["type"]](_parameters(raw["action"])),
        tuple(TESTS[one["type"]](_parameters(one)) for one in raw.get("checks") or []),
        tuple(_duty(one, by) for one in raw.get("admin_instructions") or []),
        until=raw.get("repeat_until_pass", False),
        by="" if alone else by,
        knows=raw.get("use_client_context", ""),
        tell="told" if raw.get("instructions") else "",
    )


def procedure(name: str, raw: Raw) -> ServerProcedure:
    """One procedure; its title and the names of its steps are in words of ours."""
    clients = raw["Preconditions"]["required_clients"]
    return ServerProcedure(
        name=name,
        title="",
        category=raw["Category"],
        classes=tuple(raw["Classes"]),
        versions=frozenset(raw["TargetVersions"]),
        clients=tuple((one["id"], Player(one.get("client_type", "any"))) for one in clients),
        steps=tuple(step(one, alone=len(clients) == 1) for one in raw["Steps"]),
    )
