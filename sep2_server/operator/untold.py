"""What of a resource the operator API keeps to itself: a PIN from all, a token of a credit from viewers."""

from typing import Final

from schemas import CreditRegister, Json, json_of
from sep2_server.operator.body import SECRETS
from sep2_server.operator.desk import Desk

PAID_WITH: Final = "token"
"""Field of a CreditRegister: whose it is may take the credit again, once the register is removed."""


def wire_of(desk: Desk, value: object) -> dict[str, Json]:
    """A resource in wire form, without what whoever calls is not to read.

    A PIN is told once, where it is made. IEEE 2030.5-2018, 6.3.5, 10.8 (CreditRegister).
    """
    is_payment = isinstance(value, CreditRegister)
    hidden = SECRETS | {PAID_WITH} if is_payment and desk.may_only_read else SECRETS
    return {name: held for name, held in json_of(value).items() if name not in hidden}
