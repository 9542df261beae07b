"""The commissioning test of a BMS: what a stretch of its frames tells. Pure."""

from collections.abc import Iterator, Mapping

from der_client.can import BatteryLimits, BmsState, CanFrame, Profile
from der_client.commissioning.can_survey import Survey
from der_client.commissioning.report import Figure, Finding, Report, Verdict
from der_client.device import BatteryState, Fault

BUS, MESSAGES, FRAMES, STATE, LIMITS, ALARMS, CELLS = (
    "bus",
    "messages",
    "frames",
    "state",
    "limits",
    "alarms",
    "cells",
)
CELL_V = (2.0, 4.3)


class BmsTest:
    """One test of a BMS: `take` each frame, then `report`. Times on any clock that only goes forward, s."""

    def __init__(self, profile: Profile, limits: BatteryLimits | None = None) -> None:
        self.survey = Survey()
        self._profile = profile
        self._state = BmsState(profile, limits)
        self._refused: set[str] = set()

    def take(self, frame: CanFrame) -> None:
        """One frame as it came."""
        self.survey.take(frame)
        for refusal in self._state.feed(frame, frame.received_s):
            self._refused.add(f"{refusal.message}: {refusal.value or 'frame'} {refusal.reason}")

    def report(self, device: str, *, started_s: float, now_s: float, bus_fault: Fault | None) -> Report:
        """What was found by `now_s`."""
        answer = self._state.assess(now_s)
        findings = tuple(self._findings(answer, bus_fault))
        return Report(device=device, started_s=started_s, identity=self._identity(), findings=findings)

    def _identity(self) -> Mapping[str, str]:
        texts = {name: self._state.decoder.text(name) for name in self._profile.texts}
        return {"profile": self._profile.name, **{name: text for name, text in texts.items() if text}}

    def _findings(self, answer: BatteryState | Fault, bus_fault: Fault | None) -> Iterator[Finding]:
        yield self._bus(bus_fault)
        if self.survey.frames:
            yield self._messages()
            yield self._frames()
            yield _state(answer)
        if isinstance(answer, BatteryState):
            yield _limits(answer)
            yield _alarms(answer)
            yield _cells(answer)

    def _bus(self, fault: Fault | None) -> Finding:
        survey = self.survey
        if fault is not None:
            return Finding(test=BUS, verdict=Verdict.FAILED, words=fault.detail)
        if not survey.frames:
            words = "no frame at all: bit rate, termination, plug, or the BMS sleeps until it hears 0x305"
            return Finding(test=BUS, verdict=Verdict.FAILED, words=words)
        rate = Figure(name="rate", value=round(survey.frames / survey.duration_s, 1), unit="frames/s")
        unknown = 1 - survey.share(self._profile)
        words = "frames come" if unknown < 0.5 else f"{unknown:.0%} of the identifiers are not in the profile"
        return Finding(test=BUS, verdict=Verdict.PASSED, words=words, figures=(rate,))

    def _messages(self) -> Finding:
        missing = self.survey.missing(self._profile)
        if missing:
            words = f"not heard: {', '.join(missing)}; is {self._profile.name} the right profile?"
            return Finding(test=MESSAGES, verdict=Verdict.FAILED, words=words)
        gaps = {name: self.survey.of(self._profile, name) for name in sorted(self._profile.must_have)}
        figures = tuple(
            Figure(name=f"longest gap of {name}", value=round(heard.longest_gap_s, 2), unit="s")
            for name, heard in gaps.items()
            if heard is not None
        )
        patience = [self._patience_s(name) for name, heard in gaps.items() if heard is not None]
        late = [s for figure, s in zip(figures, patience, strict=True) if figure.value >= s]
        verdict = Verdict.WARNING if late else Verdict.PASSED
        words = (
            f"gaps of {min(late):g} s and more stop the battery" if late else "all that is needed, in time"
        )
        return Finding(test=MESSAGES, verdict=verdict, words=words, figures=figures)

    def _patience_s(self, message: str) -> float:
        """How old a message that is needed may get before the battery stops, s."""
        own = (one for one in self._profile.values.values() if one.message == message and one.is_required)
        return min((one.stale_s for one in own), default=self._profile.timing.stale_s)

    def _frames(self) -> Finding:
        verdict = Verdict.WARNING if self._refused else Verdict.PASSED
        return Finding(test=FRAMES, verdict=verdict, words="; ".join(sorted(self._refused)) or "none refused")


def _state(answer: BatteryState | Fault) -> Finding:
    if isinstance(answer, Fault):
        return Finding(test=STATE, verdict=Verdict.FAILED, words=f"{answer.kind}: {answer.detail}")
    figures = (
        Figure(name="voltage", value=answer.voltage_v, unit="V"),
        Figure(name="current", value=answer.current_a, unit="A"),
        Figure(name="SoC", value=answer.soc_pct, unit="%"),
        Figure(name="SoH", value=answer.soh_pct, unit="%"),
        Figure(name="temperature", value=answer.temperature_c, unit="degC"),
    )
    return Finding(test=STATE, verdict=Verdict.PASSED, words="complete", figures=figures)


def _limits(battery: BatteryState) -> Finding:
    figures = (
        Figure(name="charge", value=battery.charge_limit_a, unit="A"),
        Figure(name="discharge", value=battery.discharge_limit_a, unit="A"),
        Figure(name="charge voltage", value=battery.charge_voltage_v, unit="V"),
    )
    doubts = []
    if battery.charge_voltage_v < battery.voltage_v:
        doubts.append("the charge voltage is below the voltage of the pack")
    if not battery.charge_allowed or not battery.discharge_allowed:
        doubts.append("a direction is closed")
    if battery.wants_charge:
        doubts.append("the BMS asks to be charged")
    words = "; ".join(doubts) or "both directions are open"
    verdict = Verdict.WARNING if doubts else Verdict.PASSED
    return Finding(test=LIMITS, verdict=verdict, words=words, figures=figures)


def _alarms(battery: BatteryState) -> Finding:
    if battery.alarms:
        return Finding(test=ALARMS, verdict=Verdict.FAILED, words=", ".join(sorted(battery.alarms)))
    if battery.warnings:
        words = f"warnings: {', '.join(sorted(battery.warnings))}"
        return Finding(test=ALARMS, verdict=Verdict.WARNING, words=words)
    return Finding(test=ALARMS, verdict=Verdict.PASSED, words="none stands")


def _cells(battery: BatteryState) -> Finding:
    low_v, high_v = battery.cell_v_min, battery.cell_v_max
    if low_v is None or high_v is None:
        return Finding(test=CELLS, verdict=Verdict.NOT_DONE, words="the BMS sends no cell data")
    figures = (
        Figure(name="lowest", value=low_v, unit="V"),
        Figure(name="highest", value=high_v, unit="V"),
        Figure(name="apart", value=round(1000 * (high_v - low_v), 1), unit="mV"),
    )
    is_plausible = CELL_V[0] <= low_v <= high_v <= CELL_V[1]
    words = "plausible" if is_plausible else "no voltages of lithium cells: a wrong scale or byte order?"
    verdict = Verdict.PASSED if is_plausible else Verdict.FAILED
    return Finding(test=CELLS, verdict=verdict, words=words, figures=figures)
