"""A device that has subscribed, and a notification to it that was given up."""

from collections.abc import Callable

from schemas import Subscription
from sep2_server import Sep2Server
from sep2_server.messages import Answer
from sep2_server.notifications.entries import Owed
from sep2_server.transaction import Transaction


def subscribed(device_request: Callable[..., Answer], uri: str) -> int:
    """Subscribe the one device that is enrolled to the EndDeviceList; number of the subscription."""
    listed = device_request("GET", "/edev").body.decode()
    place = listed.split('SubscriptionListLink href="')[1].split('"')[0]
    wish = Subscription(subscribedResource="/edev", encoding=0, level="+S1", limit=1, notificationURI=uri)
    answer = device_request("POST", place, wish)
    assert answer.status == 201
    return int(str(answer.location).rpartition("/")[2])


def give_up(server: Sep2Server, number: int) -> int:
    """Make a dead letter of a subscription; its number."""

    def job(tx: Transaction) -> None:
        found = tx.ledger.subscription(number)
        assert found is not None
        owed = Owed(number, 0, 1_700_000_000_000, 4, 1, None, 0, None)
        tx.ledger.give_up(owed, found, 5, "no answer within 30 s", 1_700_002_210)

    server.store.write(job)
    return server.store.new_reader().ledger.dead_letters()[-1].id
