"""What the tasks of one EndDevice share that talk to the server."""

from collections.abc import Callable
from dataclasses import dataclass

from der_client.client_event import Tell
from der_client.poller import Poller
from der_client.server_clock import ServerClock
from der_client.session import Session
from der_client.spool import Spool
from der_client.timing import Backoff
from der_client.view import ServerView
from der_client.watched import Watched


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """The way to the server of one EndDevice: `lfdi` is whose, `spread` a source of jitter (0 to 1).

    `party` is its number at the poller; session and poller are shared by all EndDevices of a client. What
    can change without a word, as the reports that are due, is looked at every `tick_s`.
    """

    session: Session
    poller: Poller
    spool: Spool
    tell: Tell
    lfdi: str
    spread: Callable[[], float]
    local_s: Callable[[], float]
    party: int = 0
    tick_s: float = 1.0

    @property
    def view(self) -> Watched[ServerView | None]:
        """The server as this EndDevice sees it."""
        return self.poller.views[self.party]

    @property
    def clock(self) -> Watched[ServerClock | None]:
        """The server's clock."""
        return self.poller.clock

    @property
    def backoff(self) -> Backoff:
        """Waiting times after failures."""
        return self.poller.backoff

    def request_rediscovery(self) -> None:
        """Walk again from DeviceCapability: a URI of this EndDevice is gone."""
        self.poller.request_rediscovery(self.party)
