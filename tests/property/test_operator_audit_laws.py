"""Laws of the audit log: whatever is done to its lines is found."""

from hypothesis import given
from hypothesis import strategies as st

from sep2_server.operator.audit_chain import GENESIS, Entry, Head, Verdict, check, sha256_of

TEXT = st.text(max_size=12)


def chain(targets: list[str]) -> tuple[list[bytes], Head]:
    lines: list[bytes] = []
    prev = GENESIS
    for seq, target in enumerate(targets, 1):
        lines.append(Entry(time=seq, who="me", action="act", target=target, outcome="done").line(seq, prev))
        prev = sha256_of(lines[-1])
    return lines, Head(seq=len(lines), sha256=prev, size=sum(map(len, lines)))


def verdict(octets: bytes, head: Head) -> Verdict:
    return check([("log", octets.splitlines(keepends=True))], head)


@given(st.lists(TEXT, max_size=8))
def test_a_log_that_nobody_touched_holds(targets: list[str]) -> None:
    lines, head = chain(targets)
    assert verdict(b"".join(lines), head) == Verdict(lines=len(targets))


@given(st.lists(TEXT, min_size=1, max_size=6), st.data())
def test_a_changed_byte_is_found_at_its_line(targets: list[str], data: st.DataObject) -> None:
    lines, head = chain(targets)
    octets = bytearray(b"".join(lines))
    place = data.draw(st.integers(0, len(octets) - 1))
    octets[place] ^= data.draw(st.integers(1, 255))
    found = check([("log", [line + b"\n" for line in bytes(octets).split(b"\n")[:-1]])], head)
    end_is_gone = not octets.endswith(b"\n")
    number = bytes(b"".join(lines))[:place].count(b"\n") + 1
    assert found.flaw is not None
    assert end_is_gone or found.flaw.line == number


@given(st.lists(TEXT, min_size=1, max_size=6), st.data())
def test_a_removed_line_is_found(targets: list[str], data: st.DataObject) -> None:
    lines, head = chain(targets)
    del lines[data.draw(st.integers(0, len(lines) - 1))]
    assert verdict(b"".join(lines), head).flaw is not None


@given(st.lists(TEXT, min_size=2, max_size=6, unique=True), st.data())
def test_swapped_lines_are_found(targets: list[str], data: st.DataObject) -> None:
    lines, head = chain(targets)
    one = data.draw(st.integers(0, len(lines) - 2))
    two = data.draw(st.integers(one + 1, len(lines) - 1))
    lines[one], lines[two] = lines[two], lines[one]
    assert verdict(b"".join(lines), head).flaw is not None


@given(st.lists(TEXT, min_size=1, max_size=6), st.data())
def test_an_inserted_line_is_found(targets: list[str], data: st.DataObject) -> None:
    lines, head = chain(targets)
    foreign = st.one_of(
        st.sampled_from(lines), st.binary(max_size=20).map(lambda b: b.replace(b"\n", b"") + b"\n")
    )
    lines.insert(data.draw(st.integers(0, len(lines))), data.draw(foreign))
    assert check([("log", lines)], head).flaw is not None
