"""The audit log: lines chained by hash, a head beside them, several writers, crashes."""

import json
import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from sep2_server.operator.audit import AuditLog, Entry, head_of
from sep2_server.operator.audit_reading import newest, verify
from sep2_server.operator.console import audited
from sep2_server.operator.errors import AuditFailed

ENTRY = Entry(time=1_700_000_000, who="operator", action="enrol", target="north", outcome="done")
LINE = {
    "seq": 1,
    "time": "2023-11-14T22:13:20Z",
    "who": "operator",
    "action": "enrol",
    "target": "north",
    "outcome": "done",
    "prev": "0" * 64,
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.jsonl"


def write(path: Path, *targets: str, most_octets: int = 1 << 20) -> None:
    log = AuditLog.open(path, most_octets)
    for target in targets:
        log.append(Entry(time=1_700_000_000, who="operator", action="enrol", target=target, outcome="done"))
    log.close()


def full(*_: object) -> int:
    raise OSError(28, "No space left on device")


def test_an_entry_is_one_line_that_is_appended(path: Path) -> None:
    write(path, "north")
    write(path, "north")
    first, second = [json.loads(line) for line in path.read_text().splitlines()]
    assert first == LINE
    assert (second["seq"], len(second["prev"]), verify(path).lines) == (2, 64, 2)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_line_that_was_cut_short_does_not_spoil_the_next(path: Path) -> None:
    write(path, "north")
    with path.open("a") as file:
        file.write('{"seq": 2, "ti')
    assert (verify(path).flaw, verify(path).is_torn) == (None, True)
    write(path, "south")
    assert [json.loads(path.read_text().splitlines()[n])["target"] for n in (0, 2)] == ["north", "south"]
    assert (verify(path).flaw, verify(path).lines, verify(path).is_torn) == (None, 2, False)


def test_a_whole_line_without_its_end_is_no_entry(path: Path) -> None:
    write(path, "north", "lost")
    text = path.read_text()
    head = path.with_suffix(".head")
    kept = text.splitlines(keepends=True)[0]
    path.unlink()
    head.unlink()
    write(path, "north")
    path.write_text(kept + text.splitlines()[1])
    write(path, "south")
    assert (verify(path).flaw, verify(path).lines) == (None, 2)


def test_a_whole_line_that_a_crash_left_behind_the_head_is_taken_in(path: Path) -> None:
    write(path, "north")
    head = path.with_suffix(".head").read_bytes()
    write(path, "south")
    path.with_suffix(".head").write_bytes(head)
    assert str(verify(path).flaw) == "audit.jsonl, line 2: it is behind the head of the log"
    write(path, "west")
    assert (verify(path).flaw, verify(path).lines) == (None, 3)


@pytest.mark.parametrize("torn", ["", '{"seq": 4, "ti'], ids=["whole lines", "and one that is cut short"])
def test_the_head_is_brought_up_at_the_start_behind_a_kill(path: Path, torn: str) -> None:
    """The check told of tampering after each kill between a line and its head."""
    write(path, "north")
    before = head_of(path).read_text()
    write(path, "south", "east")
    head_of(path).write_text(before)
    with path.open("a") as file:
        file.write(torn)
    assert str(verify(path).flaw) == "audit.jsonl, line 2: it is behind the head of the log"
    AuditLog.open(path).close()
    assert (verify(path).flaw, verify(path).lines, verify(path).is_torn) == (None, 3, bool(torn))
    write(path, "west")
    assert (verify(path).flaw, verify(path).lines, verify(path).is_torn) == (None, 4, False)


def test_a_log_of_an_older_form_is_put_aside(path: Path) -> None:
    path.write_text('{"time": "2023", "who": "x"}\n')
    write(path, "north")
    assert path.with_suffix(".unchained.jsonl").read_text().startswith('{"time": "2023"')
    assert (verify(path).flaw, verify(path).lines) == (None, 1)


def test_a_chain_that_has_lost_its_head_is_not_gone_on_with(path: Path) -> None:
    write(path, "north")
    path.with_suffix(".head").unlink()
    with pytest.raises(AuditFailed, match="its head is missing"):
        AuditLog.open(path)
    path.with_suffix(".head").unlink(missing_ok=True)
    assert str(verify(path).flaw) == "audit.jsonl, line 0: the head of the log is missing"


@pytest.mark.parametrize("harm", ["removed", "torn", "emptied", "another one"])
def test_a_head_that_is_lost_while_the_log_is_open_is_noticed_by_the_next_line(path: Path, harm: str) -> None:
    """With a head made anew from the lines nobody would see that the last ones were taken away."""
    log = AuditLog.open(path)
    for _ in range(2):
        log.append(ENTRY)
    head = path.with_suffix(".head")
    text = head.read_bytes()
    if harm in {"torn", "emptied"}:
        path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])
        head.write_bytes(text[:40] if harm == "torn" else b"")
    else:
        head.unlink()
    if harm == "another one":
        head.write_bytes(text)
    before = path.read_bytes()
    with pytest.raises(AuditFailed, match="its head"):
        log.append(ENTRY)
    assert path.read_bytes() == before
    log.close()


