"""What holds around a device: rules, silence of the server, its clock, the connection point. Reads clocks."""

import time
from collections.abc import Callable, Sequence

from der_client.device_view import DeviceView
from der_client.interlocks import LoopFacts, SafetyRules, SiteFacts, Surroundings
from der_client.server_clock import ServerClock
from der_client.site import EXPORT, IMPORT
from der_client.site_desk import SiteDesk
from der_client.watched import Watched


class SiteWatch:
    """What the interlocks have to know of a connection point that has a meter."""

    def __init__(self, desk: SiteDesk, views: Callable[[], Sequence[DeviceView]]) -> None:
        self._desk = desk
        self._views = views

    def facts(self, name: str, now: float) -> SiteFacts | None:
        """The facts for one device at `now`, monotonic, s; None while no limit of the site holds."""
        limits = self._desk.limits_w
        if not limits.keys() & {EXPORT, IMPORT}:
            return None
        views, metered, allowed_w = self._views(), self._desk.metered, self._desk.allowed_w
        powers = {view.name: abs(view.telemetry.power_w) for view in views if view.telemetry is not None}
        return SiteFacts(
            reading=None if metered is None else metered.reading,
            age_s=now - (self._desk.began_s if metered is None else metered.at_s),
            export_limit_w=limits.get(EXPORT),
            import_limit_w=limits.get(IMPORT),
            export_allowed_w=allowed_w.get(EXPORT),
            import_allowed_w=allowed_w.get(IMPORT),
            share=1.0 / max(1, len(views)),
            is_largest=max(powers, key=lambda one: (powers[one], one), default=name) == name,
            own_w=self._desk.seen_w(name),
        )


class Around:
    """Gives the Surroundings of one device at each call; its controller adds what only its loop knows.

    `looked_s` is when the schedule was looked at last, monotonic, s; None before the first time.
    """

    def __init__(
        self,
        name: str,
        rules: SafetyRules,
        silent_share: Callable[[], float],
        clock: Watched[ServerClock | None],
        *,
        local_s: Callable[[], float],
        site: SiteWatch | None = None,
        looked_s: Callable[[], float | None] = lambda: None,
    ) -> None:
        self._looked_s = looked_s
        self._name = name
        self._rules = rules
        self._silent_share = silent_share
        self._clock = clock
        self._local_s = local_s
        self._site = site

    def __call__(self) -> Surroundings:
        """What holds now. A clock that is only remembered from an earlier run is none to compare with."""
        clock, now = self._clock.value, self._local_s()
        ahead_s = None if clock is None or not clock.since_s else clock.time_s(now) - now
        looked_s = self._looked_s()
        return Surroundings(
            rules=self._rules,
            loop=LoopFacts(plan_age_s=None if looked_s is None else now - looked_s),
            server_silent_share=self._silent_share(),
            site=None if self._site is None else self._site.facts(self._name, now),
            server_ahead_s=ahead_s,
            system_ahead_s=None if ahead_s is None else time.time() - now - ahead_s,
        )
