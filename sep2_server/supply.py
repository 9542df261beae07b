"""Prepaid accounts in the store: credit and charges move the balance, and the supply follows.

The rules are in `function_sets.prepaid`; here they meet rows. IEEE 2030.5-2018, 10.8 (Prepayment).
"""

from typing import Final, TypeVar

from function_sets import prepaid
from schemas import (
    AccountBalance,
    AccountingUnit,
    CreditRegister,
    DateTimeInterval,
    Prepayment,
    PrepayOperationStatus,
    Resource,
    SupplyInterruptionOverride,
)
from sep2_server.environment import Environment
from sep2_server.reader import Reader
from sep2_server.rows import Row
from sep2_server.transaction import Transaction

T = TypeVar("T")

OPERATION: Final = "PrepayOperationStatus"
OVERRIDE: Final = "SupplyInterruptionOverride"
MOST: Final = 100_000
"""Credit registers and overrides of one account that the rules look at."""


class Account:
    """One Prepayment with what hangs below it; to move it takes a Transaction.

    LookupError where a part is missing.
    """

    def __init__(self, reader: Reader, environment: Environment, prepayment_id: int) -> None:
        self._reader = reader
        self._environment = environment
        self._parts = (prepayment_id,)
        self.prepayment = self._held(self._row("Prepayment"), Prepayment)
        self.balance = self._held(self._row("AccountBalance"), AccountBalance)
        self.operation = self._held(self._row(OPERATION), PrepayOperationStatus)

    def credit(self, register: Row, now: int) -> None:
        """Add what a new CreditRegister says. PrepaidRuleError for a used token or a wrong amount."""
        entry = self._held(register, CreditRegister)
        if entry.effectiveTime > now:
            raise prepaid.PrepaidRuleError(f"effectiveTime {entry.effectiveTime} is in the future")
        for row in self._items("CreditRegisterList"):
            if row.id != register.id and self._held(row, CreditRegister).token == entry.token:
                raise prepaid.PrepaidRuleError(f"token {entry.token!r} was used before")
        self._move(prepaid.credited(self.balance, entry, self.prepayment), now)

    def withdraw(self, register: Row, now: int) -> None:
        """Take back what a CreditRegister has added, before it is removed."""
        entry = self._held(register, CreditRegister)
        self._move(prepaid.withdrawn(self.balance, entry, self.prepayment), now)

    def charge(self, amount: AccountingUnit, now: int) -> None:
        """Take consumption from the balance."""
        self._move(prepaid.charged(self.balance, amount, self.prepayment), now)

    @property
    def is_exhausted(self) -> bool:
        """Whether neither regular nor emergency credit is left."""
        return prepaid.is_exhausted(self.balance, self.prepayment)

    def settle(self, now: int, *, was_exhausted: bool | None = None) -> None:
        """Bring states and supply up to date: a level, an override or the time has changed.

        `was_exhausted` says how it was before a change that is stored already.
        """
        self._move(prepaid.rated(self.balance, self.prepayment), now, was_exhausted=was_exhausted)

    def _move(self, balance: AccountBalance, now: int, *, was_exhausted: bool | None = None) -> None:
        if was_exhausted is None:
            was_exhausted = self.is_exhausted
        overrides = self._overrides()
        operation = prepaid.operation_at(
            self.operation, balance, self.prepayment, overrides, now, was_exhausted=was_exhausted
        )
        change = operation.serviceChange
        self._put("AccountBalance", balance)
        self._put(OPERATION, operation, None if change is None else change.startTime)
        self.balance, self.operation = balance, operation

    @property
    def _transaction(self) -> Transaction:
        if not isinstance(self._reader, Transaction):
            raise TypeError("an account that is only read does not move")
        return self._reader

    def _overrides(self) -> list[DateTimeInterval]:
        rows = self._items("SupplyInterruptionOverrideList")
        return [self._held(row, SupplyInterruptionOverride).interval for row in rows]

    def _put(self, kind: str, value: Resource, next_at: int | None = None) -> None:
        row = self._row(kind)
        value.href = row.href
        new = row._replace(next_at=next_at, body=self._environment.codec.fragment(value))
        if new != row:
            self._transaction.replace(row, new)

    def _items(self, kind: str) -> list[Row]:
        listed = self._reader.by_href(self._environment.uris.of(kind, self._parts))
        return [] if listed is None else self._reader.items(listed.id, limit=MOST)

    def _row(self, kind: str) -> Row:
        href = self._environment.uris.of(kind, self._parts)
        row = self._reader.by_href(href)
        if row is None:
            raise LookupError(f"the account has no {kind}")
        return row

    def _held(self, row: Row, cls: type[T]) -> T:
        return self._environment.codec.decode_fragment(row.body, cls)


def settle_due(tx: Transaction, environment: Environment, row: Row, now: int) -> None:
    """Bring the supply of an account up to date, by its PrepayOperationStatus or an override."""
    if row.owner_id is not None:
        Account(tx, environment, row.owner_id).settle(now)
