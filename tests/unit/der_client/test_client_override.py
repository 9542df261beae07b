import math
from dataclasses import replace

import pytest

from der_client.desired import Desired
from der_client.device import Setpoint
from der_client.local_orders import Order, order_of
from der_client.loop_watch import watch_of
from der_client.override import Override, Overriding, override_from, override_text
from der_client.verified import Verified, verified_from
from tests.unit.der_client.safety_bench import PV

KEPT = Override(target_w=-1_000.0, until_s=2_000.0, is_kept=True, by="uid 1000")


def test_an_override_is_a_wish_without_a_ramp_of_its_own() -> None:
    wish = Override(target_w=500.0, limit_pct=20.0, energize=False).desired()

    assert wish == Desired(setpoint=Setpoint(target_w=500.0, max_w_pct=20.0, energize=False))


@pytest.mark.parametrize("wrong", [{}, {"target_w": math.nan}, {"limit_pct": -1.0}, {"limit_pct": 100.1}])
def test_an_override_that_no_device_can_hold_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="override"):
        Override(**wrong)  # type: ignore[arg-type]


def test_an_override_ends_after_its_time_whatever_the_system_clock_does() -> None:
    it = Overriding.of(KEPT, system_s=1_000.0, now=50.0)

    assert it.at(1_049.9) == KEPT
    assert it.at(1_050.0) is None
    assert Overriding.of(replace(KEPT, until_s=None), 0.0, 0.0).at(1e9) is not None


def test_an_override_survives_as_a_text_only_where_it_is_kept() -> None:
    assert override_from(override_text(KEPT)) == KEPT
    assert override_from(override_text(replace(KEPT, is_kept=False))) is None
    assert override_from(override_text(None)) is None


@pytest.mark.parametrize("text", ["{", '{"colour": 1}', '{"limit_pct": 500}', "[1]"])
def test_a_text_that_is_no_override_is_refused(text: str) -> None:
    with pytest.raises((ValueError, TypeError)):
        override_from(text)


def test_an_order_for_an_override_says_until_when() -> None:
    line = '{"do": "override", "device": "roof", "target_w": 0, "for_s": 60, "keep": true}'

    assert order_of(line, 1_000.0, "uid 0") == Order(
        do="override",
        device="roof",
        override=Override(target_w=0.0, until_s=1_060.0, is_kept=True, by="uid 0"),
        for_s=60.0,
    )


def test_an_order_may_name_interlocks_and_events() -> None:
    assert order_of('{"do": "reset", "names": ["fire"]}', 0.0, "").names == frozenset({"fire"})
    assert order_of('{"do": "optout", "mrid": "0A", "for_s": 5}', 0.0, "").mrid == "0A"
    assert order_of('{"do": "status"}', 0.0, "") == Order(do="status")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", "no JSON"),
        ("7", "do: one of"),
        ("{}", "do: one of"),
        ('{"do": "explode"}', "do: one of"),
        ('{"do": "reset", "target_w": 1}', "target_w: reset knows no such key"),
        ('{"do": "override"}', "override: a target, a limit or energize"),
        ('{"do": "override", "target_w": "much"}', "target_w: a number"),
        ('{"do": "override", "target_w": true}', "target_w: a number"),
        ('{"do": "override", "energize": 1}', "energize: true or false"),
        ('{"do": "override", "target_w": 1, "for_s": 0}', "for_s: more than 0"),
        ('{"do": "override", "target_w": NaN}', "override.target_w"),
        ('{"do": "reset", "names": "fire"}', "names: a list"),
        ('{"do": "optin", "mrid": 7}', "mrid: a text"),
    ],
)
def test_an_order_that_is_none_says_what_is_wrong(line: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        order_of(line, 0.0, "")


def test_a_loop_is_late_by_how_much_later_than_due_it_begins() -> None:
    watch = watch_of(1.0).began(10.0, None, 2.0).began(13.0, 11.0, 2.0).began(16.5, 14.0, 2.0)

    assert (watch.late_s, watch.late_cycles) == (2.5, 2)
    assert watch.began(17.0, 17.5, 2.0).late_cycles == 0


def test_a_loop_faster_than_a_second_is_measured_by_the_second() -> None:
    assert watch_of(0.1).began(1.5, 0.0, 2.0).late_cycles == 0


def test_new_firmware_of_the_same_model_must_read_the_same_twice() -> None:
    known = Verified().after(PV)
    first = known.after(replace(PV, version="2"))
    other = first.after(replace(PV, version="2", set_max_w=9_000))
    second = other.after(replace(PV, version="2", set_max_w=9_000))

    assert [v.is_pending for v in (known, first, other, second)] == [False, True, True, False]
    assert first.needs_scan


def test_another_model_waits_for_an_operator() -> None:
    found = Verified().after(PV).after(replace(PV, model="Two"))
    again = found.after(replace(PV, model="Two"))

    assert (again.is_pending, again.needs_scan) == (True, False)
    assert again.accepted() == Verified(known=("Maker", "Two", "1"))
    assert Verified().accepted() == Verified()


def test_the_device_that_was_known_is_known_after_a_restart() -> None:
    assert verified_from(Verified().after(PV).to_text()) == Verified(known=("Maker", "One", "1"))
    assert verified_from(None) == Verified()


def test_another_device_of_the_same_model_is_no_change_of_firmware() -> None:
    assert not Verified().after(PV).after(replace(PV, serial="2", max_w=5_000)).is_pending
