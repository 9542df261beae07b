"""Prepaid accounts: what the operator does, what the device then reads. IEEE 2030.5-2018, 10.8."""

import secrets
from collections.abc import Callable
from typing import TypeVar

import pytest

from schemas import (
    AccountBalance,
    Codec,
    CreditRegisterList,
    PrepaymentList,
    PrepayOperationStatus,
    SupplyInterruptionOverrideList,
)
from sep2_server import ManualClock
from sep2_server.messages import Answer
from sep2_server.operator import ApiError, OperatorClient, Site
from sep2_server.operator.auth import Role
from sep2_server.operator.commands import rows_of
from sep2_server.operator.token_files import add_token

T = TypeVar("T")
LFDI = "3E4F45AB31EDFE5B67E343E5E4562E31984E23E5"
OTHER = "AE4F45AB31EDFE5B67E343E5E4562E31984E23E5"
NOW = 1_700_000_000
DeviceRequest = Callable[..., Answer]


@pytest.fixture
def beside() -> dict[str, object]:
    """Every function set is offered."""
    return {"function_sets": "all"}


@pytest.fixture
def account(api: OperatorClient) -> str:
    """MRID of the account of the group house, which the device north is in."""
    api.call("POST", ("devices",), {"name": "north", "lFDI": LFDI, "pIN": 111_115})
    api.call("POST", ("devices",), {"name": "south", "lFDI": OTHER, "pIN": 111_115})
    api.call("POST", ("groups",), {"name": "house", "primacy": 5})
    api.call("PUT", ("groups", "house", "devices", "north"))
    body = {"currency": 978, "balance": "3.00", "lowCreditWarningLevel": "5.00", "description": "house"}
    return str(api.call("POST", ("groups", "house", "prepayments"), body)["mRID"])


class House:
    """What the device of the house reads of its account."""

    def __init__(self, device_request: DeviceRequest) -> None:
        self._request = device_request
        self.prepayment = self.read("/ppy?l=9", PrepaymentList).Prepayment_[0]

    def read(self, path: str, cls: type[T]) -> T:
        answer = self._request("GET", path)
        assert answer.status == 200
        return Codec().decode(answer.body, cls)

    def credit(self) -> tuple[float, int | None]:
        """Available credit and its state."""
        balance = self.read(self.prepayment.AccountBalanceLink_.href, AccountBalance)
        unit = balance.availableCredit
        return round(unit.value * 10**unit.multiplier, 4), balance.creditStatus

    def supply(self) -> tuple[int, tuple[int, int] | None]:
        """State of the supply, and the change that is to come."""
        status = self.read(self.prepayment.PrepayOperationStatusLink_.href, PrepayOperationStatus)
        change = status.serviceChange
        return status.serviceStatus, None if change is None else (change.newStatus, change.startTime)


@pytest.fixture
def house(account: str, device_request: DeviceRequest) -> House:
    return House(device_request)


def test_credit_moves_the_balance_and_a_token_is_good_once(
    api: OperatorClient, account: str, house: House
) -> None:
    assert house.credit() == (3.0, 1)
    path = ("prepayments", account, "credits")
    told = api.call("POST", path, {"amount": "20.50", "token": "T-1"})
    assert (told["availableCredit"], house.credit()) == ("23.50", (23.5, 0))
    with pytest.raises(ApiError, match="token 'T-1' was used before"):
        api.call("POST", path, {"amount": "20.50", "token": "T-1"})
    assert house.credit() == (23.5, 0)
    listed = house.read(f"{house.prepayment.CreditRegisterListLink_.href}?l=9", CreditRegisterList)
    assert [one.token for one in listed.CreditRegister_] == ["T-1"]


@pytest.mark.parametrize("role", [*Role])
def test_a_viewer_does_not_see_what_was_paid_with(
    api: OperatorClient, account: str, house: House, site: Site, role: Role
) -> None:
    api.call("POST", ("prepayments", account, "credits"), {"amount": "20.50", "token": "T-1"})
    secret = add_token(site.operator.folder, "reader", role, secrets.randbits)
    reader = OperatorClient(url=api.url, secret=secret, roots=api.roots)
    [shown] = rows_of(reader.get("prepayments", account), "credits")
    listed = house.prepayment.CreditRegisterListLink_.href
    [item] = rows_of(reader.get("resources", href=listed), "items")
    assert isinstance(item["resource"], dict)
    told = [held.get("token") for held in (shown, item["resource"])]
    assert told == [None if role is Role.VIEWER else "T-1"] * 2
    assert "creditAmount" in shown
    assert "creditAmount" in item["resource"]


