"""Operations on poll rates, and how the server is."""

from typing import Final

from function_sets import pen_warning
from schemas import EndDevice, Json
from sep2_server.end_devices import put_end_device
from sep2_server.extra_routes import HOME_OF
from sep2_server.operator.desk import Desk
from sep2_server.operator.enrolment import put_mirror_rates
from sep2_server.operator.errors import BadRequest, Conflict
from sep2_server.operator.requests import UINT32, SetRates
from sep2_server.operator.router import Answer, Call
from sep2_server.operator.shape import read
from sep2_server.profiles import polled, rate_in
from sep2_server.rows import Role
from sep2_server.run_time import POST_RATE_OPTION, POSTED, RATE_OPTION, post_rate_of

DEFAULT_S: Final = 900
"""pollRate where a resource has none. IEEE 2030.5-2018, 6."""
MOST_COUNTED: Final = 10_000
MOST_CHANGED: Final = 10_000
"""Most resources whose postRate one call changes."""


def show(desk: Desk, _: Call) -> Answer:
    """The pollRate of every resource that carries one, s."""
    options = desk.reader.options()
    set_now = {
        name.removeprefix(RATE_OPTION): int(value)
        for name, value in options.items()
        if name.startswith(RATE_OPTION)
    }
    rates: dict[str, Json] = {}
    for kind in polled():
        rate = rate_in(set_now, kind)
        rate = desk.environment.rules.poll_rate_of(kind) if rate is None else rate
        rates[kind] = DEFAULT_S if rate is None else rate
    return {
        "pollRate": rates,
        "postRate": {kind: post_rate_of(desk.reader, desk.environment, kind) for kind in POSTED},
    }


def change(desk: Desk, call: Call) -> Answer:
    """Set pollRates and postRates from now on, s; 0 goes back to the settings. IEEE 2030.5-2018, 6."""
    asked = read(SetRates, call.body)
    polls, posts = asked.poll_rates_s or {}, asked.post_rates_s or {}
    if not polls and not posts:
        raise BadRequest("body: nothing to set", "give pollRate or postRate")
    for kind, rate in polls.items():
        _check("pollRate", kind, rate, polled())
    for kind, rate in posts.items():
        _check("postRate", kind, rate, POSTED)
    for prefix, rates in ((RATE_OPTION, polls), (POST_RATE_OPTION, posts)):
        for kind, rate in rates.items():
            _put(desk, f"{prefix}{kind}", rate)
    for kind in polls:
        _tell(desk, kind)
    for kind in posts:
        _repost(desk, kind, post_rate_of(desk.reader, desk.environment, kind))
    return show(desk, call)


def _tell(desk: Desk, kind: str) -> None:
    """Tell who subscribed of another pollRate, where no more than MOST_CHANGED resources have it.

    The lists of groups that have none of their own take that of the list at the root.
    """
    if not desk.transaction.ledger.has_subscriptions():
        return
    below = [one for one, home in HOME_OF.items() if home == kind and not _has_own(desk, one)]
    for held in (kind, *below):
        rows = desk.reader.of_kind(held, limit=MOST_CHANGED + 1)
        for row in rows if len(rows) <= MOST_CHANGED else ():
            desk.transaction.tell(row)


def _has_own(desk: Desk, kind: str) -> bool:
    return desk.reader.option(f"{RATE_OPTION}{kind}") is not None


def _put(desk: Desk, name: str, rate: int) -> None:
    if rate:
        desk.transaction.put_option(name, str(rate))
    else:
        desk.transaction.delete_option(name)


def _repost(desk: Desk, kind: str, rate: int) -> None:
    """Give what is there another postRate. Conflict where that is too much for one commit."""
    rows = desk.reader.of_kind(kind, limit=MOST_CHANGED + 1)
    if len(rows) > MOST_CHANGED:
        raise Conflict(
            f"postRate.{kind}: more than {MOST_CHANGED} are there",
            "set it device by device: lineside op rates",
        )
    for row in rows if kind == "EndDevice" else ():
        end_device = desk.resource(row, EndDevice)
        if end_device.postRate != rate:
            end_device.postRate, end_device.changedTime = rate, desk.now
            put_end_device(desk.transaction, desk.environment, row, end_device)
    if kind == "MirrorUsagePoint":
        put_mirror_rates(desk, rows, rate)


def status(desk: Desk, _: Call) -> Answer:
    """How the server is: time, profile, how much it holds, and what needs attention."""
    settings = desk.environment.settings
    warnings: list[Json] = [text for text in [pen_warning(settings.pen)] if text]
    return {
        "time": desk.now,
        "profile": settings.profile.name,
        **_devices(desk),
        "groups": desk.reader.count_groups(),
        "changes": desk.reader.last_change(),
        "nextEventChange": desk.reader.next_due(),
        "warnings": warnings,
    }


def _devices(desk: Desk) -> dict[str, Json]:
    """How many devices and aggregators are enrolled; None where there are too many to count at once."""
    clients = desk.reader.clients(limit=MOST_COUNTED + 1)
    if len(clients) > MOST_COUNTED:
        return {"devices": None, "aggregators": None}
    aggregators = sum(client.role == Role.AGGREGATOR for client in clients)
    return {"devices": len(clients) - aggregators, "aggregators": aggregators}


def _check(field: str, kind: str, rate: object, known: tuple[str, ...]) -> None:
    if kind not in known:
        raise BadRequest(f"{field}.{kind[:60]}: carries no {field}", f"allowed: {', '.join(known)}")
    if not isinstance(rate, int) or isinstance(rate, bool) or not 0 <= rate <= UINT32:
        raise BadRequest(f"{field}.{kind}: {rate!r:.40} is no rate", f"allowed: 0 to {UINT32} (s)")
