"""Rules of prepaid supply. IEEE 2030.5-2018, 10.8."""

from dataclasses import replace
from decimal import Decimal

import pytest

from function_sets.prepaid import (
    PrepaidRuleError,
    Supply,
    added,
    amount_of,
    charged,
    credit_status,
    credited,
    is_exhausted,
    operation_at,
    rated,
    supply_at,
    type_in_use,
)
from schemas import (
    AccountBalance,
    AccountBalanceLink,
    AccountingUnit,
    CreditRegister,
    CreditRegisterListLink,
    DateTimeInterval,
    Prepayment,
    PrepayOperationStatus,
    PrepayOperationStatusLink,
    ServiceChange,
    SupplyInterruptionOverrideListLink,
)

EURO = 978


def money(value: int, multiplier: int = -2, currency: int = EURO) -> AccountingUnit:
    return AccountingUnit(monetaryUnit=currency, multiplier=multiplier, value=value)


def account(
    *, warning: int | None = 500, expiry: int | None = None, emergency_warning: int | None = 100
) -> Prepayment:
    return Prepayment(
        mRID="AA",
        AccountBalanceLink_=AccountBalanceLink(href="/ab"),
        creditExpiryLevel=None if expiry is None else money(expiry),
        CreditRegisterListLink_=CreditRegisterListLink(href="/cr"),
        lowCreditWarningLevel=None if warning is None else money(warning),
        lowEmergencyCreditWarningLevel=None if emergency_warning is None else money(emergency_warning),
        prepayMode=0,
        PrepayOperationStatusLink_=PrepayOperationStatusLink(href="/os"),
        SupplyInterruptionOverrideListLink_=SupplyInterruptionOverrideListLink(href="/si"),
    )


def balance(regular: int, emergency: int | None = None) -> AccountBalance:
    spare = None if emergency is None else money(emergency)
    return AccountBalance(availableCredit=money(regular), emergencyCredit=spare)


def token(value: int, kind: int | None = None, currency: int = EURO) -> CreditRegister:
    amount = money(value, currency=currency)
    return CreditRegister(mRID="01", creditAmount=amount, creditType=kind, effectiveTime=0, token="t")


def spans(*pairs: tuple[int, int]) -> list[DateTimeInterval]:
    return [DateTimeInterval(start=start, duration=end - start) for start, end in pairs]


@pytest.mark.parametrize(
    ("held", "more", "total"),
    [
        (money(100), money(250), money(350)),
        (money(1, 1), money(5, -2), money(1005, -2)),
        (money(5, -3), money(1, 0), money(1005, -3)),
        (money(-100), money(40), money(-60)),
        (money(20, 0), money(-50_000_000, -8), money(1950)),
        (money(1_949_999_999, -8), money(1, -8), money(1950)),
        (money(1_949_999_990, -8), money(0, -8), money(194_999_999, -7)),
        (money(50_000, 0), money(-120_000_000, -5), money(4_880_000)),
        (money(50_000_000, 0), money(-120_000, -2), money(499_988_000, -1)),
        (money(1, -8), money(-1, -8), money(0)),
        (money(-5, -3), money(5, -3), money(0)),
    ],
)
def test_amounts_add_up_as_finely_as_the_finer(
    held: AccountingUnit, more: AccountingUnit, total: AccountingUnit
) -> None:
    assert added(held, more) == total


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (money(1, currency=840), "currency 840"),
        (money(2**31 - 1), "more than an account"),
        (money(10**9, 0), "more than an account"),
    ],
)
def test_amounts_that_cannot_be_added_are_refused(more: AccountingUnit, why: str) -> None:
    with pytest.raises(PrepaidRuleError, match=why):
        added(money(100), more)


@pytest.mark.parametrize(
    ("available", "warning", "expiry", "status"),
    [
        ("6", 500, "0", 0),
        ("5", 500, "0", 1),
        ("0.01", 500, "0", 1),
        ("0", 500, "0", 2),
        ("-0.01", 500, "0", 3),
        ("2", 500, "2", 2),
        ("2.01", 500, "2", 1),
        ("-5", 500, "-10", 3),
        ("1", None, "0", 0),
    ],
)
def test_credit_has_a_state_by_its_levels(
    available: str, warning: int | None, expiry: str, status: int
) -> None:
    level = None if warning is None else money(warning)
    assert credit_status(Decimal(available), level, Decimal(expiry)) == status


def test_a_credit_moves_the_balance_and_its_state() -> None:
    held = rated(balance(0), account())
    assert held.creditStatus == 2
    after = credited(held, token(2000), account())
    assert (after.availableCredit, after.creditStatus) == (money(2000), 0)
    assert credited(held, token(300), account()).creditStatus == 1


def test_emergency_credit_is_kept_apart() -> None:
    after = credited(balance(0), token(80, kind=1), account())
    assert (after.availableCredit, after.emergencyCredit) == (money(0), money(80))
    assert (after.creditStatus, after.emergencyCreditStatus) == (2, 1)
    assert credited(after, token(100, kind=1), account()).emergencyCreditStatus == 0


