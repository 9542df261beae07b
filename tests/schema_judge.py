"""Judges every body that our servers send in the tests by the XML schema, apart from our own codec."""

from __future__ import annotations

from conformance_tests.judge import Judge


class SchemaJudge:
    """Counts the bodies that it has judged, and keeps what is wrong with any of them."""

    def __init__(self) -> None:
        self._judge = Judge()
        self._judged: set[bytes] = set()
        self.count = 0
        self.flaws: list[str] = []

    def judge(self, body: bytes | None) -> None:
        """Judge one body, where it was not judged before."""
        if not body or body in self._judged:
            return
        self._judged.add(body)
        self.count += 1
        judgement = self._judge.judge(body)
        if not judgement.ok:
            self.flaws.append(f"{judgement.words()}: {body[:300]!r}")
