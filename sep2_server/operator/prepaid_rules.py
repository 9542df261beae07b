"""What a write to a prepaid account brings with it: credit moves the balance, and the supply follows.

One code for the operations on accounts and for those on resources of any kind. IEEE 2030.5-2018, 10.8.
"""

from typing import Final

from function_sets.prepaid import PrepaidRuleError
from sep2_server.operator.desk import Desk
from sep2_server.operator.errors import BadRequest, Conflict
from sep2_server.rows import Row
from sep2_server.supply import Account

CREDIT: Final = "CreditRegister"
RULED: Final = frozenset({"Prepayment", "AccountBalance", "SupplyInterruptionOverride"})
"""Resources after whose change the supply is decided again."""
NOTHING: Final = "nothing was stored; see: lineside op prepay show MRID"


def added(desk: Desk, row: Row) -> None:
    """Carry out what a new resource of an account says. Conflict where a rule is against it."""
    registers = [row] if row.kind == CREDIT else []
    if row.kind == "Prepayment":
        registers = desk.items(row, "CreditRegisterList")
    for register in registers:
        try:
            account_of(desk, register).credit(register, desk.now)
        except PrepaidRuleError as flaw:
            raise Conflict(str(flaw), NOTHING) from flaw
    changed(desk, row)


def require_changeable(row: Row) -> None:
    """Raise BadRequest for a CreditRegister: what was credited does not change."""
    if row.kind == CREDIT:
        raise BadRequest("href: a CreditRegister does not change", "remove it, which takes its credit back")


def is_exhausted(desk: Desk, row: Row) -> bool | None:
    """Whether the account of a resource has no credit left; None for what belongs to no account."""
    return account_of(desk, row).is_exhausted if row.kind in RULED else None


def changed(desk: Desk, row: Row, *, was_exhausted: bool | None = None) -> None:
    """Decide the supply again after a change to an account, or after an override has gone."""
    if row.kind in RULED:
        account_of(desk, row).settle(desk.now, was_exhausted=was_exhausted)


def removing(desk: Desk, row: Row) -> None:
    """Take the credit of a CreditRegister back, whose token is good again."""
    if row.kind != CREDIT:
        return
    try:
        account_of(desk, row).withdraw(row, desk.now)
    except PrepaidRuleError as flaw:
        raise Conflict(str(flaw), NOTHING) from flaw


def account_of(desk: Desk, row: Row) -> Account:
    """The account that a resource is, or belongs to."""
    return Account(desk.reader, desk.environment, row.owner_id or row.id)
