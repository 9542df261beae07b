"""How the measurements of a fleet are told: a line while it runs, a table at its end, or JSON. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lineside.fleet.tally import NO_ANSWER, PERCENTILES

if TYPE_CHECKING:
    from collections import Counter

    from lineside.fleet.tally import Latencies, Tally

HEAD: Final = (
    f"{'request':<32} {'count':>8} {'errors':>7} {'p50':>8} {'p90':>8} {'p99':>8} {'max':>8}  statuses"
)
BAR: Final = 40
HALF_CLASS: Final = 1.025
BUCKETS_MS: Final = (0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, float("inf"))


def progress(tally: Tally, *, devices: int, since: int) -> str:
    """One line about a fleet that runs; `since` is how many requests came in the last second."""
    whole = tally.all_latencies()
    return (
        f"{tally.seconds:6.0f} s  {tally.ready}/{devices} devices  {tally.requests} requests  {since}/s  "
        f"{tally.errors} errors  p50 {whole.percentile_ms(50):.1f} ms  p99 {whole.percentile_ms(99):.1f} ms"
    )


def table(tally: Tally) -> str:
    """All measurements as text, latencies in ms."""
    lines = [HEAD]
    for name, kind in sorted(tally.kinds.items()):
        lines.append(_row(name, kind.latencies, kind.errors) + "  " + _statuses(kind.statuses))
    for name, latencies in sorted(tally.handshakes.items()):
        lines.append(_row(f"TLS handshake, {name}", latencies, 0))
    whole = tally.all_latencies()
    lines += ["", *histogram(whole), ""]
    lines += [f"{count} times: {flaw}" for flaw, count in tally.flaws.most_common(20)]
    rate = tally.requests / tally.seconds if tally.seconds else 0.0
    lines.append(
        f"{tally.requests} requests of {tally.ready} devices in {tally.seconds:.1f} s: {rate:.1f}/s, "
        f"{tally.errors} errors, p99 {whole.percentile_ms(99):.1f} ms"
    )
    return "\n".join(lines)


def histogram(latencies: Latencies) -> list[str]:
    """Latencies as bars; each line says up to how many ms, how many, and how many in all by then, %."""
    counts = dict.fromkeys(BUCKETS_MS, 0)
    for place, count in latencies.classes.items():
        value_ms = latencies.value_of(place)
        counts[next(most for most in BUCKETS_MS if value_ms <= most * HALF_CLASS)] += count
    filled = [most for most in BUCKETS_MS if counts[most]]
    most_counted, passed, lines = max(counts.values()), 0, []
    for most in BUCKETS_MS[: BUCKETS_MS.index(filled[-1]) + 1] if filled else ():
        passed += counts[most]
        bar = "#" * round(BAR * counts[most] / most_counted)
        lines.append(f"<= {most:>6g} ms {counts[most]:>8} {100 * passed / latencies.count:>6.1f} %  {bar}")
    return lines


def as_data(tally: Tally) -> dict[str, object]:
    """All measurements as what JSON can hold."""
    return {
        "seconds": round(tally.seconds, 3),
        "devices": tally.ready,
        "requests": tally.requests,
        "errors": tally.errors,
        "flaws": dict(tally.flaws),
        "kinds": {
            name: {"errors": kind.errors, "statuses": _named(kind.statuses), **_data(kind.latencies)}
            for name, kind in sorted(tally.kinds.items())
        },
        "handshakes": {name: _data(latencies) for name, latencies in sorted(tally.handshakes.items())},
        "all": _data(tally.all_latencies()),
    }


def _row(name: str, latencies: Latencies, errors: int) -> str:
    parts = " ".join(f"{latencies.percentile_ms(p):>8.2f}" for p in PERCENTILES)
    return f"{name:<32} {latencies.count:>8} {errors:>7} {parts} {latencies.max_ms:>8.2f}"


def _data(latencies: Latencies) -> dict[str, float]:
    told = {f"p{p}_ms": round(latencies.percentile_ms(p), 3) for p in PERCENTILES}
    return {"count": latencies.count, **told, "max_ms": round(latencies.max_ms, 3)}


def _named(statuses: Counter[int]) -> dict[str, int]:
    return {"none" if s == NO_ANSWER else str(s): n for s, n in sorted(statuses.items())}


def _statuses(statuses: Counter[int]) -> str:
    return " ".join(f"{name}:{count}" for name, count in _named(statuses).items())
