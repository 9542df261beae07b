"""What is done on the machine itself, without the API, is in the audit log too."""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from sep2_server.operator.audit import AUDIT_FILE, DONE, AuditLog, Entry
from sep2_server.operator.errors import AuditFailed, Refusal

WHO: Final = "console"
"""Who it was: somebody with a shell on this machine."""
BEGUN, FAILED = "begun", "failed"
DONE_ALL_THE_SAME: Final = "it was done, and the log says that it began; free disk space before you go on"


@contextmanager
def audited(folder: Path, action: str, target: str) -> Iterator[None]:
    """Write a line before an action and one after it, which says how it ended.

    AuditFailed: it is not done, or its hint says that it was. `folder` is that of tokens and audit log.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with closing(AuditLog.open(folder / AUDIT_FILE)) as log:
        log.append(_entry(action, target, BEGUN))
        outcome = FAILED
        try:
            yield
            outcome = DONE
        except Refusal as flaw:
            outcome = f"refused: {flaw.error}"
            raise
        finally:
            _end(log, _entry(action, target, outcome))


def _end(log: AuditLog, entry: Entry) -> None:
    """Write how an action ended. Where that cannot be, what made it fail is still what is told."""
    try:
        log.append(entry, is_over=True)
    except AuditFailed as flaw:
        if entry.outcome == DONE:
            raise AuditFailed(flaw.detail, DONE_ALL_THE_SAME) from flaw


def _entry(action: str, target: str, outcome: str) -> Entry:
    return Entry(time=int(time.time()), who=WHO, action=action, target=target, outcome=outcome)
