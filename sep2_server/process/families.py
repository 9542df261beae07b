"""What the metrics are: names, kinds and meanings, and the text format of Prometheus. No IO."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["counter", "gauge", "histogram"]
Samples = dict[str, dict[str, float]]
"""Numbers by family, then by sample (`name{label="value"}`)."""
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Family:
    """One metric. `joined` says what several workers make together: the sum, the largest or the smallest."""

    name: str
    kind: Kind
    help: str
    joined: Literal["sum", "max", "min"] = "sum"


FAMILIES: Final = {
    family.name: family
    for family in (
        Family("lineside_requests_total", "counter", "Requests by method, route and status."),
        Family("lineside_request_seconds", "histogram", "Time from request to answer, s."),
        Family("lineside_received_octets_total", "counter", "Octets of bodies received."),
        Family("lineside_sent_octets_total", "counter", "Octets of bodies sent."),
        Family("lineside_connections", "gauge", "Open connections, those in their handshake among them."),
        Family("lineside_handshakes_total", "counter", "TLS handshakes by result; refused ones by reason."),
        Family("lineside_turned_away_total", "counter", "Connections closed before the handshake, by bound."),
        Family("lineside_cache_reads_total", "counter", "Answers that were kept (hit) or had to be made."),
        Family("lineside_cache_octets", "gauge", "Memory of kept answers, octets, roughly."),
        Family("lineside_write_batch_jobs", "histogram", "Jobs that shared one commit."),
        Family("lineside_write_seconds", "histogram", "Time of one commit with its jobs, s."),
        Family("lineside_write_queue_jobs", "gauge", "Jobs that wait for the writer."),
        Family("lineside_disk_failed", "gauge", "Workers whose disk has not kept what was written."),
        Family("lineside_due_events", "gauge", "Rows that time should have changed already.", "max"),
        Family("lineside_clock_lag_seconds", "gauge", "How late the oldest due row is, s.", "max"),
        Family("lineside_clock_lease_held", "gauge", "1 where a worker holds the lease of the clock."),
        Family("lineside_change_feed_lag", "gauge", "Changes that a worker has not heard of yet.", "max"),
        Family("lineside_outbox_notifications", "gauge", "Notifications that wait, by state.", "max"),
        Family("lineside_notifications_total", "counter", "Notifications by what became of them."),
        Family("lineside_loop_lag_seconds", "gauge", "How late the event loop was lately, s.", "max"),
        Family("lineside_log_lines_dropped_total", "counter", "Log lines lost because their target blocked."),
        Family("lineside_cpu_seconds_total", "counter", "CPU time of the workers, s."),
        Family("lineside_resident_octets", "gauge", "Resident memory of the workers, octets."),
        Family("lineside_certificate_days", "gauge", "Days until the certificate expires.", "min"),
        Family("lineside_workers", "gauge", "Workers that report."),
    )
}


def sample(name: str, /, **labels: object) -> str:
    """The name of one number."""
    inside = ",".join(f'{key}="{_escaped(str(value))}"' for key, value in labels.items())
    return f"{name}{{{inside}}}" if inside else name


def joined(parts: Iterable[Mapping[str, Mapping[str, float]]]) -> Samples:
    """What several workers make together."""
    whole: Samples = {}
    for part in parts:
        for name, numbers in part.items():
            held = whole.setdefault(name, {})
            for key, value in numbers.items():
                held[key] = _join(name, held[key], value) if key in held else value
    return whole


def lasting(samples: Mapping[str, Mapping[str, float]]) -> Samples:
    """The part of a worker's numbers that must not fall when another worker takes its place."""
    return {name: dict(held) for name, held in samples.items() if FAMILIES[name].kind != "gauge"}


def text_of(samples: Mapping[str, Mapping[str, float]]) -> str:
    """The text that Prometheus reads."""
    lines: list[str] = []
    for name, family in FAMILIES.items():
        numbers = samples.get(name)
        if numbers:
            lines += [f"# HELP {name} {family.help}", f"# TYPE {name} {family.kind}"]
            lines += [f"{key} {_number(value)}" for key, value in numbers.items()]
    return "\n".join(lines) + "\n"


def _join(name: str, first: float, second: float) -> float:
    how = FAMILIES[name].joined
    return first + second if how == "sum" else max(first, second) if how == "max" else min(first, second)


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
