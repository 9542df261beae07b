"""The judge of everything that our servers send has teeth."""

from tests.schema_judge import SchemaJudge

GOOD = b'<Error xmlns="urn:ieee:std:2030.5:ns"><reasonCode>1</reasonCode></Error>'


def test_judge_accepts_what_the_schema_accepts_and_counts_it_once() -> None:
    judge = SchemaJudge()
    judge.judge(GOOD)
    judge.judge(GOOD)
    judge.judge(None)
    assert (judge.count, judge.flaws) == (1, [])


def test_judge_keeps_what_breaks_the_schema() -> None:
    judge = SchemaJudge()
    judge.judge(GOOD.replace(b">1<", b">many<"))
    assert len(judge.flaws) == 1


def test_judge_leaves_extension_elements_to_their_own_schema() -> None:
    judge = SchemaJudge()
    judge.judge(GOOD.replace(b"</Error>", b'<x:y xmlns:x="urn:someone"/></Error>'))
    point = (
        b'<x:ConnectionPoint xmlns:x="https://csipaus.org/ns"><x:connectionPointId>1</x:connectionPointId>'
    )
    judge.judge(point + b"</x:ConnectionPoint>")
    assert (judge.count, judge.flaws) == (2, [])
