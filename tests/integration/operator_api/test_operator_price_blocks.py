"""Blocks of consumption of a price interval, whichever way they change: the first begins with 0. 10.5."""

import pytest

from schemas import Json
from sep2_server.operator import ApiError, OperatorClient
from sep2_server.operator.commands import rows_of

TARIFF = {
    "primacy": 1,
    "serviceCategoryKind": 0,
    "RateComponent": [
        {
            "roleFlags": "0000",
            "TimeTariffInterval": [
                {
                    "touTier": 1,
                    "interval": {"start": "now", "duration": "8h"},
                    "ConsumptionTariffInterval": [
                        {"consumptionBlock": 1, "startValue": 0, "price": 3000},
                        {"consumptionBlock": 2, "startValue": 100, "price": 4000},
                    ],
                }
            ],
        }
    ],
}


@pytest.fixture
def blocks(api: OperatorClient) -> list[str]:
    """The hrefs of the blocks of an interval, from 0 and from 100."""
    tariff = api.call("POST", ("resources",), TARIFF, query={"href": "/tp"})
    (component,) = rows_of(api.get("resources", href=f"{tariff['href']}/rc"), "items")
    (interval,) = rows_of(api.get("resources", href=f"{component['href']}/tti"), "items")
    return [
        str(one["href"]) for one in rows_of(api.get("resources", href=f"{interval['href']}/cti"), "items")
    ]


def put(api: OperatorClient, href: str, body: dict[str, Json]) -> None:
    api.call("PUT", ("resources",), body, query={"href": href})


@pytest.mark.parametrize(
    ("which", "start", "detail"),
    [
        (0, 50, "startValue: the first block begins at 50"),
        (1, 0, "startValue: two blocks begin at the same value"),
    ],
)
def test_a_block_is_not_moved_to_where_it_cannot_be(
    api: OperatorClient, blocks: list[str], which: int, start: int, detail: str
) -> None:
    with pytest.raises(ApiError, match=detail):
        put(api, blocks[which], {"startValue": start})
    put(api, blocks[1], {"startValue": 150})
    put(api, blocks[0], {"startValue": 0, "price": 3100})


def test_the_first_block_is_removed_last(api: OperatorClient, blocks: list[str]) -> None:
    with pytest.raises(ApiError, match="startValue: the first block begins at 100"):
        api.call("DELETE", ("resources",), query={"href": blocks[0]})
    for href in reversed(blocks):
        api.call("DELETE", ("resources",), query={"href": href})


def test_an_interval_has_a_version_for_each_price(api: OperatorClient, blocks: list[str]) -> None:
    interval = blocks[0].rpartition("/cti/")[0]

    def version() -> object:
        held = api.get("resources", href=interval)["resource"]
        assert isinstance(held, dict)
        return held.get("version")

    versions = [version()]
    put(api, blocks[0], {"price": 3200})
    versions.append(version())
    block = {"consumptionBlock": 3, "startValue": 200, "price": 5000}
    api.call("POST", ("resources",), block, query={"href": f"{interval}/cti"})
    versions.append(version())
    api.call("DELETE", ("resources",), query={"href": blocks[1]})
    versions.append(version())
    assert versions == [0, 1, 2, 3]
