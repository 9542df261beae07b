"""A run that nobody played: cases and verdicts as values, with everything that a report has to show."""

from conformance_tests import (
    AnyCase,
    Case,
    Evidence,
    Exchange,
    Finding,
    Level,
    Note,
    Outcome,
    Role,
    Run,
    TlsFacts,
    Verdict,
)

BEGUN_S = 1_800_000_000.0
XML = b'<Time xmlns="urn:ieee:std:2030.5:ns"><currentTime>5</currentTime></Time>'


async def nothing(bench: object) -> None:
    return None


def case_of(number: int, family: str = "csip", level: Level = Level.MUST) -> AnyCase:
    return Case(
        id=f"{family}/MADE-{number:03}/server",
        title=f"case {number}",
        source="a source",
        clause=f"clause {number % 7}",
        requirement="what must be <so>",
        role=Role.SERVER,
        level=level,
        procedure=nothing,
    )


def exchange_of(body: bytes = XML, **given: object) -> Exchange:
    values: dict[str, object] = {
        "at_s": BEGUN_S + 1,
        "by": "device",
        "method": "GET",
        "uri": "https://[::1]:1/tm?s=0&l=1",
        "request_headers": (("Accept", "application/sep+xml"),),
        "status": 200,
        "headers": (("Content-Type", "application/sep+xml"),),
        "body": body,
        "octets": len(body),
        "took_s": 0.004,
        "tls": TlsFacts(version="TLSv1.2", suite="ECDHE-ECDSA-AES128-CCM8", chain=("CN=server", "CN=root")),
        **given,
    }
    return Exchange(**values)  # type: ignore[arg-type]  # the values are those of an exchange


def verdict_of(case: AnyCase, outcome: Outcome, *exchanges: Exchange, reason: str = "") -> Verdict:
    held = outcome is Outcome.PASSED
    return Verdict(
        case=case.id,
        outcome=outcome,
        reason=reason,
        findings=(Finding(held=held, what="the answer is 200", seen="404 <b>", clause="4.5", exchange=0),),
        evidence=Evidence(exchanges=list(exchanges), notes=[Note(at_s=BEGUN_S + 2, text="waited")]),
        at_s=BEGUN_S,
        took_s=0.25,
    )


def run_of(pairs: list[tuple[AnyCase, Verdict]], *, complete: bool = True) -> Run:
    return Run(
        role="server",
        profile="csip",
        facts={"address": "https://[::1]:1/dcap", "certificate": "CN=<device>"},
        begun_s=BEGUN_S,
        ended_s=BEGUN_S + 75 if complete else None,
        complete=complete,
        cases=[case for case, _ in pairs],
        verdicts={case.id: verdict for case, verdict in pairs},
    )


def one_of_each() -> Run:
    """A run in which each outcome is there once, in the order of the enumeration."""
    pairs = []
    for number, outcome in enumerate(Outcome):
        case = case_of(number, "csip" if number < 3 else "tls")
        pairs.append(
            (case, verdict_of(case, outcome, exchange_of(), reason=f"because of {outcome.value} & <i>"))
        )
    return run_of(pairs)
