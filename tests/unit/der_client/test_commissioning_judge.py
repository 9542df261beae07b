"""What samples of a commissioning test mean, and when one is stopped."""

from dataclasses import replace

import pytest

from der_client.can import CanFrame, load_profile
from der_client.commissioning import Figure, Finding, Guard, Report, Verdict
from der_client.commissioning.bms_test import BmsTest
from der_client.commissioning.can_survey import Survey, best_profile
from der_client.commissioning.describe import hint_of, reading_lines
from der_client.commissioning.judge import (
    Sample,
    judge_generator_sign,
    judge_limit,
    judge_loss,
    judge_ramp,
    judge_readings,
    judge_storage_sign,
)
from der_client.device import BatteryState, Fault, FaultKind, Nameplate, Telemetry

PLATE = Nameplate(
    manufacturer="Maker", model="One", serial="1", version="1", der_type=80, modes=frozenset(),
    max_w=5_000, max_va=5_000, max_var=2_000, max_var_neg=2_000, set_max_w=5_000, set_max_va=5_000,
    set_max_var=2_000, set_max_var_neg=2_000, max_charge_w=4_000, v_nom_v=240,
)  # fmt: skip
BATTERY = BatteryState(
    voltage_v=50.0, current_a=0.0, soc_pct=50.0, soh_pct=99.0, temperature_c=21.0, charge_limit_a=100.0,
    discharge_limit_a=100.0, charge_voltage_v=56.0,
)  # fmt: skip
CALM = Telemetry(
    power_w=1_000, reactive_var=0, apparent_va=1_000, voltage_v=240, frequency_hz=50, soc_pct=50
)  # fmt: skip
SILENT = Fault(kind=FaultKind.STALE, detail="BMS silent for 4.0 s")


def samples(*powers_w: float, every_s: float = 1.0) -> list[Sample]:
    return [Sample(at_s=at * every_s, telemetry=replace(CALM, power_w=w)) for at, w in enumerate(powers_w)]


@pytest.mark.parametrize(
    ("telemetry", "words"),
    [
        (CALM, None),
        (replace(CALM, power_w=5_300), "5300 W are 106 % of the rating"),
        (replace(CALM, local_control=True), "the device is under local control"),
        (replace(CALM, alarms=frozenset({3, 1})), "the device raises alarms, bits [1, 3]"),
        (replace(CALM, inputs=frozenset({"door open"})), "safety input active: door open"),
        (replace(CALM, voltage_v=265), "265 V are 110 % of the nominal voltage"),
        (replace(CALM, voltage_v=210), "210 V are 88 % of the nominal voltage"),
        (replace(CALM, frequency_hz=51.2), "51.2 Hz"),
        (replace(CALM, frequency_hz=60.5), None),
        (replace(CALM, temperatures_c={"cabinet": 71.0}), "71 degC at the cabinet"),
        (
            replace(CALM, soc_pct=91),
            "SoC 91 % is outside 15 to 90 %, where a test may move power",
        ),
        (replace(CALM, battery=SILENT), "BMS: BMS silent for 4.0 s"),
        (
            replace(CALM, battery=replace(BATTERY, alarms=frozenset({"high_voltage"}))),
            "BMS alarm: high_voltage",
        ),
        (replace(CALM, battery=BATTERY), None),
    ],
)
def test_a_test_goes_on_only_within_its_guard(telemetry: Telemetry, words: str | None) -> None:
    assert Guard().trouble(PLATE, telemetry) == words


@pytest.mark.parametrize(
    ("telemetry", "words"),
    [
        (CALM, "they agree with the ratings"),
        (replace(CALM, power_w=50_000), "a wrong scale factor?"),
        (replace(CALM, voltage_v=24), "24 V with 240 V nominal"),
        (replace(CALM, apparent_va=100), "apparent power 100 VA is below active power"),
        (replace(CALM, soc_pct=4_000), "SoC 4000 %"),
        (replace(CALM, soc_pct=None), "a battery without state of charge"),
    ],
)
def test_readings_are_held_against_ratings(telemetry: Telemetry, words: str) -> None:
    finding = judge_readings(PLATE, telemetry)

    assert words in finding.words
    assert (finding.verdict is Verdict.PASSED) == (telemetry == CALM)


