"""Prepaid accounts through the operations on resources of any kind: the rules of `lineside op prepay`."""

import pytest

from sep2_server.operator import ApiError, OperatorClient

CREDIT: dict[str, object] = {
    "creditAmount": {"monetaryUnit": 978, "multiplier": 0, "value": 20},
    "creditType": 0,
    "effectiveTime": 1_700_000_000,
    "token": "5312-8841",
}
WEEK_S = 604_800


@pytest.fixture
def account(api: OperatorClient) -> dict[str, object]:
    """An account in EUR without any credit."""
    api.call("POST", ("groups",), {"name": "house-7", "primacy": 7})
    return dict(api.call("POST", ("groups", "house-7", "prepayments"), {"currency": 978}))


def state(api: OperatorClient, account: dict[str, object]) -> tuple[object, object]:
    """Credit, and status of the supply."""
    told = api.get("prepayments", str(account["mRID"]))
    operation = told["PrepayOperationStatus"]
    assert isinstance(operation, dict)
    return told["availableCredit"], operation["serviceStatus"]


def add(api: OperatorClient, href: str, body: dict[str, object]) -> str:
    return str(api.call("POST", ("resources",), body, query={"href": href})["href"])


def test_a_credit_moves_the_balance_and_takes_it_back_when_removed(
    api: OperatorClient, account: dict[str, object]
) -> None:
    before = state(api, account)
    href = add(api, f"{account['href']}/cr", CREDIT)
    assert state(api, account) == ("20", 0)
    api.call("DELETE", ("resources",), query={"href": href})
    assert state(api, account) == before


def test_a_token_is_good_once_and_a_credit_does_not_change(
    api: OperatorClient, account: dict[str, object]
) -> None:
    href = add(api, f"{account['href']}/cr", CREDIT)
    with pytest.raises(ApiError) as caught:
        add(api, f"{account['href']}/cr", CREDIT)
    assert caught.value.status == 409
    with pytest.raises(ApiError) as caught:
        api.call("PUT", ("resources",), {"token": "1"}, query={"href": href})
    assert caught.value.status == 400
    assert state(api, account) == ("20", 0)


def test_an_override_holds_the_supply_while_it_is_there(
    api: OperatorClient, account: dict[str, object]
) -> None:
    before = state(api, account)
    href = add(api, f"{account['href']}/si", {"interval": {"start": "now", "duration": WEEK_S}})
    held = state(api, account)
    api.call("DELETE", ("resources",), query={"href": href})
    assert (held, state(api, account)) == (("0", 0), before)


@pytest.mark.parametrize("below", ["ab", "os"])
def test_what_an_account_must_have_is_not_removed(
    api: OperatorClient, account: dict[str, object], below: str
) -> None:
    with pytest.raises(ApiError) as caught:
        api.call("DELETE", ("resources",), query={"href": f"{account['href']}/{below}"})
    assert caught.value.status == 409


def test_a_new_balance_decides_the_supply(api: OperatorClient, account: dict[str, object]) -> None:
    credit = {"monetaryUnit": 978, "multiplier": 0, "value": 5}
    query: dict[str, str | int] = {"href": f"{account['href']}/ab"}
    api.call("PUT", ("resources",), {"availableCredit": credit}, query=query)
    assert state(api, account) == ("5", 0)


def test_a_charge_with_more_decimals_than_it_needs_leaves_room_for_credit(
    api: OperatorClient, account: dict[str, object]
) -> None:
    place = ("prepayments", str(account["mRID"]))
    api.call("POST", (*place, "credits"), {"amount": "20", "token": "1"})
    assert api.call("POST", (*place, "charges"), {"amount": "0.50000000"})["availableCredit"] == "19.50"
    told = api.call("POST", (*place, "credits"), {"amount": "50", "token": "2"})
    assert told["availableCredit"] == "69.50"


@pytest.mark.parametrize(
    ("amount", "hint"), [("-1", "that is not negative"), ("0.00000001", "with fewer decimals")]
)
def test_a_charge_that_is_refused_says_what_to_give(
    api: OperatorClient, account: dict[str, object], amount: str, hint: str
) -> None:
    place = ("prepayments", str(account["mRID"]))
    api.call("POST", (*place, "credits"), {"amount": "22", "token": "1"})
    with pytest.raises(ApiError) as caught:
        api.call("POST", (*place, "charges"), {"amount": amount})
    assert (caught.value.status, caught.value.hint) == (409, f"nothing was charged; give an amount {hint}")
    assert state(api, account) == ("22", 0)
