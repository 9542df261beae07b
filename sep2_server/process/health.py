"""Whether a server can do its work: one claim for each thing that it needs."""

import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from sep2_server.disk import HINT
from sep2_server.errors import StoreError
from sep2_server.process.families import Samples
from sep2_server.reader import Reader

if TYPE_CHECKING:
    from sep2_server.app import Sep2Server

FRESH_S: Final = 5.0
"""A worker whose numbers are older than this is not counted as alive."""
FINE: Final = "ok"
DISK: Final = "lineside_disk_failed"

log = logging.getLogger(__name__)

Checks = dict[str, str]
"""`ok`, or what is wrong, by what was looked at."""


def checks_of(server: "Sep2Server") -> Checks:
    """What of a server is as it must be: `ok`, or what is not, for each."""
    return {name: _claim(server, claim) for name, claim in CLAIMS.items()}


def is_ready(checks: Checks) -> bool:
    """Whether nothing is wrong."""
    return all(told == FINE for told in checks.values())


def days_left(server: "Sep2Server") -> float:
    """Days until the certificate of the server expires, by its own clock; negative where it has."""
    end = server.place.tls.certificate.not_valid_after_utc
    return (end - datetime.fromtimestamp(server.clock.now(), UTC)).total_seconds() / 86_400


def _claim(server: "Sep2Server", claim: Callable[["Sep2Server"], str]) -> str:
    try:
        return claim(server)
    except StoreError as flaw:
        return str(flaw)


def _store(server: "Sep2Server") -> str:
    server.store.look(Reader.last_change)
    server.store.require_durable()
    return FINE


def _listener(server: "Sep2Server") -> str:
    if server.is_stopping:
        return "the server is stopping"
    return FINE if server.is_listening else "nothing is listened on"


def _certificate(server: "Sep2Server") -> str:
    certificate = server.place.tls.certificate
    now = datetime.fromtimestamp(server.clock.now(), UTC)
    if now < certificate.not_valid_before_utc:
        return f"not valid before {certificate.not_valid_before_utc:%Y-%m-%d}"
    if now > certificate.not_valid_after_utc:
        return f"expired on {certificate.not_valid_after_utc:%Y-%m-%d}"
    return FINE


def _workers(server: "Sep2Server") -> str:
    others = list(_others(server))
    silent = ", ".join(str(number) for number, age_s, _ in others if age_s > FRESH_S)
    failed = ", ".join(str(number) for number, _, samples in others if any(samples.get(DISK, {}).values()))
    if silent:
        return f"no sign of life from worker {silent}"
    return f"the disk has not kept what was written by worker {failed}; {HINT}" if failed else FINE


def _others(server: "Sep2Server") -> Iterator[tuple[int, float, Samples]]:
    """The other workers: number, age of what each has on its board, s, and its numbers there."""
    place = server.place
    for number in range(place.of):
        if number != place.number and place.boards is not None:
            yield number, *place.boards.read(number)


CLAIMS: Final = {
    "store": _store,
    "listener": _listener,
    "certificate": _certificate,
    "workers": _workers,
}
