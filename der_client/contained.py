"""What a driver raises, against its contract, or this program for one device: no trouble of the others."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

log = logging.getLogger(__name__)


@contextmanager
def contained(name: str, broke: Callable[[Exception], None], *, is_known: bool) -> Iterator[None]:
    """Tell `broke` what is raised inside, and go on after it; where it was raised is logged unless known."""
    try:
        yield
    except Exception as error:
        if not is_known:
            log.exception("%s: a fault of its driver, or of this program", name)
        broke(error)
