"""Clients that are trusted by themselves. IEEE 2030.5-2018, 6.11.7.3."""

from pathlib import Path

from certs import anatomy
from certs.errors import RequestError
from certs.files import read_chain
from certs.reading import encoding_of


def trusted_encoding(path: Path) -> bytes:
    """DER of the self-signed certificate in a file; RequestError for a CA or an issued one."""
    certificate = read_chain(path)[0]
    if not anatomy.is_self_signed(certificate) or not anatomy.cannot_issue(certificate):
        raise RequestError("only a self-signed certificate that can sign no other is trusted by itself")
    return encoding_of(certificate)
