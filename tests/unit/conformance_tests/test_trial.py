"""What a case keeps as proof: within bounds, and of each finding the exchange that it is about."""

from conformance_tests import Trial
from tests.unit.conformance_tests.made_run import case_of, exchange_of

MOST, MOST_PROOFS = 400, 100


def looked_at(count: int, *wrong: int) -> Trial:
    """A case of so many exchanges, each with a finding; those that are `wrong` do not hold."""
    trial = Trial(case_of(1), lambda: 1.0)
    for number in range(count):
        trial.exchange(exchange_of(uri=f"/{number}"))
        trial.check(number not in wrong, f"GET of /{number}")
    return trial


def proofs(trial: Trial) -> dict[str, str | None]:
    """By what was looked at, the URI of its proof."""
    exchanges = trial.verdict(at_s=0.0).evidence.exchanges
    return {one.what: None if one.exchange is None else exchanges[one.exchange].uri for one in trial.findings}


def test_a_finding_is_proved_by_the_exchange_before_it_and_beyond_the_bound_by_none() -> None:
    trial = looked_at(MOST + 2)

    told = proofs(trial)
    assert [told[f"GET of /{number}"] for number in (0, MOST - 1, MOST, MOST + 1)] == [
        "/0",
        f"/{MOST - 1}",
        None,
        None,
    ]
    assert trial.evidence.dropped == 2


def test_beyond_the_bound_the_proof_of_what_does_not_hold_is_kept() -> None:
    trial = looked_at(MOST + 100, MOST + 50)
    trial.check(held=False, what="the same again")

    told = proofs(trial)
    assert told[f"GET of /{MOST + 50}"] == f"/{MOST + 50}"
    assert told["the same again"] == f"/{MOST + 99}"
    assert (len(trial.evidence.exchanges), trial.evidence.dropped) == (MOST + 2, 98)


def test_two_findings_of_one_exchange_beyond_the_bound_have_one_proof() -> None:
    trial = looked_at(MOST + 1, MOST)
    trial.check(held=False, what="another")
    trial.check(held=True, what="a third")

    told = proofs(trial)
    assert told["another"] == told["a third"] == f"/{MOST}"
    assert len(trial.evidence.exchanges) == MOST + 1


def test_proofs_have_a_bound_too() -> None:
    count = MOST + MOST_PROOFS + 50
    trial = looked_at(count, *range(count))

    assert (len(trial.evidence.exchanges), trial.evidence.dropped) == (MOST + MOST_PROOFS, 50)
    assert trial.findings[-1].exchange is None


def test_a_finding_before_any_exchange_has_no_proof() -> None:
    trial = Trial(case_of(1), lambda: 1.0)
    trial.check(held=False, what="nothing was asked")

    assert trial.findings[0].exchange is None
