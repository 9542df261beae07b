"""Rules of prepaid supply: credit, its status, and what becomes of the supply. IEEE 2030.5-2018, 10.8.

Pure. Amounts are exact (`Decimal`), times are s since 1970 UTC. Regular credit is used down to the expiry
level, then emergency credit as far as there is some; after that the supply is cut, but for the time of a
SupplyInterruptionOverride. A supply without a contactor is never cut.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from schemas import (
    AccountBalance,
    AccountingUnit,
    CreditRegister,
    DateTimeInterval,
    Prepayment,
    PrepayOperationStatus,
    ServiceChange,
)
from schemas.codes_metering import CreditStatusType, CreditTypeType, PrepayModeType, ServiceStatusType

INT32: Final = 2**31
NOTHING: Final = Decimal(0)
CENTS: Final = -2
"""Power of ten of the steps that amounts keep, though coarser ones would do."""


class PrepaidRuleError(ValueError):
    """Credit that cannot be added to this account; the text says why."""


@dataclass(frozen=True, slots=True)
class Supply:
    """Whether there is supply now, and when time alone next changes that."""

    is_on: bool
    changes_at: int | None = None


def amount_of(unit: AccountingUnit | None) -> Decimal:
    """An amount as an exact number; nothing where there is none."""
    return NOTHING if unit is None else Decimal(unit.value).scaleb(unit.multiplier)


def added(held: AccountingUnit, more: AccountingUnit) -> AccountingUnit:
    """The sum of two amounts of one currency, as finely as the finer of the two, or as it needs.

    Zeros behind the cents are left out, and, of a sum that is too long, all that `held` does without.
    PrepaidRuleError for different units, and for a sum that the wire cannot carry.
    """
    if (held.monetaryUnit, held.energyUnit) != (more.monetaryUnit, more.energyUnit):
        raise PrepaidRuleError(
            f"currency {more.monetaryUnit} is not that of the account, {held.monetaryUnit}"
        )
    step = min(held.multiplier, more.multiplier)
    value = int((amount_of(held) + amount_of(more)).scaleb(-step))
    while value % 10 == 0 and (step < CENTS or (step < held.multiplier and not _fits(value))):
        step, value = step + 1, value // 10
    if not _fits(value):
        raise PrepaidRuleError(f"{value} x 10^{step} is more than an account can hold")
    return replace(held, multiplier=step, value=value)


def _fits(value: int) -> bool:
    return -INT32 <= value < INT32


def credit_status(available: Decimal, warning: AccountingUnit | None, expiry: Decimal) -> CreditStatusType:
    """State of a credit against the level of its warning and that at which it has run out."""
    if available <= expiry or available < NOTHING:
        return CreditStatusType.CREDIT_NEGATIVE if available < NOTHING else CreditStatusType.CREDIT_EXHAUSTED
    if warning is not None and available <= amount_of(warning):
        return CreditStatusType.CREDIT_LOW
    return CreditStatusType.CREDIT_OK


def rated(balance: AccountBalance, prepayment: Prepayment) -> AccountBalance:
    """A balance with the states that its amounts have by the levels of the account."""
    emergency = balance.emergencyCredit
    regular = credit_status(
        amount_of(balance.availableCredit),
        prepayment.lowCreditWarningLevel,
        amount_of(prepayment.creditExpiryLevel),
    )
    spare = credit_status(amount_of(emergency), prepayment.lowEmergencyCreditWarningLevel, NOTHING)
    return replace(balance, creditStatus=regular, emergencyCreditStatus=None if emergency is None else spare)


def credited(balance: AccountBalance, register: CreditRegister, prepayment: Prepayment) -> AccountBalance:
    """A balance after credit was registered: regular credit unless its type says emergency."""
    amount = register.creditAmount
    if register.creditType == CreditTypeType.EMERGENCY:
        held = balance.emergencyCredit or replace(amount, value=0)
        return rated(replace(balance, emergencyCredit=added(held, amount)), prepayment)
    return rated(replace(balance, availableCredit=added(balance.availableCredit, amount)), prepayment)


def withdrawn(balance: AccountBalance, register: CreditRegister, prepayment: Prepayment) -> AccountBalance:
    """A balance after the credit of a register was taken back, which may leave less than nothing."""
    amount = replace(register.creditAmount, value=-register.creditAmount.value)
    return credited(balance, replace(register, creditAmount=amount), prepayment)


def charged(balance: AccountBalance, amount: AccountingUnit, prepayment: Prepayment) -> AccountBalance:
    """A balance after consumption: regular credit to the expiry level, then emergency, then regular."""
    due = amount_of(amount)
    if due < NOTHING:
        raise PrepaidRuleError("a charge is not negative")
    regular = max(amount_of(balance.availableCredit) - amount_of(prepayment.creditExpiryLevel), NOTHING)
    spare = min(max(due - regular, NOTHING), max(amount_of(balance.emergencyCredit), NOTHING))
    if balance.emergencyCredit is not None and spare:
        balance = replace(balance, emergencyCredit=added(balance.emergencyCredit, _less(amount, spare)))
    rest = added(balance.availableCredit, _less(amount, due - spare))
    return rated(replace(balance, availableCredit=rest), prepayment)


def is_exhausted(balance: AccountBalance, prepayment: Prepayment) -> bool:
    """Whether neither regular nor emergency credit is left; an account in credit mode pays later.

    IEEE 2030.5-2018, 10 (Prepayment), PrepayModeType: from knowledge.
    """
    if prepayment.prepayMode == PrepayModeType.CREDIT:
        return False
    regular = amount_of(balance.availableCredit) > amount_of(prepayment.creditExpiryLevel)
    return not regular and amount_of(balance.emergencyCredit) <= NOTHING


def type_in_use(balance: AccountBalance, prepayment: Prepayment) -> CreditTypeType:
    """Which credit consumption is charged to."""
    regular = amount_of(balance.availableCredit) > amount_of(prepayment.creditExpiryLevel)
    spare = amount_of(balance.emergencyCredit) > NOTHING
    return CreditTypeType.EMERGENCY if spare and not regular else CreditTypeType.REGULAR


def supply_at(overrides: Iterable[DateTimeInterval], now: int) -> Supply:
    """The supply of an exhausted account: there is some while an override runs, however those overlap."""
    ahead = sorted((span.start, span.start + span.duration) for span in overrides)
    ahead = [(start, end) for start, end in ahead if end > now and end > start]
    if not ahead:
        return Supply(is_on=False)
    start, end = ahead[0]
    if start > now:
        return Supply(is_on=False, changes_at=start)
    for next_start, next_end in ahead[1:]:
        if next_start <= end:
            end = max(end, next_end)
    return Supply(is_on=True, changes_at=end)


def operation_at(
    held: PrepayOperationStatus,
    balance: AccountBalance,
    prepayment: Prepayment,
    overrides: Iterable[DateTimeInterval],
    now: int,
    *,
    was_exhausted: bool,
) -> PrepayOperationStatus:
    """The state of the supply at `now`.

    `was_exhausted`: credit had run out before; a supply that is off for another reason stays so when it
    has not.
    """
    held = replace(held, creditTypeInUse=type_in_use(balance, prepayment), creditTypeChange=None)
    if held.serviceStatus == ServiceStatusType.NO_CONTACTOR:
        return replace(held, serviceChange=None)
    if not is_exhausted(balance, prepayment):
        back = {ServiceStatusType.DISCONNECTED, ServiceStatusType.ARMED_FOR_DISCONNECT}
        is_cut = was_exhausted and held.serviceStatus in back
        status = ServiceStatusType.CONNECTED if is_cut else held.serviceStatus
        return replace(held, serviceStatus=status, serviceChange=None)
    supply = supply_at(overrides, now)
    on, off = ServiceStatusType.CONNECTED, ServiceStatusType.DISCONNECTED
    change = (
        None
        if supply.changes_at is None
        else ServiceChange(newStatus=off if supply.is_on else on, startTime=supply.changes_at)
    )
    return replace(held, serviceStatus=on if supply.is_on else off, serviceChange=change)


def _less(like: AccountingUnit, amount: Decimal) -> AccountingUnit:
    """Minus an amount, in the unit of another one and as finely as it needs."""
    exponent = amount.normalize().as_tuple().exponent
    step = min(like.multiplier, exponent if isinstance(exponent, int) else 0)
    return replace(like, multiplier=step, value=-int(amount.scaleb(-step)))
