"""An HTTP/1.1 answer out of octets, and the head of a request. RFC 9110, RFC 9112."""

import gzip

import pytest

from der_client.http_connection import Request
from der_client.http_reply import MOST_HEAD, HttpError, Reply, ReplyReader

MOST = 100
PLAIN = b"HTTP/1.1 201 Created\r\nLocation: /x/1\r\nContent-Length: 5\r\n\r\nhello"
CHUNKS = b"2\r\nhe\r\n3;a=b\r\nllo\r\n0\r\nLocation: /no\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS
INTERIM = b"HTTP/1.1 100 Continue\r\nLocation: /no\r\n\r\n"
CREATED = Reply(status=201, location="/x/1", body=b"hello")
PACKED = gzip.compress(b"hello")
BOMB = gzip.compress(b"0" * 1_000_000)


def packed(body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def read(*parts: bytes) -> ReplyReader:
    reader = ReplyReader(MOST)
    for part in parts:
        reader.feed(part)
    return reader


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize(
    ("octets", "reply"),
    [
        (PLAIN, CREATED),
        (CHUNKED, Reply(status=200, location=None, body=b"hello")),
        (INTERIM + PLAIN, CREATED),
        (b"HTTP/1.1 204 No Content\r\n\r\n", Reply(status=204, location=None, body=b"")),
        (packed(PACKED), Reply(status=200, location=None, body=b"hello")),
    ],
    ids=["length", "chunks", "interim", "no-content", "gzip"],
)
def test_an_answer_is_whole_however_its_octets_come(octets: bytes, reply: Reply, size: int) -> None:
    parts = [octets[at : at + size] for at in range(0, len(octets), size)]
    reader = read(*parts[:-1])

    assert reader.reply != reply
    reader.feed(parts[-1])
    assert reader.reply == reply
    assert not reader.is_last


@pytest.mark.parametrize("octets", [b"HTTP/1.0 200 OK\r\n\r\nhello", b"HTTP/1.1 200 OK\r\n\r\nhello"])
def test_a_body_without_a_length_ends_with_the_connection(octets: bytes) -> None:
    reader = read(octets)

    assert not reader.is_last
    reader.end()
    assert reader.reply == Reply(status=200, location=None, body=b"hello")
    assert reader.is_last


@pytest.mark.parametrize("octets", [b"", b"HTTP/1.1 200 OK\r\n", PLAIN[:-1], CHUNKED[:-3]])
def test_an_answer_that_is_cut_off_is_none(octets: bytes) -> None:
    reader = read(octets)

    with pytest.raises(HttpError, match="before the end"):
        reader.end()


@pytest.mark.parametrize(
    "octets",
    [
        b"<html>",
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        packed(b"no gzip"),
    ],
)
def test_what_is_no_answer_is_an_error(octets: bytes) -> None:
    with pytest.raises(HttpError, match="no HTTP"):
        read(octets)


def test_a_head_without_end_is_an_error() -> None:
    with pytest.raises(HttpError, match="longer than"):
        read(b"HTTP/1.1 200 OK\r\nA: ", b"a" * MOST_HEAD)


LONG = b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n" + b"0" * 150


@pytest.mark.parametrize(
    ("octets", "is_last"), [(LONG, True), (packed(BOMB), False)], ids=["plain", "packed"]
)
def test_of_a_body_that_is_too_long_one_octet_more_is_kept(octets: bytes, is_last: bool) -> None:
    reader = read(octets)

    assert reader.reply == Reply(status=200, location=None, body=b"0" * (MOST + 1))
    assert reader.is_last == is_last


LAST = PLAIN.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")


@pytest.mark.parametrize("octets", [PLAIN + b"HTTP/1.1 200 OK\r\n", LAST], ids=["unasked", "close"])
def test_a_connection_with_more_than_was_asked_for_or_that_says_so_carries_no_other(octets: bytes) -> None:
    assert read(octets).is_last


def head_of(url: str) -> list[str]:
    return Request.of("GET", url, {}).head.decode().split("\r\n")[:2]


@pytest.mark.parametrize(
    ("url", "line", "host"),
    [
        ("https://h", "GET / HTTP/1.1", "Host: h"),
        ("https://h:443/a%20b?s=0&l=1", "GET /a%20b?s=0&l=1 HTTP/1.1", "Host: h"),
        ("https://h:8443/ü b", "GET /%C3%BC%20b HTTP/1.1", "Host: h:8443"),
        ("https://bücher.example/", "GET / HTTP/1.1", "Host: xn--bcher-kva.example"),
        ("https://[fe80::1%25eth0]:8443/", "GET / HTTP/1.1", "Host: [fe80::1]:8443"),
    ],
)
def test_a_request_names_what_it_asks_for_and_whom(url: str, line: str, host: str) -> None:
    assert head_of(url) == [line, host]


@pytest.mark.parametrize(
    "url", ["https:///x", "https://u:p@h/", "https://a b/", "https://h:port/", "https://[/"]
)
def test_a_url_that_leads_nowhere_makes_no_request(url: str) -> None:
    with pytest.raises(ValueError, match=r"host|port|IPv6|URL"):
        Request.of("GET", url, {})


def test_a_body_goes_with_its_length() -> None:
    request = Request.of("PUT", "https://h/x", {"Content-Type": "a/b"}, b"")

    assert b"\r\nContent-Type: a/b\r\nContent-Length: 0\r\n" in request.head
    assert request.place == ("h", 443)


def test_the_zone_of_an_address_is_for_the_socket_alone() -> None:
    request = Request.of("GET", "https://[fe80::1%eth0]/", {})

    assert (request.place[0], request.name) == ("fe80::1%eth0", "fe80::1")
