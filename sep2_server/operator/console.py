"""What is done on the machine itself, without the API, is in the audit log too."""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from sep2_server.operator.audit import AUDIT_FILE, DONE, AuditLog, Entry
from sep2_server.operator.errors import Refusal

WHO: Final = "console"
"""Who it was: somebody with a shell on this machine."""
BEGUN, FAILED = "begun", "failed"


@contextmanager
def audited(folder: Path, action: str, target: str) -> Iterator[None]:
    """Write a line before an action and one after it, which says how it ended. AuditFailed: it is not done.

    `folder` is that of the tokens and the audit log.
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
            log.append(_entry(action, target, outcome), is_over=True)


def _entry(action: str, target: str, outcome: str) -> Entry:
    return Entry(time=int(time.time()), who=WHO, action=action, target=target, outcome=outcome)
