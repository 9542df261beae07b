"""Operations on poll rates, and how the server is."""

from typing import Final

from function_sets import ROUTES
from schemas import spec_of
from sep2_server.dispatch import RATE_OPTION
from sep2_server.operator.desk import Desk
from sep2_server.operator.errors import BadRequest
from sep2_server.operator.model import Json
from sep2_server.operator.mrid import pen_warning
from sep2_server.operator.requests import UINT32, SetPollRates
from sep2_server.operator.router import Answer, Call
from sep2_server.operator.shape import read
from sep2_server.rows import Role
from sep2_server.uris import GROUP_LIST

DEFAULT_S: Final = 900
"""pollRate where a resource has none. IEEE 2030.5-2018, 6."""
MOST_COUNTED: Final = 10_000


def polled() -> tuple[str, ...]:
    """Resources that carry a pollRate."""
    kinds = [route.id for route in ROUTES.values() if _has_rate(route.type)]
    return (*kinds, GROUP_LIST)


def show(desk: Desk, _: Call) -> Answer:
    """The pollRate of every resource that carries one, s."""
    set_now = desk.reader.options()
    rates: dict[str, Json] = {}
    for kind in polled():
        held = set_now.get(f"{RATE_OPTION}{kind}")
        rate = int(held) if held is not None else desk.environment.rules.poll_rate_of(kind)
        rates[kind] = DEFAULT_S if rate is None else rate
    return {"pollRate": rates}


def change(desk: Desk, call: Call) -> Answer:
    """Set pollRates from now on, s; 0 goes back to the settings. IEEE 2030.5-2018, 6 (pollRate)."""
    asked = read(SetPollRates, call.body)
    for kind, rate in asked.poll_rates_s.items():
        _check(kind, rate)
    for kind, rate in asked.poll_rates_s.items():
        if rate == 0:
            desk.transaction.delete_option(f"{RATE_OPTION}{kind}")
        else:
            desk.transaction.put_option(f"{RATE_OPTION}{kind}", str(rate))
    return show(desk, call)


def status(desk: Desk, _: Call) -> Answer:
    """How the server is: time, profile, how much it holds, and what needs attention."""
    settings = desk.environment.settings
    warnings: list[Json] = [text for text in [pen_warning(settings.pen)] if text]
    return {
        "time": desk.now,
        "profile": settings.profile.name,
        **_devices(desk),
        "groups": len(desk.reader.groups()),
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


def _check(kind: str, rate: object) -> None:
    if kind not in polled():
        raise BadRequest(f"pollRate.{kind[:60]}: carries no pollRate", f"allowed: {', '.join(polled())}")
    if not isinstance(rate, int) or isinstance(rate, bool) or not 0 <= rate <= UINT32:
        raise BadRequest(f"pollRate.{kind}: {rate!r:.40} is no rate", f"allowed: 0 to {UINT32} (s)")


def _has_rate(cls: type) -> bool:
    return any(field.name == "pollRate" for field in spec_of(cls))
