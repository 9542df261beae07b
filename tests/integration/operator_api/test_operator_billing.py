"""Billing: what the operator makes and what the device of the customer then reads. IEEE 2030.5-2018, 10.7."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from schemas import (
    BillingPeriodList,
    BillingReadingList,
    BillingReadingSetList,
    Charge,
    Codec,
    CustomerAccountList,
    CustomerAgreementList,
    HistoricalReadingList,
    MirrorUsagePoint,
    ReadingType,
    ServiceSupplier,
    UsagePointList,
)
from sep2_server import ManualClock
from sep2_server.messages import Answer
from sep2_server.operator import ApiError, OperatorClient
from sep2_server.operator.commands_bill import readings_of

T = TypeVar("T")
LFDI = "3E4F45AB31EDFE5B67E343E5E4562E31984E23E5"
OTHER = "AE4F45AB31EDFE5B67E343E5E4562E31984E23E5"
NOW = 1_700_000_000
CSV = """start,duration,value,touTier,consumptionBlock,chargeKind,chargeValue,chargeDescription
1690000000,3600,1200,1,0,0,310,energy
1690000000,3600,1200,1,0,4,59,tax
1680000000,3600,900,1,0,,,
"""
HOWTO = (Path(__file__).parents[3] / "docs" / "howto" / "accounts.md").read_text()
LINES = [
    line
    for block in re.findall(r"^```console\n(.*?)^```", HOWTO, flags=re.DOTALL | re.MULTILINE)
    for line in block.splitlines()
]
DeviceRequest = Callable[..., Answer]
Read = Callable[..., Any]


@pytest.fixture
def beside() -> dict[str, object]:
    """Billing and Prepayment are offered."""
    return {"function_sets": "bill,ppy"}


@pytest.fixture(autouse=True)
def group(api: OperatorClient) -> None:
    for name, lfdi in (("north", LFDI), ("south", OTHER)):
        api.call("POST", ("devices",), {"name": name, "lFDI": lfdi, "pIN": 111_115})
    api.call("POST", ("groups",), {"name": "house-7", "primacy": 5})
    api.call("PUT", ("groups", "house-7", "devices", "north"))


@pytest.fixture
def read(device_request: DeviceRequest) -> Read:
    """What the device of the customer reads."""

    def get(path: str, cls: type[T]) -> T:
        answer = device_request("GET", path)
        assert answer.status == 200
        return Codec().decode(answer.body, cls)

    return get


def account(api: OperatorClient, **further: object) -> str:
    body = {"currency": 978, "pricePowerOfTenMultiplier": -2, "customerName": "Ada", **further}
    return str(api.call("POST", ("groups", "house-7", "accounts"), body)["mRID"])


def agreement(api: OperatorClient, of: str, location: str = "Elm Street 7") -> str:
    body = {"serviceLocation": location}
    return str(api.call("POST", ("accounts", of, "agreements"), body)["mRID"])


def readings(api: OperatorClient, of: str, description: str = "last year") -> None:
    body = {
        "kind": "historical",
        "description": description,
        "BillingReading": readings_of(CSV.splitlines()),
        "ReadingType": {"uom": 72},
    }
    assert api.call("POST", ("agreements", of, "readings"), body)["readings"] == 2


def test_a_device_reads_its_account_down_to_the_charges(api: OperatorClient, read: Read) -> None:
    first = account(api, ServiceSupplier={"phone": "112", "description": "Utility"})
    readings(api, agreement(api, first))
    shown = read("/bill?l=9", CustomerAccountList).CustomerAccount_[0]
    assert (shown.customerName, shown.currency, shown.pricePowerOfTenMultiplier) == ("Ada", 978, -2)
    assert read(shown.ServiceSupplierLink_.href, ServiceSupplier).phone == "112"
    agreed = read(f"{shown.CustomerAgreementListLink_.href}?l=9", CustomerAgreementList).CustomerAgreement_[0]
    history = read(f"{agreed.HistoricalReadingListLink_.href}?l=9", HistoricalReadingList)
    reading = history.HistoricalReading_[0]
    assert read(reading.ReadingTypeLink_.href, ReadingType).uom == 72
    sets = read(f"{reading.BillingReadingSetListLink_.href}?l=9", BillingReadingSetList)
    period = sets.BillingReadingSet_[0].timePeriod
    assert (sets.all, period.start, period.duration) == (1, 1_680_000_000, 10_003_600)
    values = read(f"{sets.BillingReadingSet_[0].BillingReadingListLink_.href}?l=9", BillingReadingList)
    assert [(one.value, one.timePeriod.start) for one in values.BillingReading_] == [
        (900, 1_680_000_000),
        (1200, 1_690_000_000),
    ]
    assert values.BillingReading_[1].Charge_ == [
        Charge(description="energy", kind=0, value=310),
        Charge(description="tax", kind=4, value=59),
    ]
    assert read("/brs?l=9", BillingReadingSetList).all == 1


def test_lists_are_in_the_order_of_the_standard(api: OperatorClient, read: Read) -> None:
    first = account(api)
    account(api, customerName="Abel")
    shown = read("/bill?l=9", CustomerAccountList)
    assert [one.customerName for one in shown.CustomerAccount_] == ["Abel", "Ada"]
    for location in ("B street", "A street"):
        chosen = agreement(api, first, location)
    link = shown.CustomerAccount_[1].CustomerAgreementListLink_
    agreed = read(f"{link.href}?l=9", CustomerAgreementList).CustomerAgreement_
    assert [one.serviceLocation for one in agreed] == ["A street", "B street"]
    for description in ("b", "a"):
        readings(api, chosen, description)
    history = read(f"{agreed[0].HistoricalReadingListLink_.href}?l=9", HistoricalReadingList)
    assert [one.description for one in history.HistoricalReading_] == ["a", "b"]


def test_a_period_is_active_while_it_lasts(api: OperatorClient, read: Read, clock: ManualClock) -> None:
    chosen = agreement(api, account(api))
    for start in (NOW - 100, NOW + 100):
        api.call("POST", ("agreements", chosen, "periods"), {"start": start, "duration": 200})
    link = read("/bill?l=9", CustomerAccountList).CustomerAccount_[0].CustomerAgreementListLink_
    agreed = read(f"{link.href}?l=9", CustomerAgreementList).CustomerAgreement_[0]
    whole = read(f"{agreed.BillingPeriodListLink_.href}?l=9", BillingPeriodList)
    assert [one.interval.start for one in whole.BillingPeriod_] == [NOW + 100, NOW - 100]
    later = read(f"{agreed.BillingPeriodListLink_.href}?l=9&a={NOW}", BillingPeriodList)
    assert [one.interval.start for one in later.BillingPeriod_] == [NOW + 100]

    def active() -> list[int]:
        page = read(f"{agreed.ActiveBillingPeriodListLink_.href}?l=9", BillingPeriodList)
        return [one.interval.start for one in page.BillingPeriod_]

    assert active() == [NOW - 100]
    clock.set(NOW + 100)
    assert active() == [NOW + 100]
    clock.set(NOW + 300)
    assert active() == []


def test_no_other_device_sees_the_account(
    api: OperatorClient, read: Read, device_request: DeviceRequest
) -> None:
    chosen = account(api, ServiceSupplier={"phone": "112"})
    readings(api, agreement(api, chosen))
    href = read("/bill?l=9", CustomerAccountList).CustomerAccount_[0].href
    brs = read("/brs?l=9", BillingReadingSetList).BillingReadingSet_[0].href
    for path in (href, f"{href}/ca", f"{href}/ss", brs, f"{brs}/br"):
        assert device_request("GET", path).status == 200
        assert device_request("GET", path, lfdi=OTHER).status == 404
    for path, cls in (("/bill", CustomerAccountList), ("/brs", BillingReadingSetList)):
        answer = device_request("GET", f"{path}?l=9", lfdi=OTHER)
        assert Codec().decode(answer.body, cls).all == 0


@pytest.mark.parametrize("first_seen", [True, False])
def test_a_link_to_what_was_removed_is_not_shown(
    api: OperatorClient, read: Read, device_request: DeviceRequest, *, first_seen: bool
) -> None:
    tariffs = [
        str(api.call("POST", ("groups", "house-7", "tariffs"), {"currency": 978})["mRID"]) for _ in "ab"
    ]
    chosen = account(api, ServiceSupplier={"phone": "112"})
    for tariff in tariffs:
        api.call(
            "POST", ("accounts", chosen, "agreements"), {"serviceLocation": tariff, "TariffProfile": tariff}
        )
    listed = f"{read('/bill?l=9', CustomerAccountList).CustomerAccount_[0].href}/ca?l=9"

    def linked() -> dict[str, str | None]:
        found = read(listed, CustomerAgreementList).CustomerAgreement_
        return {one.serviceLocation: one.TariffProfileLink_ and one.TariffProfileLink_.href for one in found}

    hrefs = linked() if first_seen else {}
    api.call("DELETE", ("tariffs", tariffs[0]))
    seen = linked()
    assert seen[tariffs[0]] is None
    assert device_request("GET", str(seen[tariffs[1]])).status == 200
    assert seen == hrefs | {tariffs[0]: None} or not first_seen
    (supplied,) = read("/bill?l=9", CustomerAccountList).CustomerAccount_
    assert device_request("GET", supplied.ServiceSupplierLink_.href).status == 200


def test_a_removed_account_takes_all_that_was_billed(
    api: OperatorClient, read: Read, device_request: DeviceRequest
) -> None:
    chosen = account(api)
    readings(api, agreement(api, chosen))
    brs = read("/brs?l=9", BillingReadingSetList).BillingReadingSet_[0].href
    api.call("DELETE", ("accounts", chosen))
    assert read("/bill?l=9", CustomerAccountList).all == 0
    assert read("/brs?l=9", BillingReadingSetList).all == 0
    assert [device_request("GET", path).status for path in (brs, f"{brs}/br")] == [404, 404]


@pytest.mark.parametrize(
    ("lines", "flaw"),
    [
        ("start,duration\n", "column missing: value"),
        ("start,duration,value,colour\n", "no such column: colour"),
        ("start,duration,value,value\n", "column value twice"),
        ("start,duration,value\n1,2,\n", "line 2: value is empty"),
        ("start,duration,value\n1,x,3\n", "line 2: duration is 'x', no whole number"),
    ],
)
def test_a_csv_that_cannot_be_read_says_where(lines: str, flaw: str) -> None:
    with pytest.raises(ValueError, match=flaw):
        readings_of(lines.splitlines())


def test_a_csv_with_a_cell_that_is_too_long_is_wrong_usage(
    op: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "long.csv"
    path.write_text("start,duration,value\n1,2," + "9" * 200_000)
    assert op("bill", "readings", "ABC", str(path)) == 2
    assert "field larger than field limit" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"kind": "historical", "BillingReading": []}, "BillingReading: 0 of them"),
        ({"kind": "past", "BillingReading": [{}]}, "kind"),
        ({"kind": "target", "BillingReading": [{"value": 1}]}, "timePeriod: missing"),
        ({"kind": "target", "BillingReading": [{"colour": 1}]}, "no such field"),
    ],
)
def test_readings_that_cannot_be_are_refused(
    api: OperatorClient, body: dict[str, object], detail: str
) -> None:
    chosen = agreement(api, account(api))
    with pytest.raises(ApiError, match=detail):
        api.call("POST", ("agreements", chosen, "readings"), body)


def test_a_usage_point_whose_mrid_several_devices_use_is_told_by_its_device(
    api: OperatorClient, op: Callable[..., int], read: Read, device_request: DeviceRequest
) -> None:
    chosen, body = account(api), {"UsagePoint": "BB01"}
    for lfdi in (OTHER, LFDI):
        mirror = MirrorUsagePoint(
            mRID="BB01", deviceLFDI=lfdi, roleFlags="49", serviceCategoryKind=0, status=1
        )
        assert device_request("POST", "/mup", mirror, lfdi=lfdi).status == 201
    with pytest.raises(ApiError, match="device: several devices have used this mRID") as caught:
        api.call("POST", ("accounts", chosen, "agreements"), body)
    assert (caught.value.status, caught.value.hint) == (400, "allowed: north, south")
    assert op("bill", "agreement", chosen, "--UsagePoint", "BB01", "--device", "north") == 0
    listed = read("/bill?l=9", CustomerAccountList).CustomerAccount_[0].CustomerAgreementListLink_.href
    (agreed,) = read(f"{listed}?l=9", CustomerAgreementList).CustomerAgreement_
    (own,) = read("/upt?l=9", UsagePointList).UsagePoint_
    assert agreed.UsagePointLink_.href == own.href
    with pytest.raises(ApiError, match="no UsagePoint has the mRID 'BB02'"):
        api.call("POST", ("accounts", chosen, "agreements"), {"UsagePoint": "BB02"})


def test_every_command_of_the_howto_ends_well(
    op: Callable[..., int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "year.csv").write_text(CSV)
    known: dict[str, str] = {}
    names = {"account": "ACCOUNT", "agreement": "AGREEMENT", "open": "PREPAYMENT"}
    ended = []
    for line in LINES:
        words = [known.get(word, word) for word in shlex.split(line)[2:]]
        ended.append((line, op(*words)))
        found = re.findall(r"^mRID +([0-9A-F]{32})$", capsys.readouterr().out, flags=re.MULTILINE)
        if found and words[1] in names:
            known[names[words[1]]] = found[0]
    assert [line for line, code in ended if code] == []
    assert len(ended) == 12
