"""What a lying device shows instead of its registers. Pure functions."""

from collections.abc import Sequence

from der_client.sunspec.codec import words_of
from der_client.sunspec.definitions import HEADER_SIZE
from der_client.sunspec.model import Model
from der_client.sunspec.simulator.bank import RegisterBank
from der_client.sunspec.simulator.faults import FaultSwitches

MEASURED = {101: ("St", 7), 102: ("St", 7), 103: ("St", 7), 701: ("InvSt", 6)}
"""Models of measurements, with the state that says fault."""


def distorted(bank: RegisterBank, faults: FaultSwitches, address: int, words: Sequence[int]) -> list[int]:
    """The registers from `address` on as the faults have them."""
    shown = list(words)
    if faults.all_zero:
        for number, (state, code) in MEASURED.items():
            if model := bank.models.get(number):
                _zero(model, state, code, address, shown)
    for name, shift in faults.scale_shift.items():
        number_text, _, point = name.partition(".")
        model = bank.models.get(int(number_text))
        found = model.point(point) if model is not None else None
        exponent = model.integer(point) if model is not None else None
        if model is not None and found is not None and exponent is not None:
            _replace(shown, address, model.address + found.offset, words_of(exponent + shift, 1))
    return shown


def _zero(model: Model, state: str, code: int, address: int, shown: list[int]) -> None:
    body = model.address + HEADER_SIZE
    _replace(shown, address, body, (0,) * model.length)
    point = model.point(state)
    if point is not None:
        _replace(shown, address, model.address + point.offset, (code,))


def _replace(shown: list[int], address: int, start: int, words: Sequence[int]) -> None:
    """Put words into what is shown, as far as they lie in it."""
    for index, word in enumerate(words, start - address):
        if 0 <= index < len(shown):
            shown[index] = word
