"""Which answers are kept to be given again."""

from sep2_server.kept import Asked


def test_a_key_is_known_from_its_second_time_on() -> None:
    asked = Asked(10)
    assert [asked.again(key) for key in ("a", "b", "a", "a", "b")] == [False, False, True, True, True]


def test_of_many_keys_the_latest_are_known_and_the_number_is_bounded() -> None:
    asked = Asked(100)
    for key in range(1000):
        assert not asked.again(key)
        assert len(asked._late) + len(asked._early) <= 201
    assert all(asked.again(key) for key in range(900, 1000))
    assert not asked.again(1)
