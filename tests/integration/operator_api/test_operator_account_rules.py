"""Prepaid accounts, bills and configurations: what follows from a change, as the device reads it."""

from collections.abc import Callable
from typing import Any

import pytest

from schemas import (
    AccountBalance,
    Codec,
    Configuration,
    CustomerAgreementList,
    Prepayment,
    PrepayOperationStatus,
)
from sep2_server.messages import Answer
from sep2_server.operator import ApiError, OperatorClient
from sep2_server.operator.commands import rows_of

LFDI = "3E4F45AB31EDFE5B67E343E5E4562E31984E23E5"
OTHER = "AE4F45AB31EDFE5B67E343E5E4562E31984E23E5"
NOW = 1_700_000_000
DeviceRequest = Callable[..., Answer]
GROUP = ("groups", "house-7")


@pytest.fixture(autouse=True)
def edev(api: OperatorClient) -> str:
    """The device north in the group house-7; the href of its EndDevice."""
    made = api.call("POST", ("devices",), {"name": "north", "lFDI": LFDI, "pIN": 111_115})
    api.call("POST", ("groups",), {"name": "house-7", "primacy": 5})
    api.call("PUT", (*GROUP, "devices", "north"))
    return str(made["href"])


def read(device_request: DeviceRequest, path: str, cls: type[Any]) -> Any:  # noqa: ANN401
    answer = device_request("GET", path)
    assert answer.status == 200
    return Codec().decode(answer.body, cls)


def units(value: int) -> dict[str, int]:
    return {"monetaryUnit": 978, "multiplier": 0, "value": value}


def states(device_request: DeviceRequest, href: str) -> tuple[int | None, int | None, int]:
    """States of the credit and of the emergency credit, and of the supply."""
    held = read(device_request, href, Prepayment)
    balance = read(device_request, held.AccountBalanceLink_.href, AccountBalance)
    operation = read(device_request, held.PrepayOperationStatusLink_.href, PrepayOperationStatus)
    return balance.creditStatus, balance.emergencyCreditStatus, operation.serviceStatus


def test_another_level_rates_the_credit_anew(api: OperatorClient, device_request: DeviceRequest) -> None:
    """Warned of from 20 on: low; run out at 10: exhausted, and the supply is cut; and back again."""
    href = str(api.call("POST", (*GROUP, "prepayments"), {"currency": 978, "balance": "10"})["href"])
    seen = [states(device_request, href)]
    for name, value in (("lowCreditWarningLevel", 20), ("creditExpiryLevel", 10), ("creditExpiryLevel", 5)):
        api.call("PUT", ("resources",), {name: units(value)}, query={"href": href})
        seen.append(states(device_request, href))
    assert seen == [(0, None, 0), (1, None, 0), (2, None, 1), (1, None, 0)]


def test_an_account_is_opened_with_levels_and_emergency_credit(
    api: OperatorClient, device_request: DeviceRequest
) -> None:
    levels = {"lowCreditWarningLevel": "5", "creditExpiryLevel": "1", "lowEmergencyCreditWarningLevel": "3"}
    body = {"currency": 978, "balance": "1", "emergencyCredit": "2", **levels}
    href = str(api.call("POST", (*GROUP, "prepayments"), body)["href"])
    assert states(device_request, href) == (2, 1, 0)


def test_a_supply_without_a_contactor_is_never_cut(
    api: OperatorClient, device_request: DeviceRequest
) -> None:
    made = api.call("POST", (*GROUP, "prepayments"), {"currency": 978, "contactor": False})
    assert states(device_request, str(made["href"]))[2] == 4
    api.call("POST", ("prepayments", str(made["mRID"]), "charges"), {"amount": "5"})
    assert states(device_request, str(made["href"])) == (3, None, 4)


