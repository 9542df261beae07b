"""Who a client is at the server: LFDI and SFDI of the certificate that it presents."""

from pathlib import Path

from certs import CertsError, lfdi_of, sfdi_of
from der_client.discovery import Identity
from owner import SettingsError


def identity_of(certificate: Path) -> Identity:
    """Identity of the first certificate in a PEM file. SettingsError where there is none."""
    try:
        lfdi = lfdi_of(certificate.read_bytes())
    except (OSError, CertsError) as error:
        raise SettingsError(f"server.certificate: {certificate}: {error}") from error
    return Identity(lfdi=lfdi, sfdi=sfdi_of(lfdi))