def test_a_log_that_was_shortened_is_not_gone_on_with(path: Path) -> None:
    write(path, "north", "south")
    path.write_text(path.read_text().splitlines(keepends=True)[0])
    with pytest.raises(AuditFailed, match="the log is shorter than its head says"):
        AuditLog.open(path)
    assert str(verify(path).flaw) == "audit.jsonl, line 1: lines up to number 2 are missing behind it"


def test_a_foreign_line_behind_the_head_is_not_gone_on_with(path: Path) -> None:
    write(path, "north")
    with path.open("a") as file:
        file.write('{"seq": 2, "prev": "0"}\n')
    with pytest.raises(AuditFailed, match="a line behind the head is not of the chain"):
        AuditLog.open(path)


def test_a_large_file_gets_a_number_and_the_chain_goes_on(path: Path) -> None:
    write(path, *map(str, range(10)), most_octets=500)
    names = sorted(file.name for file in path.parent.glob("*.jsonl"))
    assert names[:2] == ["audit.000001.jsonl", "audit.000002.jsonl"]
    assert (verify(path).flaw, verify(path).lines) == (None, 10)
    (path.parent / names[0]).unlink()
    assert "has number 4 where 1 is due" in str(verify(path).flaw)


def test_a_crash_between_number_and_new_file_is_mended(path: Path) -> None:
    write(path, "north")
    path.rename(path.with_suffix(".000001.jsonl"))
    write(path, "south")
    assert (verify(path).flaw, verify(path).lines) == (None, 2)


@pytest.mark.parametrize("cut", [0, 9], ids=["a whole line", "a line cut short"])
def test_a_crash_at_the_first_line_of_a_new_file_is_mended(path: Path, cut: int) -> None:
    """The line is written, the head not yet: the log was "shorter than its head says" for good."""
    write(path, "north", "south")
    before = head_of(path).read_text()
    write(path, "east", most_octets=1)
    line = path.read_bytes()
    path.write_bytes(line[: len(line) - cut])
    head_of(path).write_text(before)
    write(path, "west")
    assert (verify(path).flaw, verify(path).lines) == (None, 3 if cut else 4)


def test_a_new_file_that_does_not_go_on_with_the_chain_is_refused(path: Path) -> None:
    write(path, "north", "south")
    path.rename(path.with_suffix(".000001.jsonl"))
    path.write_text('{"seq": 3, "prev": "0"}\n')
    with pytest.raises(AuditFailed, match="a line behind the head is not of the chain"):
        AuditLog.open(path)


def test_two_writers_share_one_chain(path: Path) -> None:
    one, two = AuditLog.open(path, 400), AuditLog.open(path, 400)
    for log in (one, two, two, one, two, one):
        log.append(ENTRY)
    one.close()
    two.close()
    assert (verify(path).flaw, verify(path).lines) == (None, 6)