def test_credits_that_come_with_an_account_count(api: OperatorClient, device_request: DeviceRequest) -> None:
    credit = {"creditAmount": units(20), "creditType": 0, "effectiveTime": NOW, "token": "T"}
    body = {
        "prepayMode": 0,
        "creditExpiryLevel": units(0),
        "CreditRegister": [credit, {**credit, "token": "U", "creditType": 1}],
    }
    query = {"href": "/ppy", "group": "house-7"}
    href = str(api.call("POST", ("resources",), body, query=query)["href"])
    held = read(device_request, href, Prepayment)
    balance = read(device_request, held.AccountBalanceLink_.href, AccountBalance)
    assert (balance.availableCredit.value, balance.emergencyCredit.value) == (20, 20)
    with pytest.raises(ApiError, match="token 'U' was used before"):
        api.call("POST", ("resources",), {**credit, "token": "U"}, query={"href": f"{href}/cr"})


def test_an_agreement_links_to_what_it_is_about(api: OperatorClient, device_request: DeviceRequest) -> None:
    tariff = api.call("POST", (*GROUP, "tariffs"), {"currency": 978})
    prepaid = api.call("POST", (*GROUP, "prepayments"), {"currency": 978})
    account = str(api.call("POST", (*GROUP, "accounts"), {"currency": 978})["mRID"])
    given = {
        "serviceAccount": "S-1",
        "TariffProfile": tariff["mRID"],
        "Prepayment": prepaid["mRID"],
    }
    made = api.call("POST", ("accounts", account, "agreements"), given)
    listed = str(made["href"]).rpartition("/")[0]
    (held,) = read(device_request, f"{listed}?l=9", CustomerAgreementList).CustomerAgreement_
    assert held.serviceAccount == "S-1"
    assert (held.TariffProfileLink_.href, held.PrepaymentLink_.href) == (tariff["href"], prepaid["href"])
    assert held.UsagePointLink_ is None


def test_a_removed_account_is_linked_no_more(
    api: OperatorClient, device_request: DeviceRequest, edev: str
) -> None:
    """With the last one the group loses its list, and members the link to it."""

    def link() -> bool:
        return b"CustomerAccountListLink" in device_request("GET", f"{edev}/fsa?l=9").body

    seen = [link()]
    account = str(api.call("POST", (*GROUP, "accounts"), {"currency": 978})["mRID"])
    seen.append(link())
    api.call("DELETE", ("accounts", account))
    assert [*seen, link()] == [False, True, False]


def test_a_device_follows_by_putting_back_what_it_has_read(
    api: OperatorClient, device_request: DeviceRequest, edev: str
) -> None:
    """With the links, the URI and the pollRate that the server has put in."""
    api.call("PUT", ("rates",), {"pollRate": {"Configuration": 60}})
    first = Configuration(currentLocale="en-US", userDeviceName="north")
    device_request("PUT", f"{edev}/cfg", first)
    api.call("PUT", ("devices", "north", "configuration"), {"currentLocale": "de-DE"})
    wanted = read(device_request, f"{edev}/cfg", Configuration)
    assert wanted.pollRate == 60
    assert device_request("PUT", f"{edev}/cfg", wanted).status == 204
    assert api.get("devices", "north", "configuration")["wanted"] is None
    wanted.userDeviceName = "mine"
    device_request("PUT", f"{edev}/cfg", wanted)
    assert read(device_request, f"{edev}/cfg", Configuration).userDeviceName == "mine"


def test_a_file_for_one_device_is_rolled_out_to_it_alone(
    api: OperatorClient, device_request: DeviceRequest, tmp_path_factory: pytest.TempPathFactory
) -> None:
    api.call("POST", ("devices",), {"name": "south", "lFDI": OTHER, "pIN": 111_115})
    api.call("PUT", (*GROUP, "devices", "south"))
    path = tmp_path_factory.mktemp("firmware") / "octets"
    path.write_bytes(b"firmware")
    with path.open("rb") as octets:
        digest = api.send("/contents", octets)["sha256"]
    body = {"sha256": digest, "mfID": 37250, "mfModel": "PV-5", "mfVer": "2.1", "type": "00"}
    one = str(api.call("POST", (*GROUP, "files"), {**body, "device": "south"})["file"])
    both = str(api.call("POST", (*GROUP, "files"), body)["file"])
    names = [[row["name"] for row in rows_of(api.get("files", file), "devices")] for file in (one, both)]
    assert names == [["south"], ["north", "south"]]
