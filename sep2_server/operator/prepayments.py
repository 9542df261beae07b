"""Operations on prepaid accounts: open one, add credit, charge consumption, hold the supply.

IEEE 2030.5-2018, 10.8 (Prepayment). Amounts are decimal texts in the account's currency: `"20.50"`.
"""

from decimal import Decimal, InvalidOperation
from typing import Final

from function_sets.prepaid import PrepaidRuleError, amount_of
from schemas import (
    AccountBalance,
    AccountBalanceLink,
    AccountingUnit,
    CreditRegister,
    CreditRegisterListLink,
    DateTimeInterval,
    Json,
    Prepayment,
    PrepayOperationStatus,
    PrepayOperationStatusLink,
    SupplyInterruptionOverride,
    SupplyInterruptionOverrideListLink,
    json_of,
)
from schemas.codes_metering import CreditTypeType, ServiceStatusType
from sep2_server.operator import prepaid_rules, programs
from sep2_server.operator.desk import Desk
from sep2_server.operator.errors import BadRequest, Conflict
from sep2_server.operator.requests_accounts import AddCredit, AddOverride, ChargeAccount, OpenAccount
from sep2_server.operator.router import Answer, Call
from sep2_server.operator.shape import read
from sep2_server.operator.tree import Plan, insert_item
from sep2_server.operator.untold import wire_of
from sep2_server.rows import Row
from sep2_server.supply import Account

KIND: Final = "Prepayment"
LIST_THEM: Final = "lineside op prepay list GROUP"
MOST_DIGITS: Final = 9
NEWEST: Final = 100


def open_account(desk: Desk, call: Call) -> Answer:
    """Open a prepaid account for the devices of a group."""
    asked, group = read(OpenAccount, call.body), desk.group(call.names["group"])

    def level(text: str | None) -> AccountingUnit | None:
        return None if text is None else money(text, asked.currency)

    emergency = level(asked.emergency)
    prepayment = Prepayment(
        mRID=desk.new_mrid(),
        description=asked.description,
        version=0,
        AccountBalanceLink_=AccountBalanceLink(href=""),
        creditExpiryLevel=level(asked.expiry),
        CreditRegisterListLink_=CreditRegisterListLink(href=""),
        lowCreditWarningLevel=level(asked.warning),
        lowEmergencyCreditWarningLevel=level(asked.emergency_warning),
        prepayMode=asked.mode,
        PrepayOperationStatusLink_=PrepayOperationStatusLink(href=""),
        SupplyInterruptionOverrideListLink_=SupplyInterruptionOverrideListLink(href=""),
    )
    balance = AccountBalance(availableCredit=money(asked.balance, asked.currency), emergencyCredit=emergency)
    status = ServiceStatusType.CONNECTED if asked.has_contactor else ServiceStatusType.NO_CONTACTOR
    below = {
        "AccountBalance": [Plan(value=balance)],
        "PrepayOperationStatus": [Plan(value=PrepayOperationStatus(serviceStatus=status))],
    }
    row = insert_item(desk, programs.root_list(desk, KIND), Plan(value=prepayment, below=below))
    programs.show(desk, group, row)
    prepaid_rules.added(desk, row)
    return _told(desk, row)


def list_accounts(desk: Desk, call: Call) -> Answer:
    """The prepaid accounts of a group."""
    group = desk.group(call.names["group"])
    rows = desk.programs_of(group, f"Group{KIND}List")
    return {"group": group.name, "accounts": [_told(desk, row) for row in rows]}


def show(desk: Desk, call: Call) -> Answer:
    """One prepaid account with its newest credits and its overrides; viewers see no token of a credit."""
    row = _row(desk, call)
    registers = desk.items(row, "CreditRegisterList", NEWEST)
    overrides = desk.items(row, "SupplyInterruptionOverrideList", NEWEST)
    return {
        **_told(desk, row),
        "credits": [wire_of(desk, desk.resource(one, CreditRegister)) for one in registers],
        "overrides": [json_of(desk.resource(one, SupplyInterruptionOverride)) for one in overrides],
    }


def credit(desk: Desk, call: Call) -> Answer:
    """Add credit; a token is good once."""
    row, asked = _row(desk, call), read(AddCredit, call.body)
    account = _account(desk, row)
    register = CreditRegister(
        mRID=desk.new_mrid(),
        description=asked.description,
        version=0,
        creditAmount=money(asked.amount, account.balance.availableCredit.monetaryUnit),
        creditType=CreditTypeType.EMERGENCY if asked.emergency else CreditTypeType.REGULAR,
        effectiveTime=desk.now if asked.effective_time is None else asked.effective_time,
        token=asked.token,
    )
    stored = insert_item(desk, desk.listed(row, "CreditRegisterList"), Plan(value=register))
    prepaid_rules.added(desk, stored)
    return _told(desk, row)


def charge(desk: Desk, call: Call) -> Answer:
    """Charge consumption to an account."""
    row, asked = _row(desk, call), read(ChargeAccount, call.body)
    account = _account(desk, row)
    amount = money(asked.amount, account.balance.availableCredit.monetaryUnit)
    try:
        account.charge(amount, desk.now)
    except PrepaidRuleError as flaw:
        better = "that is not negative" if amount.value < 0 else "with fewer decimals"
        raise Conflict(str(flaw), f"nothing was charged; give an amount {better}") from flaw
    return _told(desk, row)


def hold(desk: Desk, call: Call) -> Answer:
    """Hold the supply for a time, whatever credit is left: a SupplyInterruptionOverride."""
    row, asked = _row(desk, call), read(AddOverride, call.body)
    start = desk.now if asked.start is None else asked.start
    value = SupplyInterruptionOverride(
        description=asked.description, interval=DateTimeInterval(start=start, duration=asked.duration)
    )
    stored = insert_item(desk, desk.listed(row, "SupplyInterruptionOverrideList"), Plan(value=value))
    prepaid_rules.added(desk, stored)
    return _told(desk, row)


def money(text: str, currency: int) -> AccountingUnit:
    """An amount of a currency from a decimal text. BadRequest for what is no amount."""
    try:
        amount = Decimal(text)
    except InvalidOperation as flaw:
        raise BadRequest(f"amount: {text[:40]!r} is no number", "give a decimal such as 20.50") from flaw
    _, digits, exponent = amount.as_tuple()
    if (
        not isinstance(exponent, int)
        or len(digits) > MOST_DIGITS
        or not -MOST_DIGITS <= exponent <= MOST_DIGITS
    ):
        raise BadRequest(f"amount: {text[:40]!r} cannot be told", f"allowed: {MOST_DIGITS} digits")
    return AccountingUnit(monetaryUnit=currency, multiplier=exponent, value=int(amount.scaleb(-exponent)))


def _told(desk: Desk, row: Row) -> dict[str, Json]:
    account = _account(desk, row)
    spare = account.balance.emergencyCredit
    return {
        "mRID": account.prepayment.mRID,
        "description": account.prepayment.description,
        "href": row.href,
        "availableCredit": f"{amount_of(account.balance.availableCredit):f}",
        "emergencyCredit": None if spare is None else f"{amount_of(spare):f}",
        "currency": account.balance.availableCredit.monetaryUnit,
        "AccountBalance": json_of(account.balance),
        "PrepayOperationStatus": json_of(account.operation),
    }


def _account(desk: Desk, row: Row) -> Account:
    return Account(desk.reader, desk.environment, row.id)


def _row(desk: Desk, call: Call) -> Row:
    return desk.of_mrid(call.names["prepayment"], KIND, LIST_THEM)