@pytest.mark.parametrize(
    ("regular", "emergency", "due", "left"),
    [
        (1000, None, 300, (700, None)),
        (1000, 500, 1200, (0, 300)),
        (1000, 500, 1700, (-200, 0)),
        (100, None, 250, (-150, None)),
        (-50, 500, 100, (-50, 400)),
    ],
)
def test_a_charge_uses_regular_credit_first(
    regular: int, emergency: int | None, due: int, left: tuple[int, int | None]
) -> None:
    after = charged(balance(regular, emergency), money(due), account())
    spare = None if after.emergencyCredit is None else after.emergencyCredit.value
    assert (after.availableCredit.value, spare) == left


def test_a_charge_stops_at_the_expiry_level_before_it_uses_emergency_credit() -> None:
    after = charged(balance(1000, 500), money(900), account(expiry=200))
    assert amount_of(after.availableCredit) == Decimal(2)
    assert amount_of(after.emergencyCredit) == Decimal(4)


def test_a_negative_charge_is_refused() -> None:
    with pytest.raises(PrepaidRuleError):
        charged(balance(1000), money(-1), account())


@pytest.mark.parametrize(
    ("regular", "emergency", "expiry", "out", "kind"),
    [
        (1, None, None, False, 0),
        (0, None, None, True, 0),
        (0, 1, None, False, 1),
        (-10, 0, None, True, 0),
        (-10, None, -20, False, 0),
        (50, None, 50, True, 0),
    ],
)
def test_an_account_has_run_out_when_no_kind_of_credit_is_left(
    regular: int, emergency: int | None, expiry: int | None, out: bool, kind: int
) -> None:
    held, levels = balance(regular, emergency), account(expiry=expiry)
    assert (is_exhausted(held, levels), type_in_use(held, levels)) == (out, kind)


@pytest.mark.parametrize(
    ("overrides", "supply"),
    [
        ((), Supply(is_on=False)),
        (((0, 100),), Supply(is_on=False)),
        (((50, 200),), Supply(is_on=True, changes_at=200)),
        (((50, 200), (150, 300)), Supply(is_on=True, changes_at=300)),
        (((50, 200), (200, 300)), Supply(is_on=True, changes_at=300)),
        (((50, 200), (250, 300)), Supply(is_on=True, changes_at=200)),
        (((150, 200), (300, 400)), Supply(is_on=False, changes_at=150)),
        (((100, 100),), Supply(is_on=False)),
    ],
)
def test_an_override_holds_the_supply(overrides: tuple[tuple[int, int], ...], supply: Supply) -> None:
    assert supply_at(spans(*overrides), 100) == supply


def operation(
    status: int, held: AccountBalance, *overrides: tuple[int, int], was_exhausted: bool = False
) -> PrepayOperationStatus:
    before = PrepayOperationStatus(serviceStatus=status)
    return operation_at(before, held, account(), spans(*overrides), 100, was_exhausted=was_exhausted)


def test_supply_is_cut_when_credit_has_run_out() -> None:
    assert operation(0, balance(0)) == PrepayOperationStatus(serviceStatus=1, creditTypeInUse=0)
    assert operation(0, balance(0, 100)) == PrepayOperationStatus(serviceStatus=0, creditTypeInUse=1)


def test_an_override_puts_the_cut_off_to_its_end() -> None:
    after = operation(0, balance(0), (50, 200))
    assert (after.serviceStatus, after.serviceChange) == (0, ServiceChange(newStatus=1, startTime=200))


def test_an_override_to_come_brings_the_supply_back() -> None:
    after = operation(1, balance(0), (150, 200))
    assert (after.serviceStatus, after.serviceChange) == (1, ServiceChange(newStatus=0, startTime=150))


def test_credit_brings_the_supply_back_only_where_its_lack_took_it() -> None:
    assert operation(1, balance(100), was_exhausted=True).serviceStatus == 0
    assert operation(1, balance(100), was_exhausted=False).serviceStatus == 1
    assert operation(5, balance(100), was_exhausted=True).serviceStatus == 5


def test_a_supply_without_contactor_is_never_cut() -> None:
    assert operation(4, balance(-100)).serviceStatus == 4


def test_new_credit_takes_back_a_change_to_come() -> None:
    pending = PrepayOperationStatus(serviceStatus=0, serviceChange=ServiceChange(newStatus=1, startTime=200))
    after = operation_at(pending, balance(500), account(), [], 100, was_exhausted=True)
    assert (after.serviceStatus, after.serviceChange) == (0, None)


def test_a_state_is_that_of_its_amounts_at_any_scale() -> None:
    fine = replace(balance(0), availableCredit=money(5001, -3))
    assert rated(fine, account()).creditStatus == 0
    assert rated(replace(fine, availableCredit=money(5000, -3)), account()).creditStatus == 1
