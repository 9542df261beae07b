"""Whether a device is what it was: firmware and model against the last time. Interlock 30. Pure."""

import json
from dataclasses import dataclass
from typing import Final

from der_client.device import Nameplate

UNVERIFIED: Final = "firmware or model changed"
"""Name of the interlock; an operator who resets it accepts the device as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """The identity that is known, and whether a changed one waits: for a second scan, or for an operator."""

    known: tuple[str, str, str] | None = None
    found: Nameplate | None = None
    needs_operator: bool = False

    @property
    def is_pending(self) -> bool:
        """True while nothing may be written."""
        return self.found is not None

    @property
    def needs_scan(self) -> bool:
        """True where a second scan decides."""
        return self.found is not None and not self.needs_operator

    def after(self, plate: Nameplate) -> "Verified":
        """The verdict after a scan: new firmware of the same model must read the same twice."""
        identity = (plate.manufacturer, plate.model, plate.version)
        if self.known is None or identity == self.known:
            return Verified(known=identity)
        if identity[:2] != self.known[:2]:
            return Verified(known=self.known, found=plate, needs_operator=True)
        if self.found is not None and self.found == plate:
            return Verified(known=identity)
        return Verified(known=self.known, found=plate)

    def accepted(self) -> "Verified":
        """The verdict of an operator who takes the device as it is."""
        if self.found is None:
            return self
        return Verified(known=(self.found.manufacturer, self.found.model, self.found.version))

    def to_text(self) -> str:
        """The identity that is known, as a text that survives a restart."""
        return json.dumps(self.known)


def verified_from(text: str | None) -> Verified:
    """What `to_text` wrote; nothing known for no text."""
    known = json.loads(text or "null")
    return Verified(known=(known[0], known[1], known[2]) if isinstance(known, list) else None)
