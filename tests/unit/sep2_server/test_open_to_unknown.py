"""What a client that is not enrolled may read: by certificate, registration and rules. CSIP 1.5."""

from dataclasses import replace

import pytest

from sep2_server.access import OPEN_TO_ENTERING, OPEN_TO_UNKNOWN, open_to_unknown
from sep2_server.settings import settings_of

CAPABILITY = frozenset({"DeviceCapability"})
NOTHING: frozenset[str] = frozenset()
REFUSING = replace(
    settings_of({}).profile, open_mirror_list=False, open_capability=False, unknown_client="403"
)


@pytest.mark.parametrize(
    ("changes", "has_certificate", "in_band", "shown"),
    [
        ({}, True, False, NOTHING),
        ({}, True, True, OPEN_TO_UNKNOWN),
        ({}, False, True, NOTHING),
        ({"open_mirror_list": True}, True, True, OPEN_TO_ENTERING),
        ({"open_mirror_list": True}, True, False, NOTHING),
        ({"open_mirror_list": True}, False, True, NOTHING),
        ({"unknown_client": "empty_list"}, True, False, OPEN_TO_UNKNOWN),
        ({"unknown_client": "empty_list"}, False, False, NOTHING),
        ({"unknown_client": "capability"}, True, False, CAPABILITY),
        ({"unknown_client": "capability"}, False, False, NOTHING),
        ({"open_capability": True}, False, False, CAPABILITY),
        ({"open_capability": True}, True, False, CAPABILITY),
    ],
)
def test_what_is_open_hangs_on_certificate_registration_and_rules(
    changes: dict[str, object], *, has_certificate: bool, in_band: bool, shown: frozenset[str]
) -> None:
    rules = replace(REFUSING, **changes)  # type: ignore[arg-type]  # each is a field of a profile
    assert open_to_unknown(rules, has_certificate=has_certificate, in_band=in_band) == shown
