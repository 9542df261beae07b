"""Who a device is: LFDI, SFDI and PIN, their check digit and their display forms.

Everything here is a pure function. Certificates come in as values, random numbers as an argument.
"""

import hashlib
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NewType

from certs.errors import IdentifierError
from certs.plain import is_plain_certificate
from certs.session import encodings_of

if TYPE_CHECKING:
    from cryptography import x509

LFDI = NewType("LFDI", str)

LFDI_OCTETS: Final = 20
FINGERPRINT_OCTETS: Final = 10
SFDI_BITS: Final = 36
SFDI_DIGITS: Final = 12
PIN_CODES: Final = 100_000

_LFDI_TEXT: Final = re.compile(r"[0-9A-Fa-f]{40}")
_PIN_TEXT: Final = re.compile(r"[0-9]{5}")


def lfdi_of(certificate: "x509.Certificate | bytes") -> LFDI:
    """Long-form device identifier: first 20 octets of the SHA-256 of the DER encoding, as 40 hex digits.

    Upper case. Bytes may be DER, or PEM whose first certificate counts. UnreadableError for bytes that hold
    no certificate. IEEE 2030.5-2018, 6.3.4.
    """
    if isinstance(certificate, bytes):
        found = encodings_of(certificate) or (certificate,)
        if all(map(is_plain_certificate, found)):
            return lfdi_of_encoding(found[0])
    from certs.reading import encoding_of  # noqa: PLC0415 - loads the library of certificates

    return lfdi_of_encoding(encoding_of(certificate))


def lfdi_of_encoding(encoded: bytes) -> LFDI:
    """`lfdi_of` for the DER encoding of what is known to be a certificate. IEEE 2030.5-2018, 6.3.4."""
    return LFDI(hashlib.sha256(encoded).digest()[:LFDI_OCTETS].hex().upper())


def fingerprint_of(encoded: bytes) -> str:
    """Fingerprint of a DER certificate: last 10 octets of its SHA-256, upper-case hex with colons.

    The same hash as of an LFDI, but its other end. OpenADR 2.0b, security.
    """
    return hashlib.sha256(encoded).digest()[-FINGERPRINT_OCTETS:].hex(":").upper()


def parse_lfdi(text: str) -> LFDI:
    """LFDI that 40 hex digits of either case spell; IdentifierError for anything else.

    IEEE 2030.5-2018, 6.3.4.
    """
    if _LFDI_TEXT.fullmatch(text) is None:
        raise IdentifierError(f"LFDI: {text[:60]!r} is not 40 hexadecimal digits")
    return LFDI(text.upper())


def sfdi_of(lfdi: LFDI) -> int:
    """Short-form device identifier: first 36 bits of the LFDI in decimal, with a check digit appended.

    IEEE 2030.5-2018, 6.3.3.
    """
    top = int(lfdi[: SFDI_BITS // 4], 16)
    return 10 * top + check_digit(top)


def check_digit(number: int) -> int:
    """Digit 0 to 9 that makes the sum of all decimal digits a multiple of ten; IdentifierError below zero.

    IEEE 2030.5-2018, 6.3.3.
    """
    if number < 0:
        raise IdentifierError(f"check digit: {number} is negative")
    return -_digit_sum(number) % 10


def is_valid_sfdi(sfdi: int) -> bool:
    """Whether the number is 36 bits in decimal with the right check digit. IEEE 2030.5-2018, 6.3.3."""
    return 0 <= sfdi // 10 < 2**SFDI_BITS and _digit_sum(sfdi) % 10 == 0


def sfdi_dnssd(sfdi: int) -> str:
    """SFDI as DNS-SD names carry it: twelve decimal digits, zero-padded; IdentifierError if not valid.

    IEEE 2030.5-2018, 6.3.3.
    """
    if not is_valid_sfdi(sfdi):
        raise IdentifierError(
            f"SFDI: {sfdi} is not 36 bits and a digit that makes the digit sum a multiple of 10"
        )
    return f"{sfdi:0{SFDI_DIGITS}d}"


def display_lfdi(lfdi: LFDI) -> str:
    """LFDI for a person to read: ten groups of four digits, `3E4F-45AB-...`. IEEE 2030.5-2018, 6.3.4."""
    return "-".join(lfdi[start : start + 4] for start in range(0, len(lfdi), 4))


def display_sfdi(sfdi: int) -> str:
    """SFDI for a person to read: four groups of three digits, `167-261-211-391`.

    IdentifierError if it is not valid. IEEE 2030.5-2018, 6.3.3.
    """
    digits = sfdi_dnssd(sfdi)
    return "-".join(digits[start : start + 3] for start in range(0, SFDI_DIGITS, 3))


def pin_with_check(pin5: str | int) -> int:
    """PIN that a five-digit registration code makes with its check digit: 11111 gives 111115.

    Text must be exactly five decimal digits, a number 0 to 99999; IdentifierError otherwise
    (its text does not repeat the code, which is a secret). IEEE 2030.5-2018, 6.3.
    """
    if isinstance(pin5, str) and _PIN_TEXT.fullmatch(pin5) is None:
        raise IdentifierError("PIN: the code is not five decimal digits")
    code = int(pin5)
    if not 0 <= code < PIN_CODES:
        raise IdentifierError("PIN: the code is outside 00000 to 99999")
    return 10 * code + check_digit(code)


def is_valid_pin(pin: int) -> bool:
    """Whether the number is a five-digit code and its check digit (leading zeros vanish).

    IEEE 2030.5-2018, 6.3.
    """
    return 0 <= pin < 10 * PIN_CODES and _digit_sum(pin) % 10 == 0


def make_pin(random_below: Callable[[int], int]) -> int:
    """PIN drawn at random, with its check digit, every code equally likely.

    `random_below(n)` draws a whole number from 0 to n - 1: pass `secrets.randbelow`.
    """
    return pin_with_check(random_below(PIN_CODES))


def _digit_sum(number: int) -> int:
    return sum(int(digit) for digit in str(number))
