"""Plants for servers: what a real server answers, changed as a server with the fault would have it."""

import asyncio
import re
from asyncio import StreamReader, StreamWriter
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from conformance_tests.client.http import Request
from conformance_tests.evidence import Exchange
from conformance_tests.server import listener
from conformance_tests.server.operator_api import ApiOperator
from conformance_tests.server.target import ServerTarget
from conformance_tests.server.wire import Wire
from schemas import BASE, Codec, spec_of
from tests.integration.conformance.planted.row import Plant, instead
from tests.integration.conformance.tampering import Asking, Change, Edit, editing, tampered, to

CODEC = Codec(BASE)


def answers(change: Change) -> Plant:
    """Every answer goes through a change, but those of the operator's API."""

    def plant(_: ServerTarget) -> AbstractContextManager[None]:
        return tampered(lambda answer: answer if is_operators(answer) else change(answer))

    return plant


def notifies(pattern: str, other: str) -> Plant:
    """Something else stands in what the server sends to a listener."""

    def made(read: Callable[..., Awaitable[Request | None]]) -> Any:  # noqa: ANN401  a function
        async def request(reader: StreamReader, writer: StreamWriter) -> Request | None:
            came = await read(reader, writer)
            return came and replace(came, body=re.sub(pattern.encode(), other.encode(), came.body))

        return request

    return lambda _: instead(listener, "read_request", made)


def later(tag: str, by_s: int) -> Change:
    """Times of a name are so much later, s."""

    def change(answer: Exchange) -> Exchange:
        def moved(found: re.Match[bytes]) -> bytes:
            return b"<%b>%d<" % (tag.encode(), int(found[1]) + by_s)

        return replace(answer, body=re.sub(rb"<%b>(\d+)<" % tag.encode(), moved, answer.body))

    return change


def is_operators(answer: Exchange) -> bool:
    """True for an answer that is of no interest to a device."""
    return (answer.header("Content-Type") or "").startswith("application/json")


def reads(asking: Asking) -> Plant:
    """The server takes every question for another."""

    def plant(_: ServerTarget) -> AbstractContextManager[None]:
        return tampered(asking=asking)

    return plant


def acts_slowly(takes_s: float) -> Plant:
    """Each act of the operator takes so long."""

    def made(do: Callable[..., Awaitable[Any]]) -> Any:  # noqa: ANN401  a method
        async def slow(operator: ApiOperator, act: str, given: object) -> object:
            await asyncio.sleep(takes_s)
            return await do(operator, act, given)

        return slow

    return lambda _: instead(ApiOperator, "do", made)


def asks(before: str, after: str) -> Plant:
    """A parameter of a query is read otherwise."""
    return reads(lambda wire, _, uri: (wire, uri.replace(before, after)))


def mistaken(is_mistaken: Callable[[str], bool]) -> Plant:
    """Who is so is taken for the device."""

    def plant(target: ServerTarget) -> AbstractContextManager[None]:
        own = target.wire(target.device, "device")
        return tampered(asking=lambda wire, _, uri: (own if is_mistaken(wire.by) else wire, uri))

    return plant


# --- octets ---


def swapped(pattern: str, instead: str) -> Change:
    """Puts something else in the place of what a pattern finds in bodies."""
    return lambda answer: replace(answer, body=re.sub(pattern.encode(), instead.encode(), answer.body))


def items(item: str) -> re.Pattern[bytes]:
    """Elements of a name, whole."""
    return re.compile(rb"<%b[ >](?:.*?)</%b>" % (item.encode(), item.encode()), re.DOTALL)


def upside_down(item: str) -> Change:
    """Turns the items of lists upside down."""
    pattern = items(item)

    def change(answer: Exchange) -> Exchange:
        left = iter(reversed(pattern.findall(answer.body)))
        return replace(answer, body=pattern.sub(lambda _: next(left), answer.body))

    return change


def without_items(item: str, holding: str) -> Change:
    """Leaves items out of lists, and does not count them."""
    pattern = items(item)

    def change(answer: Exchange) -> Exchange:
        gone = [one for one in pattern.findall(answer.body) if holding.encode() in one]
        if not gone or b"List " not in answer.body[:120]:
            return answer
        body = answer.body
        for one in gone:
            body = body.replace(one, b"")

        def fewer(match: re.Match[bytes]) -> bytes:
            return b'%b="%d"' % (match[1], int(match[2]) - len(gone))

        return replace(answer, body=re.sub(rb'(all|results)="(\d+)"', fewer, body, count=2))

    return change


def without_header(name: str, status: int) -> Change:
    """Leaves a header out of answers with a status."""

    def change(answer: Exchange) -> Exchange:
        left = tuple(one for one in answer.headers if one[0].lower() != name)
        return replace(answer, headers=left) if answer.status == status else answer

    return change


def other_status(status: int, instead: int) -> Change:
    """Answers with another status."""
    return lambda answer: replace(answer, status=instead) if answer.status == status else answer


def next_digit(answer: Exchange) -> Exchange:
    """The last digit of each sFDI is one more."""

    def one_more(match: re.Match[bytes]) -> bytes:
        return b"<sFDI>%b%d<" % (match[1], (int(match[2]) + 1) % 10)

    return replace(answer, body=re.sub(rb"<sFDI>([0-9]*)([0-9])<", one_more, answer.body))


# --- resources ---


def of(cls: str, edit: Edit) -> Plant:
    """An edit of the resources of one class."""

    def only(value: object) -> None:
        if type(value).__name__ == cls:
            edit(value)

    return answers(to("GET", editing(only, CODEC)))


def setting(**changes: object) -> Edit:
    """An edit that sets attributes."""

    def edit(value: object) -> None:
        for name, new in changes.items():
            setattr(value, name, new)

    return edit


def items_of(value: object) -> list[Any]:
    """The items of a list resource."""
    held: list[Any] = getattr(value, next(f.attr for f in spec_of(type(value)) if f.is_list))
    return held


def swap(value: object) -> None:
    """The first two items change places."""
    held = items_of(value)
    held[:2] = reversed(held[:2])


def count_shown(value: object) -> None:
    """The page is counted as if it were the list."""
    setting(all=len(items_of(value)))(value)


def miscount(value: object) -> None:
    """One item more is counted than is there."""
    setting(results=len(items_of(value)) + 1)(value)


def drop_href(value: object) -> None:
    """No item says where it is."""
    for item in items_of(value):
        item.href = None


def lend_href(value: object) -> None:
    """The first item says that it is where the second is."""
    held = items_of(value)
    if len(held) > 1:
        held[0].href = held[1].href


def from_the_start(wire: Wire, _: str, uri: str) -> tuple[Wire, str]:
    """Whoever asks for more than there is begins anew."""
    return wire, re.sub(r"s=\d+&l=5$", "s=0&l=5", uri)


def not_found_where_empty(answer: Exchange) -> Exchange:
    """An empty page is none."""
    return replace(answer, status=404) if b'results="0"' in answer.body else answer
