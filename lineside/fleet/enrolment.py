"""Enrolment of a fleet by a command of the operator of the server under test."""

from __future__ import annotations

import secrets
import shlex
import subprocess
from typing import TYPE_CHECKING

from certs import make_pin

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from lineside.fleet.identities import Identity


class EnrolmentError(Exception):
    """The operator's command failed; the text says which and what it wrote."""


def enrol(command: str, identities: Sequence[Identity], csv: Path | None) -> None:
    """Run a command once where it names {csv}, else for each device. EnrolmentError."""
    for arguments in _commands(command, identities, csv):
        try:
            done = subprocess.run(arguments, capture_output=True, text=True, check=False)  # noqa: S603
        except OSError as flaw:
            raise EnrolmentError(f"{shlex.join(arguments)}: {flaw}") from flaw
        if done.returncode:
            raise EnrolmentError(f"{shlex.join(arguments)}: {(done.stderr or done.stdout).strip()[:500]}")


def _commands(command: str, identities: Sequence[Identity], csv: Path | None) -> Iterator[list[str]]:
    words = shlex.split(command)
    if "{csv}" in command:
        yield [word.replace("{csv}", str(csv or "")) for word in words]
        return
    for identity in identities:
        known = {
            "{name}": identity.name,
            "{lfdi}": identity.lfdi,
            "{sfdi}": str(identity.sfdi),
            "{certificate}": str(identity.certificate),
            "{pin}": str(make_pin(secrets.randbelow)),
        }
        yield [_filled(word, known) for word in words]


def _filled(word: str, known: dict[str, str]) -> str:
    for mark, value in known.items():
        word = word.replace(mark, value)
    return word
