"""Where the resources of a stage are: at default paths, or where nobody can guess from them."""

from __future__ import annotations

import hashlib
from typing import Final

DCAP: Final = "/dcap"
"""The one path that a client is given."""


class Addresses:
    """Hrefs by default path; with a seed they say nothing of the standard's.

    The same seed gives the same hrefs; only DeviceCapability stays where it is.
    """

    def __init__(self, seed: str | None = None) -> None:
        self.seed = seed

    def of(self, path: str) -> str:
        """The href of a default path."""
        if self.seed is None or path == DCAP:
            return path
        digest = hashlib.sha256(f"{self.seed} {path}".encode()).hexdigest()
        return f"/{digest[:4]}/{digest[4:16]}"
