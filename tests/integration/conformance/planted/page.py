"""The table of planted faults as a page of the documentation."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from conformance_tests import Role
from tests.integration.conformance.planted.row import Planted
from tests.integration.conformance.planted.table import EVERY, FAULTS, GENERATED

PAGE: Final = Path("docs/honesty.md")
TITLES: Final = {Role.SERVER: "Servers", Role.DER_CLIENT: "DER clients", Role.AGGREGATOR: "Aggregators"}
INTRODUCTION: Final = """# Honesty of the judge

A judge is worth something if it fails who does wrong, and nobody else. So our own server and client get
{number} faults, one at a time, and each must be caught by the cases that are named here for it, by a finding
that tells of it: {server} of servers, {client} of DER clients, {aggregator} of aggregators.
With no fault planted none of these cases fails. Both are tests: `test_honesty_*.py` in
`tests/integration/conformance`, with the table as data in its folder `planted`.

A fault is one of a real peer: what the running server answers or reads, or what the running client says,
understands and does, is changed as a server or client with the fault would have it. Verdicts are not touched.
`(warns)`: what is broken is a SHOULD, or the facts of the procedure count it as a warning; the case ends with
a warning, by which a run with `--strict` fails.

`make check` plays them all. `make test` plays those that generated cases catch ({families}), one of
{every} of the others but the longest, and the first of each kind that must be there, of servers and of
clients.

| kind | faults |
|---|---|
"""


def page() -> str:
    """The page, from the table."""
    roles = Counter(one.role for one in FAULTS)
    head = INTRODUCTION.format(
        number=len(FAULTS),
        server=roles[Role.SERVER],
        client=roles[Role.DER_CLIENT],
        aggregator=roles[Role.AGGREGATOR],
        families=", ".join(sorted(GENERATED)).replace(", lists", ",\nlists"),
        every=EVERY,
    )
    kinds = Counter(one.kind for one in FAULTS)
    lines = [f"| {kind} | {number} |" for kind, number in sorted(kinds.items())]
    return head + "\n".join([*lines, *(line for role in Role for line in _of(role))]) + "\n"


def _of(role: Role) -> Iterator[str]:
    yield from (
        "",
        f"## {TITLES[role]}",
        "",
        "| switch | kind | what is broken | caught by |",
        "|---|---|---|---|",
    )
    for one in FAULTS:
        if one.role is role:
            yield f"| `{one.name}` | {one.kind} | {one.broken} | {_cases(one)} |"


def _cases(one: Planted) -> str:
    return ", ".join(f"`{case}`" for case in one.cases) + (" (warns)" if one.warns else "")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
