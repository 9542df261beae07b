"""The commissioning test of a device: what it says, then sign, limit, ramp and loss of communication.

It writes only where it is allowed to, watches the guard with every sample, aborts to 0 W or to a release, and
puts the control registers back however it ends.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from der_client.commissioning.guard import Guard
from der_client.commissioning.judge import (
    LIMIT,
    LOSS,
    RAMP,
    SIGN,
    Sample,
    judge_generator_sign,
    judge_limit,
    judge_loss,
    judge_ramp,
    judge_readings,
    judge_storage_sign,
    nothing_to_lose,
)
from der_client.commissioning.report import Figure, Finding, Report, Verdict
from der_client.device import Applied, Fault, Nameplate, Reversion, Setpoint, Telemetry
from der_client.driver import Driver
from der_client.patient import until_done

RESTORED: Final = "restored"
IDENTITY: Final = "identity"
WRITING: Final = (SIGN, LIMIT, RAMP, LOSS)
RESTORE_S: Final = 30.0
RELEASES: Final = "without the client the limit is released; the device cannot fall back to a limit"
LEAST_SHARE: Final = 0.05
LEAST_SLACKS: Final = 2.5


class Pace(Protocol):
    """The time of a test: a clock, and how to wait."""

    def now(self) -> float:
        """Seconds that only go forward."""
        ...

    async def wait(self, seconds: float) -> None:
        """Let so much of it pass."""
        ...


class Keeper(Protocol):
    """Remembers what a device holds, and puts it back."""

    async def remember(self) -> Fault | None:
        """Look at what is to be put back later; the Fault where that cannot be read."""
        ...

    async def restore(self) -> tuple[str, ...] | Fault:
        """Put back what differs; names of what was put back. A Fault where something could not be."""
        ...


class RealPace:
    """The time of the clock on the wall."""

    def now(self) -> float:
        """Monotonic seconds."""
        return time.monotonic()

    async def wait(self, seconds: float) -> None:
        """Sleep."""
        await asyncio.sleep(seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialSettings:
    """How far and how long a test goes: % of setMaxW, s.

    A battery is moved by `power_pct` in both directions. `reversion_s` is the reversion time of the loss of
    communication test, `settle_s` the longest wait for power to move, `slack_pct` what power may be off.
    """

    power_pct: float = 20.0
    reversion_s: int = 20
    settle_s: float = 20.0
    sample_s: float = 0.5
    slack_pct: float = 2.0
    guard: Guard = field(default_factory=Guard)


class AbortedError(Exception):
    """A test must not go on; the text says why."""


class Trial:
    """One test of one device. `may_write` is what `--yes` says; `tell` hears of each step."""

    def __init__(
        self,
        driver: Driver[object],
        *,
        keeper: Keeper | None = None,
        pace: Pace | None = None,
        settings: TrialSettings | None = None,
        may_write: bool = False,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.findings: list[Finding] = []
        self._driver = driver
        self._keeper = keeper
        self._pace = pace or RealPace()
        self._settings = settings or TrialSettings()
        self._may_write = may_write
        self._tell = tell
        self._plate: Nameplate | None = None
        self._refresh_s = 0.0

    async def run(self) -> Report:
        """The report. Cancelled, it restores the device first."""
        started_s = time.time()
        blind = await self._remember() if self._may_write else None
        plate = await self._driver.identify()
        if isinstance(plate, Fault):
            self._note(Finding(test=IDENTITY, verdict=Verdict.FAILED, words=f"{plate.kind}: {plate.detail}"))
            return Report(device=self._driver.name, started_s=started_s, findings=tuple(self.findings))
        self._plate = plate
        self._note(_identity(plate))
        await self._examine(plate, blind)
        return Report(
            device=self._driver.name,
            started_s=started_s,
            identity={
                "manufacturer": plate.manufacturer,
                "model": plate.model,
                "serial": plate.serial,
                "version": plate.version,
            },
            ratings=ratings_of(plate),
            modes=tuple(sorted(plate.modes)),
            findings=tuple(self.findings),
        )

    async def _examine(self, plate: Nameplate, blind: Fault | None) -> None:
        """`blind` is why the control registers could not be remembered."""
        try:
            first = await self._first_sample(plate)
            self._note(judge_readings(plate, first.telemetry))
            if not self._may_write:
                self._skip("nothing is written without --yes")
                return
            self._guard(plate, first)
            if blind is not None:
                self._skip(f"the control registers cannot be read: {blind.detail}")
            else:
                await self._write(plate, first)
        except AbortedError as reason:
            self._note(Finding(test="test", verdict=Verdict.ABORTED, words=str(reason)))

    async def _write(self, plate: Nameplate, first: Sample) -> None:
        """The tests that write; whatever ends them, the device is restored."""
        try:
            if plate.is_storage:
                await self._try_storage(plate)
            else:
                await self._try_generator(plate, first)
        finally:
            await asyncio.shield(asyncio.ensure_future(self._restore()))

    async def _try_storage(self, plate: Nameplate) -> None:
        power_w = self._settings.power_pct / 100 * min(plate.set_max_w, plate.charge_w)
        if "opModTargetW" not in plate.modes:
            self._skip("the device takes no target: opModTargetW is not offered")
            return
        if power_w < LEAST_SLACKS * self._slack_w(plate):
            self._skip(f"{power_w:g} W cannot be told from none: more with --power-pct")
            return
        charging = await self._moved(Setpoint(target_w=-power_w), -power_w)
        await self._moved(Setpoint(target_w=0.0), 0.0)
        discharging = await self._moved(Setpoint(target_w=power_w), power_w)
        self._note(judge_storage_sign(charging[-1], discharging[-1], power_w, self._slack_w(plate)))
        limit_w = power_w / 2
        limited = Setpoint(target_w=power_w, max_w_pct=plate.share_pct(limit_w))
        await self._try_limit(plate, limited, limit_w)
        await self._moved(Setpoint(target_w=0.0), 0.0)
        rate_pct = max(1, round(self._settings.power_pct / 8))
        await self._try_ramp(plate, Setpoint(target_w=power_w, grad_w_pct_per_s=rate_pct), 0.0, power_w)
        given, rest = Setpoint(target_w=power_w), Setpoint(target_w=0.0)
        self._note(await self._try_loss(plate, given, power_w, rest, 0.0))

    async def _try_generator(self, plate: Nameplate, first: Sample) -> None:
        free_w = first.power_w
        if abs(free_w) < max(LEAST_SHARE * plate.set_max_w, LEAST_SLACKS * self._slack_w(plate)):
            self._skip(f"only {free_w:g} W are there: repeat it while the device generates")
            return
        if "opModMaxLimW" not in plate.modes:
            self._skip("the device takes no limit: opModMaxLimW is not offered")
            return
        half = Setpoint(max_w_pct=plate.share_pct(abs(free_w) / 2))
        await self._try_limit(plate, half, abs(free_w) / 2)
        limited = await self._sample(plate)
        least_w = min(self._slack_w(plate), abs(free_w) / 10)
        self._note(judge_generator_sign(first, limited, least_w))
        await self._moved(Setpoint(max_w_pct=100.0), free_w)
        rate_pct = max(1, round(plate.share_pct(abs(free_w) / 2) / 8))
        await self._try_ramp(plate, replace(half, grad_w_pct_per_s=rate_pct), free_w, free_w / 2)
        low = Setpoint(max_w_pct=plate.share_pct(free_w / 4))
        held = await self._try_loss(plate, half, free_w / 2, low, free_w / 4)
        if held.verdict is not Verdict.FAILED:
            self._note(held)
            return
        released = await self._try_loss(plate, half, free_w / 2, Setpoint(), free_w)
        if released.verdict is Verdict.PASSED:
            released = replace(released, verdict=Verdict.WARNING, words=RELEASES)
        self._note(released)

    async def _try_limit(self, plate: Nameplate, setpoint: Setpoint, limit_w: float) -> None:
        if "opModMaxLimW" not in plate.modes:
            self._note(_not_done(LIMIT, "opModMaxLimW is not offered"))
            return
        samples = await self._moved(setpoint, limit_w)
        slack_w, is_alone = self._slack_w(plate), setpoint.target_w is None
        self._note(judge_limit(samples, limit_w, slack_w, self._settings.settle_s, is_alone=is_alone))

    async def _try_ramp(self, plate: Nameplate, setpoint: Setpoint, start_w: float, end_w: float) -> None:
        rate_w_per_s = (setpoint.grad_w_pct_per_s or 0.0) / 100 * plate.set_max_w
        self._tell(f"{RAMP}: {setpoint}")
        applied = await self._apply(setpoint, Reversion())
        if "grad_w_pct_per_s" in applied.unsupported:
            self._note(_not_done(RAMP, "the device has no ramp of its own; the client ramps in steps"))
            return
        samples = await self._follow(setpoint, end_w, self._settings.settle_s)
        self._note(judge_ramp(samples, start_w, end_w, rate_w_per_s))
        await self._moved(replace(setpoint, grad_w_pct_per_s=0.0), end_w)

    async def _try_loss(
        self, plate: Nameplate, setpoint: Setpoint, from_w: float, then: Setpoint, level_w: float
    ) -> Finding:
        """Fall silent with the connection closed, then look without writing."""
        after_s = self._settings.reversion_s
        reversion = Reversion(after_s=after_s, to=then)
        self._tell(f"{LOSS}: silent for {after_s} s")
        await self._moved(setpoint, from_w)
        await self._apply(setpoint, reversion)
        untold = nothing_to_lose(await self._sample(plate), from_w, level_w, self._slack_w(plate))
        if untold is not None:
            return untold
        silent_s = self._pace.now()
        await self._driver.close()
        await self._pace.wait(after_s + 1.0)
        samples: list[Sample] = []
        while not samples or self._pace.now() - silent_s < 2 * after_s:
            samples.append(await self._sample(plate))
            if abs(samples[-1].power_w - level_w) <= self._slack_w(plate):
                break
            await self._pace.wait(self._settings.sample_s)
        return judge_loss(samples, silent_s, after_s, level_w, self._slack_w(plate))

    async def _moved(self, setpoint: Setpoint, power_w: float) -> list[Sample]:
        """Samples from an order until power has reached what it should be, or has had time enough."""
        self._tell(f"set {setpoint}")
        await self._apply(setpoint, Reversion())
        return await self._follow(setpoint, power_w, self._settings.settle_s)

    async def _follow(self, setpoint: Setpoint, power_w: float, most_s: float) -> list[Sample]:
        plate = self._known()
        samples = [await self._sample(plate)]
        self._guard(plate, samples[0])
        end_s = self._pace.now() + most_s
        while abs(samples[-1].power_w - power_w) > self._slack_w(plate) / 2 and self._pace.now() < end_s:
            await self._pace.wait(self._settings.sample_s)
            samples.append(await self._sample(plate))
            self._guard(plate, samples[-1])
            if self._pace.now() >= self._refresh_s:
                await self._apply(setpoint, Reversion())
        return samples

    async def _apply(self, setpoint: Setpoint, reversion: Reversion) -> Applied:
        """What the device took; a Fault ends the test."""
        result = await self._told(setpoint, reversion)
        if isinstance(result, Fault):
            place = f"{result.point}: " if result.point else ""
            raise AbortedError(f"apply: {place}{result.kind}: {result.detail}")
        self._refresh_s = self._pace.now() + reversion.after_s / 2
        return result

    async def _told(self, setpoint: Setpoint, reversion: Reversion) -> Applied | Fault:
        return await until_done(lambda: self._driver.apply(setpoint, reversion))

    async def _sample(self, plate: Nameplate) -> Sample:
        """A reading; a second try where the first fails, then the test ends."""
        found = await self._driver.read()
        if isinstance(found, Fault):
            await self._pace.wait(self._settings.sample_s)
            found = await self._driver.read()
        if not isinstance(found, Telemetry):
            raise AbortedError(f"read: {found.kind}: {found.detail}")
        return Sample(at_s=self._pace.now(), telemetry=found)

    async def _first_sample(self, plate: Nameplate) -> Sample:
        """A reading; of a battery once its BMS has spoken, which it has time to do."""
        end_s = self._pace.now() + self._settings.settle_s
        sample = await self._sample(plate)
        while isinstance(sample.telemetry.battery, Fault) and self._pace.now() < end_s:
            await self._pace.wait(self._settings.sample_s)
            sample = await self._sample(plate)
        return sample

    def _guard(self, plate: Nameplate, sample: Sample) -> None:
        trouble = self._settings.guard.trouble(plate, sample.telemetry)
        if trouble is not None:
            raise AbortedError(trouble)

    async def _remember(self) -> Fault | None:
        return None if self._keeper is None else await self._keeper.remember()

    async def _restore(self) -> None:
        """Release what the test has set, then put the registers back as they were."""
        self._tell("restoring the device")
        setpoint = Setpoint(target_w=0.0) if self._known().is_storage else Setpoint()
        try:
            async with asyncio.timeout(RESTORE_S):
                results = [await self._told(order, Reversion()) for order in (setpoint, Setpoint())]
                await self._driver.close()
                kept = () if self._keeper is None else await self._keeper.restore()
        except TimeoutError:
            self._note(_not_restored(f"no answer within {RESTORE_S:g} s"))
            return
        fault = next((result for result in (*results, kept) if isinstance(result, Fault)), None)
        if fault is not None:
            self._note(_not_restored(f"{fault.kind}: {fault.detail}"))
            return
        words = "every control register is as it was before" if self._keeper else "all setpoints are released"
        self._note(Finding(test=RESTORED, verdict=Verdict.PASSED, words=words))

    def _known(self) -> Nameplate:
        if self._plate is None:
            raise AbortedError("the device was not identified")
        return self._plate

    def _slack_w(self, plate: Nameplate) -> float:
        return max(10.0, self._settings.slack_pct / 100 * plate.set_max_w)

    def _skip(self, why: str) -> None:
        """The tests that write and were not done."""
        for test in WRITING:
            self._note(_not_done(test, why))

    def _note(self, finding: Finding) -> None:
        self.findings.append(finding)
        self._tell(f"{finding.test}: {finding.verdict}")


def ratings_of(plate: Nameplate) -> tuple[Figure, ...]:
    """The ratings of a device, those that it says."""
    said = (
        ("max W", plate.max_w, "W"),
        ("set max W", plate.set_max_w, "W"),
        ("max VA", plate.max_va, "VA"),
        ("max var", plate.max_var, "var"),
        ("max var abs", plate.max_var_neg, "var"),
        ("max charge", plate.max_charge_w, "W"),
        ("max discharge", plate.max_discharge_w, "W"),
        ("capacity", plate.capacity_wh, "Wh"),
        ("nominal V", plate.v_nom_v, "V"),
        ("max A", plate.max_a, "A"),
    )
    return tuple(Figure(name=n, value=v, unit=u) for n, v, u in said if v is not None)


def _identity(plate: Nameplate) -> Finding:
    doubts = []
    if not plate.serial:
        doubts.append("no serial number")
    if not plate.modes:
        doubts.append("no control is offered")
    if plate.set_max_w < plate.max_w:
        doubts.append(f"set to {100 * plate.set_max_w / plate.max_w:.0f} % of its rating")
    return Finding(
        test=IDENTITY,
        verdict=Verdict.WARNING if doubts else Verdict.PASSED,
        words="; ".join(doubts) or f"{plate.manufacturer} {plate.model}, serial {plate.serial}",
    )


def _not_done(test: str, why: str) -> Finding:
    return Finding(test=test, verdict=Verdict.NOT_DONE, words=why)


def _not_restored(why: str) -> Finding:
    words = f"{why}; the reversion timers of the device end what was set"
    return Finding(test=RESTORED, verdict=Verdict.FAILED, words=words)