def test_the_newest_entries_are_found_by_their_fields(path: Path) -> None:
    write(path, *(f"device {n}" for n in range(9)), most_octets=500)
    found = newest(path, before=None, limit=2, wanted={"target": "device"})
    assert [entry["target"] for entry in found] == ["device 8", "device 7"]
    found = newest(path, before=4, limit=9, wanted={})
    assert [entry["seq"] for entry in found] == [3, 2, 1]
    assert newest(path, before=None, limit=9, wanted={"who": "nobody"}) == []


def test_there_is_nothing_to_verify_without_a_log(path: Path) -> None:
    assert str(verify(path).flaw) == "audit.jsonl, line 0: there is no audit log"


def test_a_log_that_cannot_be_opened_says_so(tmp_path: Path) -> None:
    (tmp_path / "audit.jsonl").mkdir()
    with pytest.raises(AuditFailed, match="Is a directory") as caught:
        AuditLog.open(tmp_path / "audit.jsonl")
    assert caught.value.hint.startswith("nothing was done")


def test_a_log_on_a_full_disk_refuses(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = AuditLog.open(path)
    monkeypatch.setattr(os, "write", full)
    with pytest.raises(AuditFailed, match="No space left on device"):
        log.append(ENTRY)
    log.close()


@pytest.mark.parametrize("failures", [1, 2, 3])
@pytest.mark.parametrize("first", [0, 1], ids=["the line", "the head"])
def test_a_line_that_is_written_and_not_synced_is_taken_back(
    path: Path, monkeypatch: pytest.MonkeyPatch, first: int, failures: int
) -> None:
    """What the log says was done was done: the action of a line that may not be on the disk is not."""
    write(path, "north")
    log = AuditLog.open(path)
    sync, count = os.fsync, iter(range(99))

    def failing(file: int) -> None:
        if first <= next(count) < first + failures:
            full()
        sync(file)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", failing)
        with pytest.raises(AuditFailed, match="No space left on device"):
            log.append(replace(ENTRY, target="south"))
    log.append(replace(ENTRY, target="east"))
    log.close()
    told = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(line["target"], line["outcome"]) for line in told] == [
        ("north", "done"),
        ("south", "done"),
        ("south", "failed: not stored"),
        ("east", "done"),
    ]
    assert (verify(path).flaw, verify(path).lines) == (None, 4)


@pytest.mark.parametrize(
    ("outcome", "is_over"), [("failed: may be stored", False), ("repeated", False), ("done", True)]
)
def test_a_line_whose_action_is_over_is_not_taken_back(
    path: Path, monkeypatch: pytest.MonkeyPatch, outcome: str, is_over: bool
) -> None:
    log = AuditLog.open(path)
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(AuditFailed, match="No space left on device"):
            log.append(replace(ENTRY, outcome=outcome), is_over=is_over)
    log.append(ENTRY)
    log.close()
    assert [json.loads(line)["outcome"] for line in path.read_text().splitlines()] == [outcome, "done"]


def test_what_was_done_on_the_machine_is_not_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(AuditFailed), audited(tmp_path, "restore database", "one.backup"):
        monkeypatch.setattr(os, "fsync", full)
    lines = (tmp_path / "audit.jsonl").read_text().splitlines()
    assert [json.loads(line)["outcome"] for line in lines] == ["begun", "done"]


def test_a_closed_log_refuses(path: Path) -> None:
    log = AuditLog.open(path)
    log.close()
    with pytest.raises(AuditFailed, match="Bad file descriptor"):
        log.append(ENTRY)


def test_lines_that_are_written_in_part_refuse_and_do_not_spoil_the_next(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = AuditLog.open(path)
    write_all = os.write
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", lambda file, data: write_all(file, data[:9]))
        for _ in range(2):
            with pytest.raises(AuditFailed, match="only a part of the line was written"):
                log.append(ENTRY)
    log.append(ENTRY)
    log.close()
    last = json.loads(path.read_text().splitlines()[-1])
    assert (last["target"], verify(path).flaw, verify(path).lines) == ("north", None, 1)