@pytest.mark.parametrize(
    ("free_w", "limited_w", "verdict"),
    [(4_000, 2_000, Verdict.PASSED), (-4_000, -2_000, Verdict.FAILED), (4_000, 3_990, Verdict.FAILED)],
)
def test_the_sign_of_a_generator(free_w: float, limited_w: float, verdict: Verdict) -> None:
    free, limited = samples(free_w, limited_w)

    assert judge_generator_sign(free, limited, 100).verdict is verdict


@pytest.mark.parametrize(
    ("charging_w", "discharging_w", "bms_a", "words"),
    [
        (-800, 800, 0, "charging reads negative, discharging positive"),
        (800, -800, 0, "the sign is turned round"),
        (-800, 80, 0, "asked to discharge at 800 W it reads 80 W"),
        (-8, 800, 0, "asked to charge at 800 W it reads -8 W"),
        (-800, 800, 16, "while charging the BMS reads 16 A: its sign is turned round"),
    ],
)
def test_the_sign_of_a_battery(charging_w: float, discharging_w: float, bms_a: float, words: str) -> None:
    charging, discharging = samples(charging_w, discharging_w)
    charging = replace(
        charging, telemetry=replace(charging.telemetry, battery=replace(BATTERY, current_a=bms_a))
    )

    assert words in judge_storage_sign(charging, discharging, 800, 100).words


@pytest.mark.parametrize(
    ("powers_w", "verdict", "settled_s"),
    [
        ((4_000, 3_000, 2_050, 1_990), Verdict.PASSED, 1.0),
        ((4_000, 1_000, 2_500, 2_000), Verdict.PASSED, 2.0),
        ((4_000, 4_000, 4_000), Verdict.FAILED, 2.0),
        ((4_000, 200, 200), Verdict.WARNING, 0.0),
    ],
)
def test_a_limit_is_kept_or_not(powers_w: tuple[float, ...], verdict: Verdict, settled_s: float) -> None:
    finding = judge_limit(samples(*powers_w), 2_000, 100, 20)

    assert finding.verdict is verdict
    assert finding.figures[-1] == Figure(name="settled after", value=settled_s, unit="s")


@pytest.mark.parametrize(
    ("powers_w", "verdict", "words"),
    [
        ((0, 100, 200, 300, 400, 500), Verdict.PASSED, "the ramp is kept"),
        ((0, 150, 300, 450, 500), Verdict.FAILED, "faster than asked"),
        ((0, 40, 80, 120, 160, 200), Verdict.WARNING, "slower than asked"),
        ((0, 500, 500, 500), Verdict.FAILED, "power jumps: the ramp is not kept"),
    ],
)
def test_a_ramp_is_kept_or_not(powers_w: tuple[float, ...], verdict: Verdict, words: str) -> None:
    finding = judge_ramp(samples(*powers_w), 0, 500, 100)

    assert (finding.verdict, finding.words) == (verdict, words)


def test_a_device_that_falls_back_says_when() -> None:
    finding = judge_loss(samples(2_000, 2_000, 1_000), 0, 1, 1_000, 50)

    assert finding.verdict is Verdict.PASSED
    assert finding.figures[-1] == Figure(name="reverted by", value=2.0, unit="s")


def test_a_setpoint_that_outlives_its_client_fails() -> None:
    finding = judge_loss(samples(2_000, 2_000, 2_000), 0, 1, 1_000, 50)

    assert finding.verdict is Verdict.FAILED
    assert finding.words == "2 s after the client fell silent its setpoint still stands"


