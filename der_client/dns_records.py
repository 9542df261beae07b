"""What the records of DNS-SD say of a server. Pure. IEEE 2030.5-2018 (discovery), RFC 6763."""

from collections.abc import Mapping
from typing import Final

SERVICE: Final = "_smartenergy._tcp.local."
HTTPS_PORT: Final = 443
SFDI_DIGITS: Final = 12


def types_for(sfdi: int) -> tuple[str, ...]:
    """What to browse for, the best first: servers where this device is registered, then any."""
    return f"_edev-{sfdi:0{SFDI_DIGITS}d}._sub.{SERVICE}", SERVICE


def uri_of(address: str, txt: Mapping[bytes, bytes | None]) -> str | None:
    """URI of DeviceCapability at an address; None for records of another version, or of a server without TLS.

    The key `https` is empty for port 443; `dcap` is a path with its leading slash.
    """
    path = (txt.get(b"dcap") or b"").decode(errors="replace")
    if txt.get(b"txtvers") != b"1" or not path.startswith("/") or b"https" not in txt:
        return None
    text = (txt[b"https"] or b"").decode(errors="replace")
    if text and not text.isdigit():
        return None
    port = int(text) if text else HTTPS_PORT
    host = f"[{address}]" if ":" in address else address
    return f"https://{host}{path}" if port == HTTPS_PORT else f"https://{host}:{port}{path}"
