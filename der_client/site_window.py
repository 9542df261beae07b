"""What a device may do so that limits at the connection point hold: interlocks 22 and 23. Pure."""

import math
from dataclasses import dataclass

from der_client.interlocks import SiteFacts
from der_client.interlocks.rules_device import SiteRules


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteBounds:
    """Most power that a device may give and take, W, magnitudes."""

    give_w: float
    take_w: float


def site_bounds(site: SiteFacts, own_w: float, rules: SiteRules) -> SiteBounds:
    """Bounds of a device that gives `own_w` now, by its share of the room that the meter shows.

    From `derate_pct` of a limit on power stays as it is, above the limit it gives way. Without a meter no
    load is assumed: the export limit bounds generation, and nothing charges under an import limit. Before
    its first reading power stays as it is, for as long as a meter may be silent.
    """
    own_w = own_w if math.isfinite(own_w) else 0.0
    if site.reading is None and site.age_s < rules.meter_stale_s:
        give_w = math.inf if site.export_limit_w is None else max(0.0, own_w)
        return SiteBounds(give_w=give_w, take_w=math.inf if site.import_limit_w is None else max(0.0, -own_w))
    power_w = None if site.reading is None else site.reading.power_w
    if power_w is None or not math.isfinite(power_w) or site.age_s >= rules.meter_lost_s:
        give_w = math.inf if site.export_limit_w is None else site.share * site.export_limit_w
        return SiteBounds(give_w=give_w, take_w=math.inf if site.import_limit_w is None else 0.0)
    return SiteBounds(
        give_w=_bound_w(power_w, own_w, site.export_limit_w, site.share, rules),
        take_w=_bound_w(-power_w, -own_w, site.import_limit_w, site.share, rules),
    )


def _bound_w(site_w: float, own_w: float, limit_w: float | None, share: float, rules: SiteRules) -> float:
    """Bound in one direction; all powers positive in that direction."""
    if limit_w is None:
        return math.inf
    room_w = rules.derate_pct / 100.0 * limit_w - site_w
    if site_w > limit_w or room_w > 0:
        return max(0.0, own_w + share * room_w)
    return max(0.0, own_w)
