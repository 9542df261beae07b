"""The numbers that are looked up at a scrape rather than counted."""

from functools import partial
from typing import TYPE_CHECKING, Final

from sep2_server.process.families import Samples, joined
from sep2_server.process.health import days_left

if TYPE_CHECKING:
    from sep2_server.app import Sep2Server
    from sep2_server.notifications.counters import Counters

MOST_DUE: Final = 1000
"""Due rows that are counted; more are told as this many."""


def watch(server: "Sep2Server") -> None:
    """Have a server's own numbers read at each scrape."""
    meter, store = server.meter, server.store
    store.observe(meter.committed)
    meter.gauge("lineside_connections", lambda: server.connections)
    meter.gauge("lineside_cache_octets", lambda: sum(each.kept_octets for each in server.dispatchers))
    meter.gauge(
        "lineside_cache_reads_total", lambda: sum(each.hits for each in server.dispatchers), result="hit"
    )
    meter.gauge(
        "lineside_cache_reads_total", lambda: sum(each.misses for each in server.dispatchers), result="miss"
    )
    meter.gauge("lineside_loop_lag_seconds", lambda: server.pulse.lag_s)
    meter.gauge("lineside_certificate_days", lambda: days_left(server))
    meter.gauge("lineside_write_queue_jobs", lambda: store.waiting_jobs)
    meter.gauge("lineside_disk_failed", lambda: int(not store.is_durable))
    meter.common("lineside_due_events", lambda: len(store.reader.due(server.clock.now() - 1, limit=MOST_DUE)))
    meter.common("lineside_outbox_notifications", store.reader.ledger.count_owed, state="owed")
    meter.common("lineside_outbox_notifications", store.reader.ledger.count_dead, state="dead")
    counters = server.notifications.counters
    for result in counters.as_numbers():
        meter.gauge(
            "lineside_notifications_total",
            partial(_number_of, counters, result),
            result=result.removeprefix("deliveries_"),
        )
    meter.gauge("lineside_clock_lease_held", lambda: server.keeper.holds_lease)
    meter.stored("lineside_change_feed_lag", lambda: max(store.reader.last_change() - store.feed.position, 0))
    meter.common("lineside_clock_lag_seconds", lambda: _clock_lag_s(server))


def _number_of(counters: "Counters", result: str) -> int:
    return counters.as_numbers()[result]


def samples_of_all(server: "Sep2Server") -> Samples:
    """The numbers of every worker together; this one's as they are, the others' as of their last beat."""
    place = server.place
    others = [
        place.boards.read(number)[1]
        for number in range(place.of)
        if place.boards is not None and number != place.number
    ]
    return joined([server.meter.samples(), *others])


def _clock_lag_s(server: "Sep2Server") -> float:
    """How late the oldest due row is, s; the one second in which it is due is its own."""
    next_at, now = server.store.reader.next_due(), server.clock.now()
    return 0 if next_at is None else max(now - next_at - 1, 0)
