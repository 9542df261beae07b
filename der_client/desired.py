"""From the modes in force to the setpoint that they ask of one DER, in engineering units. Pure.

Signs: power is positive out of the DER. Ramps, limits of battery and nameplate, and interlocks come later.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from der_client.desired_curves import curves_in_force, droop_in_force, enter_service_of
from der_client.desired_reactive import IN_VAR, power_factor_of, with_reactive
from der_client.device import Nameplate, Setpoint
from der_client.quantity import HUNDREDTHS, active_power_w, hundredths
from function_sets import ModeSource
from schemas import ActivePower, DefaultDERControl, DERCurve

__all__ = ["IN_VAR", "WHOLE", "Desired", "Share", "desired_of", "fixed_w", "modes_able", "power_factor_of"]

TARGETS: Final = ("opModFixedW", "opModTargetW", "opModStorageTargetW")
GENERATION_LIMITS: Final = ("opModGenLimW", "opModExpLimW")
LOAD_LIMITS: Final = ("opModLoadLimW", "opModImpLimW")
VALUES: Final = ("opModFixedPFInjectW", "opModFixedPFAbsorbW", "opModTargetVar", "opModFixedVar")
"""Reactive modes that set a value, not a curve."""
FLAGS: Final = ("opModConnect", "opModEnergize")


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """The parts, 0 to 1, of what is asked of a whole site in W or var that fall to one DER.

    `give` is of power out of the DERs, `take` of power into them, `storage` of what storage alone shall give,
    `var` of reactive power.
    """

    give: float = 1.0
    take: float = 1.0
    storage: float = 1.0
    var: float = 1.0


WHOLE: Final = Share()


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """What the server wants of one DER at one moment.

    `limit_ramp_s` and `target_ramp_s` are the rampTms of the controls behind `max_w_pct` and `target_w`, s;
    where absent, setGradW holds, which is `setpoint.grad_w_pct_per_s`. `reactive_ramp_s`, `charge_ramp_s` and
    `leave_ramp_s` are those behind vars or power factor, behind `max_charge_w`, and behind the flag that
    takes the DER out of service; setGradW does not stand in for them. `cap_w` is the most that the DER may
    give now for the sake of its site, W: it holds at once, without a ramp. `unmet` names modes that are not
    followed: a curve that is not there or not usable, or one of several functions that exclude each other.
    `of_site` tells that `cap_w` and `max_charge_w` are what the site leaves to the DER now. The order of a
    local operator tells in `instead_of` what programs want meanwhile.
    """

    setpoint: Setpoint = field(default_factory=Setpoint)
    limit_ramp_s: float | None = None
    target_ramp_s: float | None = None
    reactive_ramp_s: float | None = None
    charge_ramp_s: float | None = None
    leave_ramp_s: float | None = None
    cap_w: float | None = None
    unmet: frozenset[str] = frozenset()
    of_site: bool = False
    instead_of: "Desired | None" = None

    @property
    def programs(self) -> "Desired":
        """What the programs want, whatever an operator orders."""
        return self.instead_of or self

    def held(self, former: "Desired") -> "Desired":
        """What goes on while events are held: `former`, with the present caps of a site. An order stays."""
        if self.instead_of is not None:
            return self
        if not self.of_site:
            return former
        setpoint = replace(former.setpoint, max_charge_w=self.setpoint.max_charge_w)
        return replace(former, cap_w=self.cap_w, setpoint=setpoint)


def desired_of(
    modes: Mapping[str, ModeSource],
    nameplate: Nameplate,
    curves: Mapping[str, DERCurve] | None = None,
    *,
    default: DefaultDERControl | None = None,
    share: Share = WHOLE,
) -> Desired:
    """The setpoint that the modes ask of a DER; the settings of `default` (setGradW, setES*) hold besides.

    Modes that the DER has not are left out. `curves` are by href. IEEE 2030.5-2018, 10.10.
    """
    able = modes_able(nameplate)
    held = {mode: source for mode, source in modes.items() if mode in able}
    found, without_curve = curves_in_force(held, curves or {})
    droop, without_droop = droop_in_force(held)
    limit, target = _limit(held, nameplate, share), _target(held, nameplate, share)
    charge_w, charge_source = _charge_w(held, share)
    asked = Setpoint(
        connect=_flag(held, "opModConnect"),
        energize=_flag(held, "opModEnergize"),
        max_w_pct=limit.pct,
        target_w=None if target is None else _inside(target.power_w, limit.pct, charge_w, nameplate),
        max_charge_w=charge_w,
        curves=found,
        droop=droop,
        enter_service=enter_service_of(default),
        grad_w_pct_per_s=hundredths(default.setGradW) if default else None,
        soft_grad_w_pct_per_s=hundredths(default.setSoftGradW) if default else None,
    )
    setpoint, lost = with_reactive(asked, held, nameplate, share=share.var)
    return Desired(
        setpoint=setpoint,
        limit_ramp_s=_ramp_s(limit.source),
        target_ramp_s=_ramp_s(target.source) if target else None,
        reactive_ramp_s=_reactive_ramp_s(held, lost),
        charge_ramp_s=_ramp_s(charge_source),
        leave_ramp_s=_leave_ramp_s(held),
        unmet=lost | without_curve | without_droop | _lost_targets(held, target),
    )


def modes_able(nameplate: Nameplate) -> frozenset[str]:
    """Modes that a DER can execute: its own, and those of CSIP-AUS that come down to them.

    A DER that can be limited keeps limits of generation and export; storage that can be set to a power
    follows a storage target and keeps limits of load and import.
    """
    found = set(nameplate.modes)
    if "opModMaxLimW" in found:
        found.update(GENERATION_LIMITS)
    if nameplate.is_storage and not found.isdisjoint({"opModFixedW", "opModTargetW"}):
        found.update({"opModStorageTargetW", *LOAD_LIMITS})
    return frozenset(found)


def fixed_w(value: int, nameplate: Nameplate) -> float:
    """Power that opModFixedW asks for, W; `value` in 0.01 %. IEEE 2030.5-2018, 10.10.

    Positive: share of setMaxDischargeRateW for storage that has one, else of setMaxW. Negative: share of
    setMaxChargeRateW; a DER that cannot charge goes to 0.
    """
    share = value / (100.0 * HUNDREDTHS)
    if share < 0:
        return share * nameplate.charge_w
    most_w = nameplate.discharge_w if nameplate.is_storage else None
    return share * (nameplate.set_max_w if most_w is None else most_w)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Limit:
    pct: float | None = None
    source: ModeSource | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    power_w: float
    source: ModeSource


def _limit(modes: Mapping[str, ModeSource], nameplate: Nameplate, share: Share) -> _Limit:
    """The least limit of generation, % of setMaxW, never above 100, and where it comes from."""
    found: list[_Limit] = []
    for mode in ("opModMaxLimW", *GENERATION_LIMITS):
        source = modes.get(mode)
        if source is not None and isinstance(source.value, ActivePower):
            limit_w = max(0.0, share.give * active_power_w(source.value))
            found.append(_Limit(pct=min(100.0, nameplate.share_pct(limit_w)), source=source))
        elif source is not None and isinstance(source.value, int):
            found.append(_Limit(pct=min(100.0, source.value / HUNDREDTHS), source=source))
    return min(found, key=lambda limit: math.inf if limit.pct is None else limit.pct, default=_Limit())


def _charge_w(modes: Mapping[str, ModeSource], share: Share) -> tuple[float | None, ModeSource | None]:
    """The least limit of what may be taken in, W, and where it comes from."""
    found = [
        (max(0.0, share.take * active_power_w(source.value)), source)
        for mode in LOAD_LIMITS
        if (source := modes.get(mode)) is not None and isinstance(source.value, ActivePower)
    ]
    return min(found, key=lambda one: one[0], default=(None, None))


def _target(modes: Mapping[str, ModeSource], nameplate: Nameplate, share: Share) -> _Target | None:
    """The one active-power setpoint: an event before a default, better primacy, then the smaller power."""
    found = [
        _Target(power_w=power_w, source=modes[mode])
        for mode in TARGETS
        if mode in modes and (power_w := _watts(modes[mode], nameplate, share)) is not None
    ]
    return min(found, key=_rank, default=None)


def _rank(target: _Target) -> tuple[bool, int, float]:
    return target.source.mRID is None, target.source.primacy, abs(target.power_w)


def _lost_targets(modes: Mapping[str, ModeSource], target: _Target | None) -> frozenset[str]:
    return frozenset(mode for mode in TARGETS if mode in modes and target and mode != target.source.mode)


def _watts(source: ModeSource, nameplate: Nameplate, share: Share) -> float | None:
    value = source.value
    if isinstance(value, ActivePower):
        give = share.storage if source.mode == "opModStorageTargetW" else share.give
        power_w = active_power_w(value)
        return power_w * (give if power_w > 0 else share.take)
    return fixed_w(value, nameplate) if isinstance(value, int) else None


def _inside(power_w: float, limit_pct: float | None, charge_w: float | None, nameplate: Nameplate) -> float:
    """A target inside the limits of the same moment."""
    high_w = math.inf if limit_pct is None else limit_pct / 100.0 * nameplate.set_max_w
    low_w = -math.inf if charge_w is None else -charge_w
    return max(low_w, min(power_w, high_w))


def _flag(modes: Mapping[str, ModeSource], mode: str) -> bool | None:
    value = modes[mode].value if mode in modes else None
    return value if isinstance(value, bool) else None


def _reactive_ramp_s(modes: Mapping[str, ModeSource], lost: frozenset[str]) -> float | None:
    """The rampTms of the control behind the reactive value that holds, s."""
    return _ramp_s(next((modes[mode] for mode in VALUES if mode in modes.keys() - lost), None))


def _leave_ramp_s(modes: Mapping[str, ModeSource]) -> float | None:
    """The rampTms of the control that takes the DER out of service, s; the shorter of two."""
    out = [modes[mode] for mode in FLAGS if mode in modes and modes[mode].value is False]
    ramps = [_ramp_s(source) or 0.0 for source in out]
    return min(ramps, default=None)


def _ramp_s(source: ModeSource | None) -> float | None:
    return None if source is None else hundredths(source.ramp_tms)
