"""What a stranger's document leaves behind in the parser: nothing, whatever names it thinks of."""

import pathlib
import threading
import time
from collections.abc import Callable

import pytest
from hypothesis import assume, given, settings

from schemas import Codec, LogEvent, Malformed, MirrorUsagePoint
from schemas.xml import MOST_OCTETS
from sep2_server.errors import Busy
from sep2_server.strangers import decoded
from tests.inputs import inputs
from tests.resource_strategies import resources

JUDGE = Codec().judge
SPACE = 'xmlns="urn:ieee:std:2030.5:ns"'
FIELDS = (
    "<createdDateTime>1700000000</createdDateTime><functionSet>11</functionSet><logEventCode>0</logEventCode>"
    "<logEventID>1</logEventID><logEventPEN>40732</logEventPEN><profileID>2</profileID>"
)
EVENT = f"<LogEvent {SPACE}>{FIELDS}</LogEvent>"
XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
PLAIN = {
    "as we write it": EVENT,
    "declared": f'<?xml version="1.0" encoding="UTF-8"?>\n{EVENT}',
    "with a mark": f"\ufeff{EVENT}",
    "indented": EVENT.replace("><", ">\n                      <"),
    "indented by tabs": EVENT.replace("><", ">\r\n\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t<"),
    "prefixed": EVENT.replace("xmlns=", "xmlns:ns2=")
    .replace("</", "@")
    .replace("<", "<ns2:")
    .replace("@", "</ns2:"),
    "typed": EVENT.replace(SPACE, f'{SPACE} {XSI} xsi:schemaLocation="a b"'),
    "with quotes": EVENT.replace('"', "'"),
    "spaced out": EVENT.replace(SPACE, f'href = "/x"\n{SPACE}'),
}
STRANGE = {
    "element": EVENT.replace(SPACE, f'{SPACE} xmlns:x="urn:x"').replace("<create", "<x:y/><create"),
    "namespace": EVENT.replace(SPACE, f'{SPACE} xmlns:ns1="urn:x"'),
    "namespace within": EVENT.replace("<functionSet>", '<functionSet xmlns:ns1="urn:x">'),
    "prefix": EVENT.replace(SPACE, f'{SPACE} xmlns:abc="urn:ieee:std:2030.5:ns"'),
    "attribute": EVENT.replace(SPACE, f'{SPACE} {XSI} xsi:strange="1"'),
    "attribute without a value": EVENT.replace(SPACE, f'{SPACE} strange href="/x"'),
    "attribute without a blank": EVENT.replace(SPACE, f'{SPACE}strange="/x"'),
    "namespace with a quote in it": EVENT.replace(
        SPACE, f"""{SPACE} xmlns:ns1="urn:ieee:std:2030.5:ns'x\""""
    ),
    "attribute in an end": EVENT.replace("</LogEvent>", "</LogEvent strange='1'>"),
    "attribute behind a bracket": EVENT.replace(SPACE, f'href="a>b" strange="1" {SPACE}'),
    "section": EVENT.replace(">11<", "><![CDATA[11]]><"),
    "end": EVENT.replace("</LogEvent>", "</Strange>"),
    "instruction": f"<?strange ?>{EVENT}",
    "entity": EVENT.replace(">11<", ">&strange;<"),
    "document type": f"<!DOCTYPE strange>{EVENT}",
    "blanks": EVENT.replace("><functionSet>", "> \t \n \t \n \t \n \t \n \t<functionSet>"),
    "encoding": f'<?xml version="1.0" encoding="ISO-8859-1"?>{EVENT}',
    "nothing": "",
    "text": "hello",
}


def read(document: str) -> LogEvent:
    return decoded(JUDGE, document.encode(), LogEvent, MOST_OCTETS)


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The threads that are started meanwhile, by name."""
    started: list[str] = []
    start = threading.Thread.start

    def counted(thread: threading.Thread) -> None:
        started.append(thread.name)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", counted)
    return started


@pytest.mark.parametrize("document", PLAIN.values(), ids=PLAIN)
def test_what_clients_send_is_read_here(document: str, threads: list[str]) -> None:
    assert read(document).functionSet == 11
    assert threads == []


@pytest.mark.parametrize("document", STRANGE.values(), ids=STRANGE)
def test_what_holds_other_names_is_read_apart_and_to_the_same_end(document: str, threads: list[str]) -> None:
    def tried(work: Callable[[], object]) -> object:
        try:
            return work()
        except Malformed as flaw:
            return str(flaw)

    told = tried(lambda: read(document))
    assert [name.rpartition("_")[0] for name in threads] == ["sep2-stranger"]
    assert told == tried(lambda: JUDGE.decode(document.encode(), LogEvent))


@pytest.mark.parametrize(
    "filler",
    [
        "xmlns",
        "xmlns=",
        "=",
        '="',
        " a=",
        ' a="b"',
        "  ",
        'a="',
        "'",
        "&amp;",
        "> ",
        ">\n" + " " * 20,
        "<LogEvent ",
        "<a b='",
    ],
)
@pytest.mark.parametrize("place", ["text", "tag"])
def test_a_look_takes_time_by_the_length_alone(filler: str, place: str) -> None:
    """Four times the length may take eight times the time of a square look's sixteen, or 20 ms."""

    def took_s(octets: int) -> float:
        many = filler * (octets // len(filler))
        document = (
            EVENT.replace(">11<", f">{many}<") if place == "text" else EVENT.replace(SPACE, f"{SPACE} {many}")
        )
        began = time.thread_time()
        JUDGE.is_plain(document.encode())
        return time.thread_time() - began

    short = min(took_s(100_000) for _ in range(3))
    assert min(took_s(400_000) for _ in range(3)) <= max(8 * short, 0.02)


def test_for_want_of_a_thread_it_is_to_be_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(Busy, match="no thread"):
        read(STRANGE["element"])
    assert read(EVENT).functionSet == 11


def test_what_is_too_long_is_not_looked_at(threads: list[str]) -> None:
    with pytest.raises(Malformed, match="at most 10"):
        decoded(JUDGE, STRANGE["element"].encode(), LogEvent, 10)
    assert threads == []


@settings(max_examples=inputs(100), deadline=None)
@given(value=resources(MirrorUsagePoint))
def test_what_we_write_is_plain(value: MirrorUsagePoint) -> None:
    document = JUDGE.encode(value)
    assume(
        b"&" not in document and document.count(b"=") == document.count(b'="') and b" " * 9 not in document
    )
    assert JUDGE.is_plain(document)


def test_many_names_of_a_stranger_are_kept_nowhere() -> None:
    """The dictionary of the parser would be full after some 200 of these."""

    def resident() -> int:
        with pathlib.Path("/proc/self/statm").open() as file:
            return int(file.read().split()[1]) * 4096

    def send(number: int) -> None:
        kids = "".join(f"<x:a{number}_{i}_{'y' * 9000}/>" for i in range(100))
        strange = EVENT.replace(SPACE, f'{SPACE} xmlns:x="urn:x"').replace("<create", f"{kids}<create")
        assert read(strange).functionSet == 11

    send(0)
    before = resident()
    for number in range(1, 41):
        send(number)
    assert resident() - before < 15_000_000
