"""What the tasks that talk to the server share."""

from collections.abc import Callable
from dataclasses import dataclass

from der_client.client_event import Tell
from der_client.poller import Poller
from der_client.session import Session
from der_client.spool import Spool


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """The way to the server: `lfdi` is who we are, `spread` a source of jitter (0 to 1)."""

    session: Session
    poller: Poller
    spool: Spool
    tell: Tell
    lfdi: str
    spread: Callable[[], float]
    local_s: Callable[[], float]
