"""The client's listener: who may post, and what it answers. IEEE 2030.5-2018, 14; CSIP ERR-002."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from io import BytesIO

import pytest
from aiohttp import ClientSession, TCPConnector

from certs import Credentials, client_context
from der_client.listener import Listener
from der_client.settings import ServerSettings
from owner import SettingsError
from schemas import Codec, EndDevice, FunctionSetAssignmentsList, Notification, Resource
from tests.integration.client.harness import Lab

SEP_XML = "application/sep+xml"


@dataclass
class Heard:
    """What the listener handed on, and what it is told about it."""

    listener: Listener
    notes: list[Notification] = field(default_factory=list)
    is_usable: bool = True

    def take(self, note: Notification) -> bool:
        self.notes.append(note)
        return self.is_usable

    async def post(
        self,
        own: Credentials,
        body: bytes,
        *,
        path: str = "/secret",
        method: str = "POST",
        content_type: str = SEP_XML,
    ) -> tuple[int, str | None]:
        """Status and Allow of the answer to what somebody with these credentials sends."""
        context = client_context(own.certificate_path, own.key_path, own.root_path)
        url = f"https://127.0.0.1:{self.listener.port}{path}"
        async with ClientSession(connector=TCPConnector(ssl=context)) as session:
            headers = {"Content-Type": content_type}
            async with session.request(method, url, data=BytesIO(body), headers=headers) as answer:
                return answer.status, answer.headers.get("Allow")


@pytest.fixture
async def heard(lab: Lab) -> AsyncIterator[Heard]:
    own = lab.device
    files = ServerSettings(
        uri="https://server/dcap", certificate=own.certificate_path, key=own.key_path, roots=own.root_path
    )
    made = Heard(Listener(files, Codec, "/secret", lambda: {str(lab.server.lfdi)}))
    await made.listener.open("127.0.0.1", 0, made.take)
    try:
        yield made
    finally:
        await made.listener.close()


def body(resource: Resource | None = None, status: int = 0) -> bytes:
    return Codec().encode(
        Notification(subscribedResource="/fsa", Resource_=resource, status=status, subscriptionURI="/sub/1")
    )


async def test_a_notification_of_the_server_is_handed_on_and_answered_with_201(
    heard: Heard, lab: Lab
) -> None:
    assert await heard.post(lab.server, body(FunctionSetAssignmentsList(all=0, results=0))) == (201, None)
    assert isinstance(heard.notes[0].Resource_, FunctionSetAssignmentsList)


async def test_one_that_cannot_be_used_is_answered_with_400(heard: Heard, lab: Lab) -> None:
    heard.is_usable = False

    assert await heard.post(lab.server, body(EndDevice(sFDI=1, changedTime=0))) == (400, None)


async def test_nobody_but_the_server_may_post(heard: Heard, lab: Lab) -> None:
    assert await heard.post(lab.device, body()) == (403, None)
    assert heard.notes == []


@pytest.mark.parametrize("text", [b"", b"<Notification", b"<Time xmlns='urn:ieee:std:2030.5:ns'/>"])
async def test_what_is_no_notification_is_answered_with_400(heard: Heard, lab: Lab, text: bytes) -> None:
    assert await heard.post(lab.server, text) == (400, None)
    assert heard.notes == []


async def test_other_paths_methods_and_types_are_refused(heard: Heard, lab: Lab) -> None:
    assert await heard.post(lab.server, body(), path="/other") == (404, None)
    assert await heard.post(lab.server, body(), method="PUT") == (405, "POST")
    assert await heard.post(lab.server, body(), content_type="text/plain") == (415, None)
    assert heard.notes == []


async def test_a_body_beyond_all_measure_is_refused(heard: Heard, lab: Lab) -> None:
    assert await heard.post(lab.server, b" " * (1 << 21)) == (413, None)


async def test_a_port_that_is_taken_is_a_setting_to_correct(heard: Heard, lab: Lab) -> None:
    other = Listener(heard.listener._files, Codec, "/x", set)

    with pytest.raises(SettingsError, match="subscription: cannot listen at"):
        await other.open("127.0.0.1", heard.listener.port, heard.take)


async def test_the_end_of_the_listener_is_the_end_of_its_connections(heard: Heard, lab: Lab) -> None:
    own = lab.server
    context = client_context(own.certificate_path, own.key_path, own.root_path)
    reader, writer = await asyncio.open_connection("127.0.0.1", heard.listener.port, ssl=context)
    writer.write(b"PUT /secret HTTP/1.1\r\nHost: h\r\n\r\n")
    async with asyncio.timeout(15):
        assert (await reader.readline()).startswith(b"HTTP/1.1 405")
        await heard.listener.close()
        assert b"HTTP" not in await reader.read()
    assert heard.listener._open == set()
    writer.close()