def test_supply_is_cut_when_credit_has_run_out_and_comes_back(
    api: OperatorClient, account: str, house: House
) -> None:
    assert house.supply() == (0, None)
    api.call("POST", ("prepayments", account, "charges"), {"amount": "3.25"})
    assert (house.credit(), house.supply()) == ((-0.25, 3), (1, None))
    api.call("POST", ("prepayments", account, "credits"), {"amount": "10", "token": "T-2"})
    assert (house.credit(), house.supply()) == ((9.75, 0), (0, None))


def test_an_override_holds_the_supply_until_its_end(
    api: OperatorClient, account: str, house: House, clock: ManualClock
) -> None:
    api.call("POST", ("prepayments", account, "charges"), {"amount": "3"})
    assert house.supply() == (1, None)
    api.call("POST", ("prepayments", account, "overrides"), {"duration": 600})
    assert house.supply() == (0, (1, NOW + 600))
    link = house.prepayment.ActiveSupplyInterruptionOverrideListLink_
    assert link is not None
    assert house.read(f"{link.href}?l=9", SupplyInterruptionOverrideList).all == 1
    clock.set(NOW + 600)
    assert house.supply() == (1, None)
    assert house.read(f"{link.href}?l=9", SupplyInterruptionOverrideList).all == 0


def test_an_override_to_come_is_announced_and_happens(
    api: OperatorClient, account: str, house: House, clock: ManualClock
) -> None:
    api.call("POST", ("prepayments", account, "charges"), {"amount": "3"})
    body = {"start": NOW + 100, "duration": 50, "description": "frost"}
    api.call("POST", ("prepayments", account, "overrides"), body)
    assert house.supply() == (1, (0, NOW + 100))
    clock.set(NOW + 120)
    assert house.supply() == (0, (1, NOW + 150))
    clock.set(NOW + 10_000)
    assert house.supply() == (1, None)


def test_emergency_credit_is_used_last(api: OperatorClient, account: str, house: House) -> None:
    path = ("prepayments", account, "credits")
    told = api.call("POST", path, {"amount": "2", "token": "E-1", "emergency": True})
    assert told["emergencyCredit"] == "2"
    told = api.call("POST", ("prepayments", account, "charges"), {"amount": "4"})
    assert (told["availableCredit"], told["emergencyCredit"]) == ("0.00", "1")
    assert house.supply() == (0, None)


@pytest.mark.parametrize(
    ("what", "body", "detail"),
    [
        ("credits", {"amount": "many", "token": "T"}, "amount: 'many' is no number"),
        ("credits", {"amount": "1"}, "token: missing"),
        ("credits", {"amount": "NaN", "token": "T"}, "cannot be told"),
        ("credits", {"amount": "1e9", "token": "T"}, "more than an account"),
        ("credits", {"amount": "1", "token": "T", "effectiveTime": NOW + 1}, "in the future"),
        ("charges", {"amount": "-1"}, "a charge is not negative"),
    ],
)
def test_what_cannot_be_is_refused_and_moves_nothing(
    api: OperatorClient, account: str, house: House, what: str, body: dict[str, object], detail: str
) -> None:
    with pytest.raises(ApiError, match=detail):
        api.call("POST", ("prepayments", account, what), body)
    assert house.credit() == (3.0, 1)


def test_no_other_device_sees_the_account(house: House, device_request: DeviceRequest) -> None:
    for path in ("", "/ab", "/os", "/cr", "/si"):
        answer = device_request("GET", f"{house.prepayment.href}{path}", lfdi=OTHER)
        assert answer.status == 404
    answer = device_request("GET", "/ppy?l=9", lfdi=OTHER)
    assert Codec().decode(answer.body, PrepaymentList).all == 0


def test_the_commands_lead_through_the_life_of_an_account(
    op: Callable[..., int], account: str, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [
        ("prepay", "open", "house", "--currency", "978", "--emergency", "1.00", "--no-contactor"),
        ("prepay", "list", "house"),
        ("prepay", "credit", account, "20.00", "--token", "5312-8841"),
        ("prepay", "charge", account, "23.00"),
        ("prepay", "hold", account, "--for", "3600"),
        ("prepay", "show", account),
    ]
    assert [op(*line) for line in lines] == [0] * len(lines)
    told = capsys.readouterr().out
    assert "no contactor" in told
    assert "connected, disconnected at 2023-11-14 23:13:20Z" in told
    assert "5312-8841" in told
