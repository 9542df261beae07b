"""What samples of a test mean: sign, limit, ramp, loss of communication. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from der_client.commissioning.report import Figure, Finding, Verdict
from der_client.device import BatteryState, Nameplate, Telemetry

SIGN, LIMIT, RAMP, LOSS = "sign", "limit", "ramp", "loss of communication"
PLAUSIBILITY = "readings"
RAMP_BAND = (0.1, 0.9)
RAMP_SLACK = (0.5, 1.25)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One reading of a test at a time of the test's clock, s."""

    at_s: float
    telemetry: Telemetry

    @property
    def power_w(self) -> float:
        """Active power, positive out of the device."""
        return self.telemetry.power_w


def judge_readings(plate: Nameplate, telemetry: Telemetry) -> Finding:
    """Whether the readings of a device at rest agree with its ratings and with each other."""
    doubts = []
    if abs(telemetry.power_w) > 1.1 * plate.max_w:
        doubts.append(f"{telemetry.power_w:g} W with a rating of {plate.max_w:g} W: a wrong scale factor?")
    if (
        telemetry.voltage_v is not None
        and plate.v_nom_v
        and not (0.5 < telemetry.voltage_v / plate.v_nom_v < 1.5)
    ):
        doubts.append(f"{telemetry.voltage_v:g} V with {plate.v_nom_v:g} V nominal")
    if telemetry.apparent_va is not None and abs(telemetry.apparent_va) < 0.95 * abs(telemetry.power_w) - 10:
        doubts.append(f"apparent power {telemetry.apparent_va:g} VA is below active power")
    if telemetry.soc_pct is not None and not 0 <= telemetry.soc_pct <= 100:
        doubts.append(f"SoC {telemetry.soc_pct:g} %")
    if plate.is_storage and telemetry.soc_pct is None:
        doubts.append("a battery without state of charge")
    figures = [Figure(name="power", value=telemetry.power_w, unit="W")]
    figures += [
        Figure(name=name, value=value, unit=unit)
        for name, value, unit in (
            ("voltage", telemetry.voltage_v, "V"),
            ("frequency", telemetry.frequency_hz, "Hz"),
            ("SoC", telemetry.soc_pct, "%"),
        )
        if value is not None
    ]
    verdict = Verdict.WARNING if doubts else Verdict.PASSED
    words = "; ".join(doubts) or "they agree with the ratings"
    return Finding(test=PLAUSIBILITY, verdict=verdict, words=words, figures=tuple(figures))


def judge_generator_sign(free: Sample, limited: Sample, least_w: float) -> Finding:
    """A generator gives positive power, and less of it under a limit."""
    figures = (
        Figure(name="free", value=free.power_w, unit="W"),
        Figure(name="limited", value=limited.power_w, unit="W"),
    )
    if free.power_w < 0:
        words = "generation reads negative: the sign is turned round"
        return Finding(test=SIGN, verdict=Verdict.FAILED, words=words, figures=figures)
    if free.power_w - limited.power_w < least_w:
        words = "power does not fall under a limit"
        return Finding(test=SIGN, verdict=Verdict.FAILED, words=words, figures=figures)
    return Finding(test=SIGN, verdict=Verdict.PASSED, words="generation reads positive", figures=figures)


def judge_storage_sign(charging: Sample, discharging: Sample, asked_w: float, slack_w: float) -> Finding:
    """Charging reads negative, discharging positive, each near what was asked; the BMS agrees."""
    figures = (
        Figure(name="asked", value=asked_w, unit="W"),
        Figure(name="charging", value=charging.power_w, unit="W"),
        Figure(name="discharging", value=discharging.power_w, unit="W"),
    )
    doubts = []
    if charging.power_w > slack_w and discharging.power_w < -slack_w:
        doubts.append("charging reads positive and discharging negative: the sign is turned round")
    else:
        if abs(charging.power_w + asked_w) > slack_w:
            doubts.append(f"asked to charge at {asked_w:g} W it reads {charging.power_w:g} W")
        if abs(discharging.power_w - asked_w) > slack_w:
            doubts.append(f"asked to discharge at {asked_w:g} W it reads {discharging.power_w:g} W")
    for sample, word, sign in ((charging, "charging", -1), (discharging, "discharging", 1)):
        battery = sample.telemetry.battery
        if isinstance(battery, BatteryState) and battery.current_a * sign < 0:
            doubts.append(f"while {word} the BMS reads {battery.current_a:g} A: its sign is turned round")
    verdict = Verdict.FAILED if doubts else Verdict.PASSED
    words = "; ".join(doubts) or "charging reads negative, discharging positive"
    return Finding(test=SIGN, verdict=verdict, words=words, figures=figures)


