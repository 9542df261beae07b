"""Identity and TLS: LFDI, SFDI and PIN, certificate profiles, a PKI for labs and pilots, the TLS contexts."""

from certs.errors import CertsError
from certs.identity import (
    LFDI,
    display_lfdi,
    display_sfdi,
    is_valid_pin,
    is_valid_sfdi,
    lfdi_of,
    make_pin,
    parse_lfdi,
    pin_with_check,
    sfdi_dnssd,
    sfdi_of,
)

__all__ = [
    "LFDI",
    "CertsError",
    "display_lfdi",
    "display_sfdi",
    "is_valid_pin",
    "is_valid_sfdi",
    "lfdi_of",
    "make_pin",
    "parse_lfdi",
    "pin_with_check",
    "sfdi_dnssd",
    "sfdi_of",
]
