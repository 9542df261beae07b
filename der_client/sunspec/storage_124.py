"""A battery behind the storage model of the older series in a plan. Pure.

The rates are limits of charge and discharge; a negative limit forces the other direction. They revert to
none at all: where the default is a rate, those that are no more than it are held, others are let go. Whether
the battery may charge from the grid is as it was once the charge is over. SunSpec model 124.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from der_client.device import Setpoint
from der_client.sunspec.capabilities import executor
from der_client.sunspec.codec import Rounding
from der_client.sunspec.drafts import LIMIT_PV, CurveBefore, Draft, Stage, Wish
from der_client.sunspec.functions import FULL_PCT, target_within
from der_client.sunspec.writes import Wanted, step_of

CHARGE_LIMITED, DISCHARGE_LIMITED = 1, 2
FROM_GRID = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """StorCtl_Mod, and the rates of charge and discharge in % of the most that the battery takes or gives."""

    mode: int = 0
    charge_pct: float = FULL_PCT
    discharge_pct: float = FULL_PCT

    def is_within(self, other: "Rates") -> bool:
        """True if these rates force nothing, and leave no more freedom than others that force nothing."""
        pairs = ((self.charge_pct, other.charge_pct), (self.discharge_pct, other.discharge_pct))
        return all(0 <= mine <= others for mine, others in pairs)


FREE = Rates()


def rates_of(setpoint: Setpoint, wish: Wish) -> Rates:
    """The rates that a Setpoint asks for. Raises ValueError for a power that the battery cannot have."""
    bases = wish.bases
    target_w = setpoint.target_w
    if executor(wish.device_map, "target_w", wish.settings) != 124:
        target_w = None
    if target_w is not None:
        power_w = target_within(bases, setpoint)
        return _forced(power_w / (bases.max_charge_w if power_w > 0 else bases.max_discharge_w) * FULL_PCT)
    mode, charge_pct, discharge_pct = 0, FULL_PCT, FULL_PCT
    if setpoint.max_charge_w is not None and setpoint.max_charge_w < bases.max_charge_w:
        mode, charge_pct = CHARGE_LIMITED, FULL_PCT * setpoint.max_charge_w / bases.max_charge_w
    if setpoint.max_w_pct is not None and wish.settings.limit_side == LIMIT_PV:
        mode, discharge_pct = mode | DISCHARGE_LIMITED, 0.0
    return Rates(mode=mode, charge_pct=charge_pct, discharge_pct=discharge_pct)


def _forced(share_pct: float) -> Rates:
    """Hold at 0, force a discharge above, a charge below."""
    if share_pct == 0:
        return Rates(mode=CHARGE_LIMITED | DISCHARGE_LIMITED, charge_pct=0.0, discharge_pct=0.0)
    if share_pct > 0:
        return Rates(mode=CHARGE_LIMITED, charge_pct=-min(share_pct, FULL_PCT))
    return Rates(mode=DISCHARGE_LIMITED, discharge_pct=max(share_pct, -FULL_PCT))


def _rate(share_pct: float) -> Wanted:
    """A rate for its register: a limit is rounded down, what forces the other direction to nearest."""
    return Wanted(share_pct, Rounding.NEAREST if share_pct < 0 else Rounding.DOWN)


def plan_storage(wish: Wish, draft: Draft) -> None:
    """Add what model 124 does for a Setpoint, as far as no newer model does it."""
    model = wish.model(124)
    charges = executor(wish.device_map, "max_charge_w", wish.settings) == 124
    targets = executor(wish.device_map, "target_w", wish.settings) == 124
    if model is None or not (charges or targets):
        _check_charge(wish, draft)
        return
    fields = [name for name in ("target_w", "max_charge_w") if getattr(wish.setpoint, name) is not None]
    try:
        rates, reverted = rates_of(wish.setpoint, wish), rates_of(wish.reversion.to, wish)
        is_held = rates == FREE or (reverted != FREE and (rates == reverted or rates.is_within(reverted)))
        after_s = 0 if is_held else wish.reversion.after_s
        points = {
            "OutWRte": _rate(rates.discharge_pct),
            "InWRte": _rate(rates.charge_pct),
            "StorCtl_Mod": Wanted(rates.mode),
        }
        timers = {"WinTms": 0, "RvrtTms": after_s, "RmpTms": 0}
        optional = {f"InOutWRte_{name}": Wanted(value) for name, value in timers.items()}
        optional |= _source(wish, is_charging=rates.discharge_pct < 0)
        step = step_of(
            model,
            fields[0] if fields else "target_w",
            points,
            optional=optional,
            enable="StorCtl_Mod",
            permissions=wish.permissions,
        )
    except (ValueError, ZeroDivisionError):
        draft.refuse(fields)
        return
    draft.add(Stage.RELEASE if rates == FREE else Stage.SETPOINT, step)
    _note_source(wish, draft, is_charging=rates.discharge_pct < 0)
    is_lost = rates != reverted and (reverted != FREE or not step.refresh_s)
    if is_lost and wish.reversion.after_s:
        draft.unguarded.update(fields or ["target_w"])


def _source(wish: Wish, *, is_charging: bool) -> Mapping[str, Wanted]:
    """From where the battery may charge: the grid where that is asked for, else as before this client."""
    before = wish.before.get(124)
    if is_charging and wish.settings.charge_from_grid:
        return {"ChaGriSet": Wanted(FROM_GRID)}
    return {name: Wanted(words[0]) for name, words in before.words.items()} if before else {}


def _note_source(wish: Wish, draft: Draft, *, is_charging: bool) -> None:
    """Remember from where the battery could charge before this client, until that is put back."""
    model, before = wish.device_map.first(124), wish.before.get(124)
    if not (is_charging and wish.settings.charge_from_grid):
        draft.returned.update([124] if before else [])
    elif model and before is None and model.is_implemented("ChaGriSet"):
        words = model.raw("ChaGriSet")
        if words and words != (FROM_GRID,):
            draft.touched[124] = CurveBefore(enabled=False, active=0, words={"ChaGriSet": words})


def _check_charge(wish: Wish, draft: Draft) -> None:
    """A limit of charge is kept by a target that stays within it, or by a device that cannot charge."""
    setpoint = wish.setpoint
    if setpoint.max_charge_w is None or not wish.bases.max_charge_w:
        return
    if setpoint.target_w is None or executor(wish.device_map, "target_w", wish.settings) is None:
        draft.refuse(["max_charge_w"])
