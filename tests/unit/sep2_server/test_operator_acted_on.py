"""What an action was done to, in the words of its audit line."""

import pytest

from sep2_server.operator.acted_on import MOST, target_of
from sep2_server.operator.router import Answer, Call, Operation


def nothing(*_: object) -> Answer:
    return {}


OPERATION = Operation("POST", "/things", "do", nothing)
MANY = [f"d{number}" for number in range(100)]


@pytest.mark.parametrize(
    ("call", "answer", "target"),
    [
        (Call(now=0), None, "/things"),
        (Call(names={"group": "g"}, now=0), {"name": "g"}, "g"),
        (Call(names={"group": "g"}, body={"mRID": "AA"}, now=0), {"mRID": "BB"}, "g/BB"),
        (Call(body={"name": "north", "pIN": 111_115, "secret": "s"}, now=0), None, "north"),
        (Call(query={"href": "/tp/1"}, now=0), {"href": "/tp/1"}, "/things href=/tp/1"),
        (Call(now=0), {"href": "/tp/1"}, "/things href=/tp/1"),
        (Call(now=0), {"href": "/tp/1", "mRID": "BB"}, "BB"),
        (Call(body=[{}, {}], now=0), None, "/things items=2"),
        (Call(body={"host": 'a" group=b'}, now=0), None, '/things host="a\\" group=b"'),
        (Call(body={"group": {"a": 1}, "device": 5, "all": False}, now=0), None, "/things"),
        (Call(body={"add": [1, "a", {}]}, now=0), {"removed": ["a", "b c"]}, '/things add=a removed=a,"b c"'),
    ],
)
def test_a_target_names_what_was_meant(call: Call, answer: Answer | None, target: str) -> None:
    assert target_of(OPERATION, call, answer) == target


def test_a_target_is_bounded() -> None:
    told = target_of(OPERATION, Call(body={"add": MANY}, now=0))
    assert told.endswith("d18,d19,and 80 more")
    call = Call(query={"href": "x" * 1000}, body={"add": ["y" * 99] * 9}, now=0)
    assert len(target_of(OPERATION, call)) == MOST
