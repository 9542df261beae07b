"""What a driver says that a device is: what cannot be is a fault, and never reaches a report."""

import math
from dataclasses import replace

import pytest

from der_client.believable import plate_of
from der_client.device import Fault, FaultKind, Nameplate
from tests.unit.der_client.plates import PV, STORAGE

SILENT = Fault(kind=FaultKind.NO_ANSWER, detail="nobody there")


def test_a_sound_nameplate_and_a_fault_stay_as_they_are() -> None:
    assert [plate_of(one) for one in (PV, STORAGE, SILENT)] == [PV, STORAGE, SILENT]


@pytest.mark.parametrize(
    ("plate", "detail"),
    [
        (replace(PV, max_w=3e38), "max_w: 3e+38 cannot be"),
        (replace(PV, set_max_w=math.nan), "set_max_w: nan cannot be"),
        (replace(PV, max_va=math.inf), "max_va: inf cannot be"),
        (replace(PV, max_w=-1.0), "max_w: -1 cannot be"),
        (replace(STORAGE, max_charge_w=math.inf), "max_charge_w: inf cannot be"),
        (replace(STORAGE, capacity_wh=-5.0), "capacity_wh: -5 cannot be"),
    ],
)
def test_a_rating_that_cannot_be_is_a_fault(plate: Nameplate, detail: str) -> None:
    assert plate_of(plate) == Fault(kind=FaultKind.MALFORMED, detail=detail)


def test_what_is_told_beside_and_cannot_be_is_done_without() -> None:
    told = replace(PV, v_nom_v=240.0, max_a=1e15, grad_w_pct_per_s=-1.0, min_pf_over_excited=95.0)

    assert plate_of(told) == replace(told, max_a=None, grad_w_pct_per_s=None, min_pf_over_excited=None)


def test_texts_lose_what_no_document_can_hold() -> None:
    found = plate_of(
        replace(PV, manufacturer="Ma\x00k\x1ber", model="\ud800One", serial="7\ufffe7", version="é 1")
    )

    assert isinstance(found, Nameplate)
    assert (found.manufacturer, found.model, found.serial, found.version) == ("Maker", "One", "77", "é 1")
