"""The part of each DER of a site in what the plan asks of all of them in W or var. Pure."""

from collections.abc import Mapping

from der_client.desired import Share
from der_client.device import Nameplate
from der_client.site import Member


def share_of(name: str, members: Mapping[str, Member]) -> Share:
    """The part of one DER in targets now: by what each can give at this moment, take, and bring in vars."""
    giving = {one: _able_w(member) for one, member in members.items()}
    return _share(name, giving, {one: member.nameplate for one, member in members.items()})


def lasting_share_of(name: str, plates: Mapping[str, Nameplate]) -> Share:
    """The part of one DER in targets and limits while it is left alone: by ratings, all parts being one."""
    return _share(name, {one: plate.set_max_w for one, plate in plates.items()}, plates)


def _share(name: str, giving: Mapping[str, float], plates: Mapping[str, Nameplate]) -> Share:
    storage = {one: plate.set_max_w for one, plate in plates.items() if plate.is_storage}
    return Share(
        give=_part(name, giving),
        take=_part(name, {one: plate.charge_w for one, plate in plates.items()}),
        storage=_part(name, storage),
        var=_part(name, {one: plate.set_max_var for one, plate in plates.items()}),
    )


def _able_w(member: Member) -> float:
    available_w = member.telemetry.available_w
    return member.top_w if available_w is None else min(max(0.0, available_w), member.top_w)


def _part(name: str, weights: Mapping[str, float]) -> float:
    """Its weight in all; equal parts where nobody has any."""
    if name not in weights:
        return 0.0
    total = sum(weights.values())
    return weights[name] / total if total > 0 else 1.0 / len(weights)
