"""What an earlier run kept under a name, read again; what cannot be read stops no start."""

import asyncio
import logging
from collections.abc import Callable
from typing import TypeVar

from der_client.kept import Memory

log = logging.getLogger(__name__)

T = TypeVar("T")


async def recalled(memory: Memory, name: str, read: Callable[[str | None], T]) -> T:
    """What was kept under a name; as if nothing was where it cannot be read."""
    text = await asyncio.to_thread(memory.recall, name)
    try:
        return read(text)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        log.warning("what was kept of %s cannot be read: %s", name, error)
        return read(None)
