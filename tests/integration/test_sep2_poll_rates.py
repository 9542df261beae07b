"""The pollRate of programs is that of the list which clients read: the one of their group. 6."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from certs import Pki
from sep2_server.extra_routes import PROGRAM_KINDS
from sep2_server.operator import rates
from sep2_server.uris import route_named
from tests.integration.lived_in_house import SETTINGS, House, furnish, operate
from tests.integration.sep2_harness import running

pytestmark = pytest.mark.asyncio(loop_scope="module")
LISTS = [f"{kind}List" for kind in PROGRAM_KINDS]
SET = {"FileList": 111}
"""Rates of the profile of the server here."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory, sep2_pki: Pki) -> AsyncIterator[House]:
    folder = tmp_path_factory.mktemp("rates")
    async with running(folder, sep2_pki, profile={"name": "csip", "poll_rate": SET}, **SETTINGS) as bench:
        yield await furnish(bench, device="rates", aggregator="rates-aggregator")


async def rate_of(house: House, kind: str) -> int:
    client = await house.client()
    page: Any = await client.read(house.places[kind], route_named(kind).type)
    return int(page.pollRate or 900)


@pytest.mark.parametrize("kind", LISTS)
async def test_a_rate_that_is_set_holds_for_the_lists_of_groups(house: House, kind: str) -> None:
    group = f"Group{kind}"
    for asked, wanted in (
        ({kind: 77}, (77, 77)),
        ({group: 88}, (77, 88)),
        ({kind: 0}, (await usual(house, kind), 88)),
        ({group: 0}, (await usual(house, kind), await usual(house, kind))),
    ):
        told = await operate(house.bench, rates.change, {"pollRate": asked})
        assert (await rate_of(house, kind), await rate_of(house, group)) == wanted
        shown = told["pollRate"]
        assert isinstance(shown, dict)
        assert (shown[kind], shown[group]) == wanted


async def usual(house: House, kind: str) -> int:
    """The rate of the profile, which is that of CSIP for the DERPrograms alone."""
    return house.bench.server.settings.profile.poll_rate_of(kind) or 900


async def test_a_rate_of_the_profile_holds_for_the_lists_of_groups(house: House) -> None:
    found = {kind: await rate_of(house, f"Group{kind}") for kind in LISTS}
    assert found == dict.fromkeys(LISTS, 900) | {"DERProgramList": 60, "FileList": 111}
