"""What a line of the log says, and that nobody can write a second one."""

import codecs
import json
import logging
import os
import sys
import threading
import time
from collections.abc import Callable

import pytest

from sep2_server.process.log_lines import Access, JsonFormatter, TextFormatter, access_line
from sep2_server.process.log_writer import MOST_LINES, AccessLog, LogWriter

LFDI = "3E4F45AB31EDFE5B67E343E5E4562E31984E23E5"


def access(target: str = "/edev/1?s=0", lfdi: str = LFDI) -> Access:
    return Access(1_700_000_000.25, 5, lfdi, "10.0.0.1", "GET", target, "EndDevice", 200, 0.00123, 0, 312)


def test_an_access_in_text_says_who_what_and_how_it_went() -> None:
    assert access_line(access(), "text", 26) == (
        "2023-11-14T22:13:20.250000Z ACCESS id=1a-5 who=3E4F45AB31 remote=10.0.0.1 method=GET "
        "path=/edev/1?s=0 route=EndDevice status=200 ms=1.23 in=0 out=312"
    )


def test_an_access_in_json_has_the_same() -> None:
    told = json.loads(access_line(access(), "json", 26))
    assert (told["who"], told["path"], told["status"], told["ms"]) == ("3E4F45AB31", "/edev/1?s=0", 200, 1.23)
    assert (told["kind"], told["id"], told["route"], told["out"]) == ("access", "1a-5", "EndDevice", 312)


@pytest.mark.parametrize("kind", ["text", "json"])
@pytest.mark.parametrize("target", ["/a\r\nACCESS status=200", '/"x', "/\x1b[31m", "/a b", "/" + "x" * 5000])
def test_a_path_cannot_begin_another_line_or_field(kind: str, target: str) -> None:
    line = access_line(access(target), "json" if kind == "json" else "text", 1)
    assert line.isprintable()
    assert len(line) < 700
    assert line.count(" status=200") == 1 or json.loads(line)["path"] == target[:300]


def record(message: str, *arguments: object) -> logging.LogRecord:
    return logging.LogRecord("a.b", logging.WARNING, "", 0, message, arguments, None)


def test_a_message_stays_on_its_line() -> None:
    assert TextFormatter().format(record("from %s", "x\nERROR y")).endswith("a.b: from x\\nERROR y")
    assert json.loads(JsonFormatter().format(record("from %s", "x\ny")))["message"] == "from x\ny"


def test_nothing_in_a_line_steers_a_terminal() -> None:
    made = record("from %s", "\x9b2J\x7f\u202e")
    try:
        codecs.lookup("\x1b[31m\x9b")
    except LookupError:
        made.exc_info = sys.exc_info()
    assert all(line.isprintable() for line in TextFormatter().format(made).split("\n"))
    told = JsonFormatter().format(made)
    assert told.isprintable()
    assert json.loads(told)["message"] == "from \x9b2J\x7f\u202e"
    assert json.loads(told)["exception"].endswith(": \x1b[31m\x9b")


def test_a_traceback_is_told_in_both_forms() -> None:
    made = record("it failed")
    try:
        int("seven")
    except ValueError:
        made.exc_info = sys.exc_info()
    assert "ValueError: invalid" in json.loads(JsonFormatter().format(made))["exception"]
    assert "\nValueError: invalid" in TextFormatter().format(made)


def test_lines_are_written_in_their_order() -> None:
    read, write = os.pipe()
    writer = LogWriter("text", write)
    for number in range(100):
        writer.put(f"line {number}")
    writer.close()
    os.close(write)
    with os.fdopen(read) as written:
        assert written.read().splitlines() == [f"line {number}" for number in range(100)]


def test_a_target_that_blocks_stops_nobody_and_lines_that_are_lost_are_counted() -> None:
    read, write = os.pipe()
    writer = LogWriter("text", write)

    def put_all() -> None:
        for _ in range(MOST_LINES + 2000):
            writer.put("x" * 100)

    putting = threading.Thread(target=put_all, daemon=True)
    putting.start()
    putting.join(60)
    assert not putting.is_alive()
    assert writer.dropped > 0
    os.close(read)
    writer.close()
    os.close(write)


def test_lines_that_a_full_disk_did_not_take_are_counted_and_later_ones_written() -> None:
    read, write = os.pipe()
    full = os.open("/dev/full", os.O_WRONLY)
    target = os.dup(full)
    writer = LogWriter("text", target)
    for number in range(700):
        writer.put(f"lost {number}")
    deadline = time.monotonic() + 10
    while writer.dropped < 700 and time.monotonic() < deadline:
        time.sleep(0.01)
    os.dup2(write, target)
    writer.put("kept")
    writer.close()
    assert (os.read(read, 100), writer.dropped) == (b"kept\n", 700)
    for file in (read, write, full, target):
        os.close(file)


def test_a_line_costs_at_most_ten_microseconds() -> None:
    read, write = os.pipe()
    writer = LogWriter("text", write)
    log = AccessLog(writer, is_on=True)
    put_s = min(cost_of(lambda: log.put(access())) for _ in range(20))
    made_s = min(cost_of(lambda: access_line(access(), "json", 1)) for _ in range(20))
    os.close(read)
    writer.close()
    os.close(write)
    assert put_s + made_s < 30e-6  # 10 on a machine that does nothing else


def cost_of(step: Callable[[], object]) -> float:
    """CPU of this thread for one step, s."""
    began = time.thread_time()
    for _ in range(200):
        step()
    return (time.thread_time() - began) / 200