def test_a_report_is_as_bad_as_its_worst_finding() -> None:
    good = Finding(test="limit", verdict=Verdict.PASSED, words="kept")
    bad = Finding(test="sign", verdict=Verdict.FAILED, words="turned round")

    assert Report(device="d", started_s=0).verdict is Verdict.NOT_DONE
    assert Report(device="d", started_s=0, findings=(good,)).verdict is Verdict.PASSED
    assert Report(device="d", started_s=0, findings=(bad, good)).verdict is Verdict.FAILED


def test_a_report_as_text() -> None:
    finding = Finding(
        test="limit", verdict=Verdict.PASSED, words="kept", figures=(Figure(name="limit", value=5, unit="W"),)
    )
    report = Report(
        device="roof",
        started_s=86_400,
        identity={"model": "One"},
        ratings=(Figure(name="max W", value=5_000, unit="W"),),
        modes=("opModMaxLimW",),
        findings=(finding,),
    )

    assert report.as_text().splitlines() == [
        "Commissioning report of roof, 1970-01-02 00:00:00 UTC",
        "",
        "  model          One",
        "  max W          5000 W",
        "  modes          opModMaxLimW",
        "",
        "PASSED    limit: kept",
        "          limit 5 W",
        "",
        "verdict: passed",
    ]


def test_a_hint_fits_what_went_wrong() -> None:
    fault = Fault(kind=FaultKind.REFUSED, detail="read 0+2: exception 11 (gateway target did not respond)")

    assert "--unit" in hint_of(fault)
    assert hint_of(Fault(kind=FaultKind.LOCAL, detail="something else")) == ""


def test_a_reading_in_words_leaves_out_what_is_not_said() -> None:
    lines = list(reading_lines(replace(CALM, battery=SILENT, temperatures_c={"cabinet": 30.5})))

    assert "  temperatures_c     cabinet 30.5" in lines
    assert "  battery            stale data: BMS silent for 4.0 s" in lines
    assert not any("phase_v" in line for line in lines)


def frame(identifier: int, at_s: float, data: bytes = b"\x01\x00") -> CanFrame:
    return CanFrame(arbitration_id=identifier, data=data, received_s=at_s)


def test_a_survey_counts_frames_and_gaps() -> None:
    survey = Survey()
    survey.take(frame(0x351, 0.0))
    survey.take(frame(0x351, 1.0))
    survey.take(frame(0x351, 3.5))
    survey.take(frame(0x123, 3.6))
    survey.duration_s = 4.0
    profile = load_profile("pylontech_lv")

    assert survey.missing(profile) == ("Measurements", "StateOfCharge")
    assert survey.share(profile) == 0.5
    assert [line.split()[:4] for line in survey.lines(profile)] == [
        ["123", "?", "1", "in"],
        ["351", "Limits", "3", "in"],
    ]
    assert best_profile(survey, (profile,)) is None


def test_a_silent_bms_is_a_silent_bus() -> None:
    report = BmsTest(load_profile("pylontech_lv")).report("b", started_s=0, now_s=10, bus_fault=None)

    assert report.verdict is Verdict.FAILED
    assert "no frame at all" in report.findings[0].words


@pytest.mark.parametrize(
    ("own_s", "words"),
    [(3.0, "gaps of 3 s and more stop the battery"), (20.0, "all that is needed, in time")],
)
def test_a_slow_message_of_a_bms_is_held_against_its_own_stale_time(own_s: float, words: str) -> None:
    profile = load_profile("pylontech_lv")
    slow = {name: replace(profile.values[name], stale_s=own_s) for name in ("soc", "soh")}
    test = BmsTest(replace(profile, values={**profile.values, **slow}))
    for second in range(13):
        for text in (
            "351#1402740E740ECC01",
            "356#4E1300000405",
            *(("355#1A006400",) if second % 12 == 0 else ()),
        ):
            identifier, data = text.split("#")
            arbitration_id = int(identifier, 16)
            test.take(
                CanFrame(arbitration_id=arbitration_id, data=bytes.fromhex(data), received_s=float(second))
            )
    test.survey.duration_s = 12.0
    report = test.report("b", started_s=0, now_s=12, bus_fault=None)

    assert next(one.words for one in report.findings if one.test == "messages") == words
