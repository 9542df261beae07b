"""What a rule of a profile may be, and how a wrong one is told."""

import pytest

from sep2_server.setting_values import SettingsError
from sep2_server.settings import settings_of


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"profile": {"name": "csip", "wrong": 1}}, r"profile\.wrong: unknown; known are "),
        ({"mrid_tie_break": "neither"}, "mrid_tie_break: 'neither' is not one of "),
        ({"list_limit": 0}, "list_limit: 0 is not 1 to 65535"),
        ({"registration_pin": "12"}, r"registration_pin: '12' is not none\|random"),
        ({"response_required": "08"}, r"response_required: '08' is not 0\[0-7\]"),
        ({"function_sets": ["no-such"]}, "function_sets: 'no-such' is not all, a code, or -code"),
        ({"mounts": {"aus": "csip"}}, "mounts: 'aus' is not a path such as /aus13"),
        ({"mounts": 7}, "mounts: 7 is not a table"),
        ({"mounts": {"/a": {"name": "csip", "list_limit": -1}}}, r"mounts\./a\.list_limit: -1 is not "),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_wrong_rule_is_told_with_its_place_and_what_it_may_be(given: dict[str, object], told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        settings_of(given)


def test_function_sets_are_switched_one_by_one() -> None:
    held = set(settings_of({}).profile.function_sets)
    alone = settings_of({"function_sets": ["-all", "derp", "tm"]}).profile.function_sets
    assert set(alone) == {"derp", "tm"}
    assert set(settings_of({"function_sets": ["-derp"]}).profile.function_sets) == held - {"derp"}


def test_a_mount_at_the_root_is_the_profile_at_the_root() -> None:
    settings = settings_of({"mounts": {"/": "base", "/aus13": "csip_aus_v1.3"}})
    assert (settings.profile.name, list(settings.mounts)) == ("base", ["/aus13"])


def test_a_rule_of_the_mount_stands_before_one_for_all() -> None:
    settings = settings_of(
        {"list_limit": 7, "mounts": {"/a": {"name": "csip", "list_limit": 9}, "/b": "csip"}}
    )
    limits = [profile.list_limit for profile in (settings.profile, *settings.mounts.values())]
    assert limits == [7, 9, 7]
