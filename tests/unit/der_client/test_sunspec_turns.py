"""Who gets a bus next."""

from der_client.sunspec.turns import Silence, Turns, Urgency


def taken(turns: Turns[str], count: int) -> list[str | None]:
    return [turns.take() for _ in range(count)]


def test_writes_go_before_reads_and_those_before_the_reads_of_others() -> None:
    turns: Turns[str] = Turns()
    turns.add(1, Urgency.GUEST, "guest")
    turns.add(1, Urgency.READ, "read")
    turns.add(2, Urgency.WRITE, "write")
    assert taken(turns, 4) == ["write", "read", "guest", None]


def test_units_take_turns_and_each_keeps_its_own_order() -> None:
    turns: Turns[str] = Turns()
    turns.add(1, Urgency.READ, "one 0")
    turns.add(1, Urgency.READ, "one 1")
    turns.add(1, Urgency.READ, "one 2")
    turns.add(2, Urgency.READ, "two 0")
    turns.add(3, Urgency.READ, "three 0")
    assert taken(turns, 5) == ["one 0", "two 0", "three 0", "one 1", "one 2"]


def test_requests_of_one_unit_can_be_dropped() -> None:
    turns: Turns[str] = Turns()
    turns.add(1, Urgency.READ, "read")
    turns.add(1, Urgency.WRITE, "write")
    turns.add(2, Urgency.READ, "other")
    assert turns.drop(1) == ["write", "read"]
    assert taken(turns, 2) == ["other", None]


def test_all_requests_can_be_dropped() -> None:
    turns: Turns[str] = Turns()
    turns.add(1, Urgency.READ, "one")
    turns.add(2, Urgency.READ, "two")
    assert turns.drop() == ["one", "two"]
    assert not turns


def test_silent_unit_rests_for_longer_each_time_up_to_a_bound() -> None:
    silence = Silence(0.5, 3.0)
    assert [silence.missed(7, now) for now in (0.0, 1.0, 3.0, 6.0)] == [0.5, 1.0, 2.0, 3.0]
    assert silence.remaining_s(7, 6.0) == 3.0
    assert silence.remaining_s(7, 9.0) == 0.0


def test_unit_that_answers_is_trusted_at_once() -> None:
    silence = Silence(0.5, 3.0)
    silence.missed(7, 0.0)
    silence.missed(8, 0.0)
    silence.answered(7)
    assert (silence.remaining_s(7, 0.0), silence.remaining_s(8, 0.0)) == (0.0, 0.5)
    assert silence.missed(7, 1.0) == 0.5
