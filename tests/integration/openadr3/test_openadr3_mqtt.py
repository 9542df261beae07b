"""Notifications of 3.1.0 by MQTT: on the topics that the VTN names, with a poll behind. Needs aiomqtt."""

import sys

import pytest

from openadr_ven.v3.errors import UnavailableError
from openadr_ven.v3.mqtt import Broker, broker_of
from openadr_ven.v3.objects import MqttBinding
from openadr_ven.v3.version import ObjectType, Version
from tests.integration.openadr3.mqtt_broker import MqttBroker
from tests.integration.openadr3.vtn_bench import Bench, Json, play

TOPICS = {
    f"openadr/{kind}/{word}"
    for kind in ("events", "programs", "resources")
    for word in ("create", "update", "delete")
}


def need_aiomqtt() -> None:
    pytest.importorskip("aiomqtt", reason="aiomqtt (lineside[mqtt]) is not installed")


async def with_broker(bench: Bench, broker: MqttBroker, method: Json, port: int = 0) -> int:
    """A broker that the VTN tells of and sends to; its port."""
    port = await broker.open(port)
    uris = ["mqtt://broker.example", f"mqtt://127.0.0.1:{port}"]
    bench.vtn.mqtt = {"URIS": uris, "serialization": "JSON", "authentication": method}
    bench.vtn.publish = broker.publish
    return port


def test_event_is_told_by_mqtt_and_the_list_polled_slowly() -> None:
    need_aiomqtt()

    async def scenario(bench: Bench) -> None:
        broker = MqttBroker()
        await bench.program()
        await with_broker(bench, broker, {"method": "OAUTH2_BEARER_TOKEN", "username": "{clientID}"})
        try:
            await bench.until(lambda: broker.topics == TOPICS)
            await bench.pass_by(5)
            token = [one.answer for one in bench.vtn.exchanges if one.path == "/auth/token"][-1]
            assert isinstance(token, dict)
            assert broker.logins[-1] == ("ven", token["access_token"])
            asked = bench.asked("/events")
            event = await bench.event(start_s=9000)
            await bench.pass_by(1)
            assert len(bench.plans()) == 1
            broker.publish("openadr/events/update", b"{")
            await bench.vtn.delete(ObjectType.EVENT, str(event["id"]))
            await bench.pass_by(1)
            assert bench.plans() == ()
            await bench.pass_by(600)
            assert bench.asked("/events") == asked
        finally:
            await broker.close()

    play(Version.V310, scenario, with_mqtt=True)


def test_what_happened_while_the_broker_was_away_is_found() -> None:
    need_aiomqtt()

    async def scenario(bench: Bench) -> None:
        broker = MqttBroker()
        port = await with_broker(bench, broker, {"method": "ANONYMOUS"})
        await bench.until(lambda: broker.topics == TOPICS)
        await broker.close()
        await bench.event(start_s=90_000)
        again = MqttBroker()
        await bench.until(bench.plans)
        try:
            await with_broker(bench, again, {"method": "ANONYMOUS"}, port)
            await bench.until(lambda: again.topics == TOPICS)
            assert again.logins[-1] == ("", "")
        finally:
            await again.close()

    play(Version.V310, scenario, with_mqtt=True)


@pytest.mark.parametrize("method", [None, {"method": "CERTIFICATE"}, {"method": "ANONYMOUS"}])
def test_vtn_without_a_broker_for_us_is_polled(method: Json | None) -> None:
    need_aiomqtt()

    async def scenario(bench: Bench) -> None:
        broker = MqttBroker(refuses=True)
        if method is not None:
            await with_broker(bench, broker, method)
        try:
            await bench.event(start_s=9000)
            await bench.until(bench.plans)
            asked = bench.asked("/events")
            await bench.pass_by(600)
            assert bench.asked("/events") - asked >= 15
        finally:
            await broker.close()

    play(Version.V310, scenario, with_mqtt=True)


def test_without_the_library_the_list_is_polled(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "aiomqtt", None)

    async def scenario(bench: Bench) -> None:
        await bench.event(start_s=9000)
        await bench.until(bench.plans)
        await bench.pass_by(60)

    play(Version.V310, scenario, with_mqtt=True)

    assert "lineside[mqtt]" in caplog.text


def test_broker_is_the_first_that_is_safe() -> None:
    uris = ("mqtt://far.example", "ftp://a", "mqtts://b.example", "mqtts://c.example:1")

    found = broker_of(MqttBinding(URIS=uris, method="ANONYMOUS"), "ven", None)

    assert found == Broker(host="b.example", port=8883, is_tls=True)


@pytest.mark.parametrize(
    ("uris", "method"),
    [
        (("mqtt://far.example",), "ANONYMOUS"),
        ((), "ANONYMOUS"),
        (("mqtts://b",), "CERTIFICATE"),
        (("mqtts://b",), "OAUTH2_BEARER_TOKEN"),
    ],
)
def test_broker_that_is_not_safe_or_lets_us_not_in_is_not_talked_to(
    uris: tuple[str, ...], method: str
) -> None:
    with pytest.raises(UnavailableError):
        broker_of(MqttBinding(URIS=uris, method=method), "ven", None)


def test_token_is_in_no_text_of_a_broker() -> None:
    binding = MqttBinding(URIS=("mqtts://b",), method="OAUTH2_BEARER_TOKEN", username="x")

    assert "hush" not in repr(broker_of(binding, "ven", "hush"))
