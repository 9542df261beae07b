"""What can go wrong in this package.

CertsError
 +- IdentifierError       text or a number that is no LFDI, SFDI or PIN
 +- UnreadableError       bytes or a file that hold no certificate that can be read
 +- HardwareNameError     bytes, an OID or a serial number that make no HardwareModuleName
 +- AlreadyThereError     a file would be overwritten and nobody said force
 +- NotThereError         a folder holds no PKI, or a PKI has no certificate of that name
 +- RequestError          a name, host, depth or key that cannot be used
"""


class CertsError(Exception):
    """Anything this package refuses; the text says what is wrong and what is wanted."""


class IdentifierError(CertsError):
    """Text or a number that is no LFDI, SFDI or PIN."""


class UnreadableError(CertsError):
    """Bytes or a file that hold no certificate that can be read."""


class HardwareNameError(CertsError):
    """Bytes, an OID or a serial number that make no HardwareModuleName."""


class AlreadyThereError(CertsError):
    """A file would be overwritten and nobody said force."""


class NotThereError(CertsError):
    """A folder holds no PKI, or a PKI has no certificate of that name."""


class RequestError(CertsError):
    """A name, host, depth or key that cannot be used."""
