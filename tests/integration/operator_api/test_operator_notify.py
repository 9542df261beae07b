"""What operators do about notifications: where they may go, who subscribed, what was given up; the how-to."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from sep2_server import Sep2Server
from sep2_server.operator import ApiError, OperatorClient
from tests.integration.operator_api.conftest import LFDI, DeviceRequest
from tests.integration.operator_api.subscribed import give_up, subscribed

ROOT = Path(__file__).parents[3]
HOWTO = (ROOT / "docs" / "howto" / "notifications.md").read_text()
LINES = [
    line.removeprefix("lineside op ").replace(" --config site", "")
    for block in re.findall(r"^```console\n(.*?)^```", HOWTO, flags=re.DOTALL | re.MULTILINE)
    for line in block.splitlines()
]
SETTINGS = (
    "public_url",
    "subscriptions_per_client",
    "subscription_expiry_s",
    "managed_subscription_lists",
    "notification_hosts",
    "notification_http",
    "notification_any_peer",
    "notification_gap_ms",
    "notification_timeout_s",
    "notification_retry_s",
    "dead_letters_per_subscription",
    "dead_letter_retention_s",
    "notification_connections",
)
URI = "https://203.0.113.7/ntfy"


@pytest.fixture
def north(api: OperatorClient, device_request: DeviceRequest) -> int:
    """A device that may be notified and has subscribed; number of the subscription."""
    api.call("POST", ("devices",), {"name": "north", "lFDI": LFDI})
    api.call("POST", ("devices", "north", "notifications"), {"host": "203.0.113.7"})
    return subscribed(device_request, URI)


def test_every_command_of_the_howto_works(
    op: Callable[..., int], server: Sep2Server, north: int, capsys: pytest.CaptureFixture[str]
) -> None:
    numbers = {"42": str(north), "7": str(give_up(server, north)), "8": str(give_up(server, north))}
    codes = {line: op(*(numbers.get(word, word) for word in line.split())) for line in LINES}
    assert len(codes) >= 9
    assert set(codes.values()) == {0}, (codes, capsys.readouterr())


@pytest.mark.parametrize("name", SETTINGS)
def test_the_howto_names_every_setting(name: str) -> None:
    assert f"| `{name}` |" in HOWTO


def test_a_host_that_was_taken_back_is_refused_to_new_subscriptions(
    api: OperatorClient, device_request: DeviceRequest, north: int
) -> None:
    assert north > 0
    told = api.call("DELETE", ("devices", "north", "notifications"), {"host": "203.0.113.7"})
    assert told["hosts"] == []
    with pytest.raises(AssertionError):
        subscribed(device_request, "https://203.0.113.7/other")


@pytest.mark.parametrize("host", ["", "2130706433", "a b", "https://there"])
def test_what_is_no_host_is_refused(api: OperatorClient, host: str) -> None:
    api.call("POST", ("devices",), {"name": "north", "lFDI": LFDI})
    with pytest.raises(ApiError) as refused:
        api.call("POST", ("devices", "north", "notifications"), {"host": host})
    assert refused.value.status == 400


def test_a_cancelled_subscription_is_gone_for_its_client(
    api: OperatorClient, device_request: DeviceRequest, north: int
) -> None:
    body = {"status": 2, "newResourceURI": "https://elsewhere/edev"}
    assert api.call("POST", ("subscriptions", str(north), "cancel"), body)["status"] == 2
    edev = device_request("GET", "/edev").body.decode()
    assert 'SubscriptionListLink href="' in edev
    with pytest.raises(ApiError) as again:
        api.call("POST", ("subscriptions", str(north), "cancel"))
    assert again.value.status == 404


def test_where_to_goes_with_status_2_alone(api: OperatorClient, north: int) -> None:
    with pytest.raises(ApiError) as refused:
        api.call("POST", ("subscriptions", str(north), "cancel"), {"status": 2})
    assert refused.value.status == 400


@pytest.mark.parametrize(
    "uri", ["/edev", "elsewhere/edev", "//elsewhere/edev", "https:///edev", "https://a b/"]
)
def test_where_to_is_an_absolute_uri(api: OperatorClient, north: int, uri: str) -> None:
    body = {"status": 2, "newResourceURI": uri}
    with pytest.raises(ApiError, match="newResourceURI") as refused:
        api.call("POST", ("subscriptions", str(north), "cancel"), body)
    assert refused.value.status == 400


def test_a_dead_letter_is_shown_tried_again_and_gone(
    api: OperatorClient, server: Sep2Server, north: int
) -> None:
    letter = give_up(server, north)
    shown = api.get("deadletters", str(letter))
    assert (shown["device"], shown["subscription"], shown["attempts"]) == ("north", north, 5)
    assert (shown["subscribedResource"], shown["notificationURI"]) == ("/edev", URI)
    api.call("POST", ("deadletters", str(letter), "retry"))
    assert api.get("deadletters")["deadLetters"] == []
    (waiting,) = rows(api.get("subscriptions", device="north")["subscriptions"])
    assert waiting["due"] is not None


def test_the_list_says_how_many_dead_letters_were_dropped(
    api: OperatorClient,
    op: Callable[..., int],
    server: Sep2Server,
    north: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    numbers = [give_up(server, north) for _ in range(3)]
    subscribed = server.store.new_reader().ledger.subscription(north)
    assert subscribed is not None
    server.store.write(lambda tx: tx.ledger.shorten_dead(subscribed, 1))
    for device in (None, "north"):
        told = api.get("deadletters", device=device)
        assert [row["id"] for row in rows(told["deadLetters"])] == numbers[2:]
        assert told["dropped"] == 2
    assert op("notify", "list") == 0
    assert "2 older ones were dropped" in capsys.readouterr().out


def test_a_dead_letter_of_a_subscription_that_is_over_can_only_be_dropped(
    api: OperatorClient, server: Sep2Server, north: int
) -> None:
    letter = give_up(server, north)
    server.store.write(lambda tx: tx.ledger.forget(north))
    with pytest.raises(ApiError) as refused:
        api.call("POST", ("deadletters", str(letter), "retry"))
    assert refused.value.status == 409
    api.call("DELETE", ("deadletters", str(letter)))
    with pytest.raises(ApiError) as gone:
        api.get("deadletters", str(letter))
    assert gone.value.status == 404


def rows(found: object) -> list[dict[str, object]]:
    """The objects of a list in an answer."""
    assert isinstance(found, list)
    return found
