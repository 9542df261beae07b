"""The virtual clock of tests: it jumps when all wait, and stands while anybody works."""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from tests.virtual_time import VirtualTime


def test_hours_pass_at_once_and_in_order() -> None:
    clock, order = VirtualTime(), []

    async def late(seconds: float) -> None:
        await asyncio.sleep(seconds)
        order.append(round(clock.monotonic() - begun_s))

    async def main() -> None:
        await asyncio.gather(late(7200), late(60), late(3600))

    begun_s, real_s = clock.monotonic(), time.monotonic()
    clock.run(main())
    assert order == [60, 3600, 7200]
    assert time.monotonic() - real_s < 5


def test_a_socket_with_octets_goes_before_a_timer() -> None:
    clock = VirtualTime()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readline())
        writer.close()

    async def main() -> bytes:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            async with asyncio.timeout(0.001):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(b"hello\n")
                line = await reader.readline()
                writer.close()
            return line

    assert clock.run(main()) == b"hello\n"


def test_time_stands_while_a_thread_works() -> None:
    clock = VirtualTime()

    def work() -> str:
        end_s = time.perf_counter() + 0.05
        while time.perf_counter() < end_s:
            sum(range(1000))
        return "done"

    async def main() -> object:
        async with asyncio.timeout(0.01):
            return await asyncio.to_thread(work)

    assert clock.run(main()) == "done"


def test_without_work_a_timeout_comes() -> None:
    clock = VirtualTime()

    async def main() -> None:
        async with asyncio.timeout(100):
            await asyncio.get_running_loop().create_future()

    begun_s = clock.time()
    with pytest.raises(TimeoutError):
        clock.run(main())
    assert clock.time() - begun_s == pytest.approx(100)


class Late(ThreadPoolExecutor):
    """Threads that come only after a while."""

    def submit(self, fn: Callable[..., Any], /, *args: object, **kwargs: object) -> Future[Any]:
        future: Future[Any] = Future()
        threading.Timer(0.1, lambda: future.set_result(fn(*args, **kwargs))).start()
        return future


def test_time_stands_while_no_thread_has_taken_the_work_yet() -> None:
    clock = VirtualTime()

    async def main() -> object:
        async with asyncio.timeout(1):
            return await asyncio.get_running_loop().run_in_executor(Late(), lambda: "done")

    assert clock.run(main()) == "done"
