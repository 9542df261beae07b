"""Who a client is at the server: LFDI and SFDI of the certificate that it presents."""

from pathlib import Path

from cryptography import x509

from certs import lfdi_of, sfdi_of
from der_client.discovery import Identity
from der_client.errors import SettingsError


def identity_of(certificate: Path) -> Identity:
    """Identity of the first certificate in a PEM file. SettingsError where there is none."""
    try:
        own = x509.load_pem_x509_certificates(certificate.read_bytes())[0]
    except (OSError, ValueError) as error:
        raise SettingsError(f"server.certificate: {certificate}: {error}") from error
    lfdi = lfdi_of(own)
    return Identity(lfdi=lfdi, sfdi=sfdi_of(lfdi))
