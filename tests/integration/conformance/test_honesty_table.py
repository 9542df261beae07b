"""The table of planted faults: what must be in it, that no named case fails without one, and its page."""

from pathlib import Path

import pytest

from conformance_tests import Level, Role
from conformance_tests.catalogue import all_cases
from tests.integration.conformance import (
    test_client_csip,
    test_client_security,
    test_conform_aus_client,
    test_conform_aus_server,
    test_conform_csip_server,
    test_conform_security,
)
from tests.integration.conformance.honesty import BY_ID
from tests.integration.conformance.planted.page import page
from tests.integration.conformance.planted.row import NAMED
from tests.integration.conformance.planted.table import FAULTS, GENERATED, NAMED_CASES, SAMPLE

LEAST = 120
OF_CLIENTS = 40
PAGE = Path("docs/honesty.md")
PLAYED_WITHOUT_A_FAULT = frozenset().union(
    test_client_csip.PLAYED,
    test_client_security.PLAYED,
    test_conform_aus_client.PLAYED,
    test_conform_aus_server.PLAYED,
    test_conform_csip_server.PLAYED,
    test_conform_security.PLAYED,
)
"""Cases that must pass against our own server or client, in tests of their own."""


def test_each_switch_has_a_name_of_its_own() -> None:
    names = [one.name for one in FAULTS]
    assert sorted(names) == sorted(set(names))


def test_there_are_enough_faults_of_servers_and_of_clients() -> None:
    assert len(FAULTS) >= LEAST
    assert sum(one.role is not Role.SERVER for one in FAULTS) >= OF_CLIENTS
    assert {one.role for one in FAULTS} == set(Role)


@pytest.mark.parametrize("names", [frozenset(one.name for one in FAULTS), SAMPLE], ids=["table", "sample"])
def test_each_kind_of_fault_is_there_in_the_whole_table_and_in_its_sample(names: frozenset[str]) -> None:
    assert {one.kind for one in FAULTS if one.name in names} >= set(NAMED)


def test_each_family_and_role_has_faults() -> None:
    wanted = {(case.family, case.role) for case in all_cases()}
    assert {(family, one.role) for one in FAULTS for family in one.families} == wanted


def test_each_case_that_is_named_exists_and_is_of_one_role() -> None:
    assert BY_ID.keys() >= NAMED_CASES
    assert all({BY_ID[case].role for case in one.cases} == {one.role} for one in FAULTS)


def test_few_faults_only_warn_in_a_case_of_what_must_be() -> None:
    """What reads back otherwise, or counts wrongly, warns in CSIP-AUS; a PIN need not be compared twice."""
    must = {one.name for one in FAULTS if one.warns and all(BY_ID[c].level is Level.MUST for c in one.cases)}
    of_aus = {"old-connection-point", "status-not-stored", "aus-pin-not-compared", "aus-notified-results"}
    assert must == {*of_aus, "pin-not-compared"}


def test_no_named_case_fails_without_a_fault() -> None:
    """Generated cases are played without a fault beside each fault; all others in these tests."""
    procedures = {case for case in NAMED_CASES if BY_ID[case].family not in GENERATED}
    assert procedures <= PLAYED_WITHOUT_A_FAULT


def test_the_page_says_what_the_table_does() -> None:
    """Written anew by `python -m tests.integration.conformance.planted.page`."""
    assert PAGE.read_text(encoding="utf-8") == page()
