"""What is counted, and how the numbers of several workers become one text."""

import time
from collections.abc import Callable
from functools import partial

from sep2_server.process.families import FAMILIES, joined, lasting, sample, text_of
from sep2_server.process.meter import Meter

NAME = "lineside_requests_total"


def count(meter: Meter, method: str = "GET", status: int = 200) -> None:
    meter.request(method, "Time", status, seconds=0.002, received=0, sent=100)


def test_a_request_is_counted_with_its_time_and_octets() -> None:
    meter = Meter()
    count(meter)
    count(meter)
    samples = meter.samples()
    assert samples[NAME] == {f'{NAME}{{method="GET",route="Time",status="200"}}': 2}
    assert samples["lineside_sent_octets_total"] == {"lineside_sent_octets_total": 200}
    times = samples["lineside_request_seconds"]
    assert times['lineside_request_seconds_bucket{method="GET",le="0.001"}'] == 0
    assert times['lineside_request_seconds_bucket{method="GET",le="0.0025"}'] == 2
    assert times['lineside_request_seconds_count{method="GET"}'] == 2


def test_methods_that_nobody_knows_share_one_label() -> None:
    meter = Meter()
    count(meter, "FOO")
    count(meter, "BAR")
    assert meter.samples()[NAME] == {f'{NAME}{{method="other",route="Time",status="200"}}': 2}


def test_workers_make_sums_and_the_worst() -> None:
    first, second = Meter(), Meter()
    for meter, lag in ((first, 1.0), (second, 3.0)):
        count(meter)
        meter.gauge("lineside_loop_lag_seconds", partial(float, lag))
        meter.gauge("lineside_certificate_days", partial(float, lag))
    whole = joined((first.samples(), second.samples()))
    assert list(whole[NAME].values()) == [2]
    assert list(whole["lineside_loop_lag_seconds"].values()) == [3.0]
    assert list(whole["lineside_certificate_days"].values()) == [1.0]
    assert list(whole["lineside_workers"].values()) == [2]


def test_a_successor_counts_on_and_takes_over_no_gauge() -> None:
    before = Meter()
    count(before)
    before.gauge("lineside_connections", lambda: 7)
    after = Meter(lasting(before.samples()))
    count(after)
    assert list(after.samples()[NAME].values()) == [2]
    assert "lineside_connections" not in after.samples()


def test_the_text_names_help_and_type_and_escapes_labels() -> None:
    name = "lineside_turned_away_total"
    text = text_of({name: {sample(name, bound='a"b\\c\nd'): 1.0}})
    assert text == (
        f'# HELP {name} {FAMILIES[name].help}\n# TYPE {name} counter\n{name}{{bound="a\\"b\\\\c\\nd"}} 1\n'
    )


def test_counting_a_request_costs_no_more_than_fifteen_calls() -> None:
    """Six of a function that counts in a dictionary, ten with coverage: alike on a slow machine."""
    meter, kept = Meter(), dict.fromkeys(range(8), 0)

    def call() -> None:
        kept[3] += 1

    best, floor = (min(_time_of(step) for _ in range(20)) for step in (lambda: count(meter), call))
    assert best < 15 * floor


def _time_of(step: Callable[[], None]) -> float:
    began = time.thread_time()
    for _ in range(500):
        step()
    return (time.thread_time() - began) / 500