def judge_limit(
    samples: Sequence[Sample], limit_w: float, slack_w: float, allowed_s: float, *, is_alone: bool = True
) -> Finding:
    """Power goes below a limit within `allowed_s` and stays there. The first sample is of the order.

    A limit that is not alone has a target beside it, which is lowered to it: then it is not done.
    """
    began_s, last = samples[0].at_s, samples[-1]
    above = [sample for sample in samples if sample.power_w > limit_w + slack_w]
    settled_s = (above[-1].at_s if above else began_s) - began_s
    figures = (
        Figure(name="limit", value=round(limit_w, 1), unit="W"),
        Figure(name="reached", value=round(last.power_w, 1), unit="W"),
        Figure(name="settled after", value=round(settled_s, 1), unit="s"),
    )
    if last.power_w > limit_w + slack_w:
        words = f"{last.power_w - limit_w:.0f} W flow above the limit after {allowed_s:g} s"
        return Finding(test=LIMIT, verdict=Verdict.FAILED, words=words, figures=figures)
    if last.power_w < limit_w - max(5 * slack_w, 0.25 * limit_w):
        words = "far less flows than the limit allows: is it scaled wrongly?"
        return Finding(test=LIMIT, verdict=Verdict.WARNING, words=words, figures=figures)
    if not is_alone:
        words = "the target is lowered with the limit: what the limit does alone cannot be seen"
        return Finding(test=LIMIT, verdict=Verdict.NOT_DONE, words=words, figures=figures)
    return Finding(test=LIMIT, verdict=Verdict.PASSED, words="the limit is kept", figures=figures)


def judge_ramp(samples: Sequence[Sample], start_w: float, end_w: float, asked_w_per_s: float) -> Finding:
    """The slope between 10 and 90 % of a move is that which was asked for, not faster than by a quarter."""
    inside = [s for s in samples if RAMP_BAND[0] <= (s.power_w - start_w) / (end_w - start_w) <= RAMP_BAND[1]]
    asked = Figure(name="asked", value=round(asked_w_per_s, 1), unit="W/s")
    if len(inside) < 3:
        words = "power jumps: the ramp is not kept"
        return Finding(test=RAMP, verdict=Verdict.FAILED, words=words, figures=(asked,))
    slope = abs(_slope(inside))
    figures = (asked, Figure(name="measured", value=round(slope, 1), unit="W/s"))
    low, high = RAMP_SLACK
    if slope > high * asked_w_per_s:
        return Finding(test=RAMP, verdict=Verdict.FAILED, words="faster than asked", figures=figures)
    if slope < low * asked_w_per_s:
        return Finding(test=RAMP, verdict=Verdict.WARNING, words="slower than asked", figures=figures)
    return Finding(test=RAMP, verdict=Verdict.PASSED, words="the ramp is kept", figures=figures)


def nothing_to_lose(held: Sample, from_w: float, level_w: float, slack_w: float) -> Finding | None:
    """Why a loss could not be seen: power under the setpoint is already where it would go to."""
    if abs(held.power_w - level_w) > slack_w:
        return None
    if abs(held.power_w - from_w) > slack_w:
        words = "the setpoint did not act: nothing to lose"
        return Finding(test=LOSS, verdict=Verdict.FAILED, words=words)
    words = f"{from_w:g} W and {level_w:g} W cannot be told apart: repeat it with more power"
    return Finding(test=LOSS, verdict=Verdict.NOT_DONE, words=words)


def judge_loss(
    samples: Sequence[Sample], silent_s: float, after_s: float, level_w: float, slack_w: float
) -> Finding:
    """Left alone since `silent_s`, the device has gone to the level of its reversion in time."""
    there = next((s for s in samples if abs(s.power_w - level_w) <= slack_w), None)
    figures = [
        Figure(name="reversion time", value=after_s, unit="s"),
        Figure(name="level", value=round(level_w, 1), unit="W"),
        Figure(name="reached", value=round(samples[-1].power_w, 1), unit="W"),
    ]
    if there is None:
        words = f"{samples[-1].at_s - silent_s:.0f} s after the client fell silent its setpoint still stands"
        return Finding(test=LOSS, verdict=Verdict.FAILED, words=words, figures=tuple(figures))
    figures.append(Figure(name="reverted by", value=round(there.at_s - silent_s, 1), unit="s"))
    words = "without the client the device falls back by itself"
    return Finding(test=LOSS, verdict=Verdict.PASSED, words=words, figures=tuple(figures))


def _slope(samples: Sequence[Sample]) -> float:
    """Least squares, W/s."""
    mean_s = sum(s.at_s for s in samples) / len(samples)
    mean_w = sum(s.power_w for s in samples) / len(samples)
    over = sum((s.at_s - mean_s) * (s.power_w - mean_w) for s in samples)
    return over / sum((s.at_s - mean_s) ** 2 for s in samples)
