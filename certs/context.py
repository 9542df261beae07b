"""TLS contexts: the only module of the project that touches `ssl`.

IEEE 2030.5 contexts speak TLS 1.2 with ECDHE-ECDSA on P-256. CCM_8 has a short tag, which OpenSSL allows
at security level 0 only; the cipher list, the curve and `refuse_reason` hold the level that is meant.
"""

import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Final, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from certs import anatomy
from certs.errors import NotThereError, RequestError, UnreadableError
from certs.files import read_chain

MANDATORY_SUITE: Final = "ECDHE-ECDSA-AES128-CCM8"
FURTHER_SUITE: Final = "ECDHE-ECDSA-AES128-GCM-SHA256"
CURVE: Final = "prime256v1"

C = TypeVar("C", bound=ssl.SSLContext)
TlsContext = ssl.SSLContext
"""For annotations elsewhere."""
TlsError = ssl.SSLError
"""What a handshake fails with."""


class ResumingContext(ssl.SSLContext):
    """TLS context of one client that resumes the session of its last connection. RFC 5246, 7.3; RFC 5077.

    asyncio makes its TLS objects by `wrap_bio` and has no way to hand a session in.
    """

    _session: ssl.SSLSession | None = None

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        """A TLS object that offers the session which is remembered."""
        return super().wrap_bio(incoming, outgoing, server_side, server_hostname, session or self._session)

    def remember(self, connection: ssl.SSLObject) -> bool:
        """Offer the session of this connection from now on; True where that was resumed itself."""
        self._session = connection.session
        return bool(connection.session_reused)


def server_context(
    certificate: Path,
    key: Path,
    roots: Path,
    *,
    strict: bool = False,
    client_certificate_required: bool = True,
    allow_self_signed: bool = False,
    extra_trusted: Sequence[Path] = (),
) -> ssl.SSLContext:
    """TLS context of an IEEE 2030.5 server; call `refuse_reason` after each handshake.

    `certificate` is the file with the own chain (root left out), `roots` the file with every trusted root.
    `strict` offers CCM_8 alone. Without `client_certificate_required` a client may come without one.
    OpenSSL accepts a self-signed client only if it is trusted by itself: with `allow_self_signed` the
    certificates in the files `extra_trusted` are, as enrolled clients; otherwise they are left out.
    RequestError, NotThereError or UnreadableError for files that cannot be used. IEEE 2030.5-2018, 6.11.
    """
    context = _sep2_context(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), certificate, key, roots, strict=strict)
    context.verify_mode = ssl.CERT_REQUIRED if client_certificate_required else ssl.CERT_OPTIONAL
    context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE | ssl.OP_NO_RENEGOTIATION
    for path in extra_trusted if allow_self_signed else ():
        trust_self_signed(context, read_chain(path)[0])
    return context


def renew_server_context(
    context: ssl.SSLContext, certificate: Path, key: Path, roots: Path, extra_trusted: Sequence[Path] = ()
) -> None:
    """Let later handshakes present another chain and accept further roots; open connections live on.

    Try the files with `server_context` first: what fails here may leave the context with a part of the new.
    OpenSSL forgets no root; `refuse_reason` refuses those that `KnownIssuers` no longer trusts.
    """
    renew_own(context, certificate, key)
    _load_roots(context, roots)
    for path in extra_trusted:
        trust_self_signed(context, read_chain(path)[0])


def renew_own(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    """Let later handshakes present another chain; try the files with a new context first."""
    _load_own(context, certificate, key)


def client_context(certificate: Path, key: Path, roots: Path, *, strict: bool = False) -> ssl.SSLContext:
    """TLS context of an IEEE 2030.5 client, which presents its own chain and trusts the roots alone.

    Host names are not compared: a utility server is found by address or DNS-SD, and what makes it
    trustworthy is that its chain ends at a root the client was given. Call `refuse_reason` after the
    handshake. RequestError, NotThereError or UnreadableError as for `server_context`. IEEE 2030.5-2018, 6.11.
    """
    return _client(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), certificate, key, roots, strict=strict)


def resuming_client_context(
    certificate: Path, key: Path, roots: Path, *, strict: bool = False
) -> ResumingContext:
    """`client_context` of one client to one server, which resumes sessions: `remember` each handshake."""
    return _client(ResumingContext(ssl.PROTOCOL_TLS_CLIENT), certificate, key, roots, strict=strict)


def operator_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """TLS context of the operators' API: TLS 1.2 or later, no client certificates, no IEEE 2030.5 rules."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _load_own(context, certificate, key)
    return context


def operator_client_context(roots: Path | None = None) -> ssl.SSLContext:
    """TLS context of a client of the operators' API: compares host names, trusts `roots` or the system."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if roots is None:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    else:
        _load_roots(context, roots)
    return context


def modbus_server_context(certificate: Path, key: Path, roots: Path) -> ssl.SSLContext:
    """TLS context of a device that speaks Modbus/TCP Security: mutual, TLS 1.2 or later.

    CertsError for files that cannot be used. MODBUS/TCP Security Protocol Specification v36, 8.
    """
    return _mutual(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), certificate, key, roots)


def modbus_client_context(
    certificate: Path, key: Path, roots: Path, *, check_name: bool = False
) -> ssl.SSLContext:
    """TLS context of a client of such devices; with `check_name` theirs must be in the certificate.

    Without it a device is trusted because its chain ends at one of the roots: devices are found by address,
    which certificates seldom name. CertsError for files that cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = check_name
    return _mutual(context, certificate, key, roots)


def trust_self_signed(context: ssl.SSLContext, certificate: x509.Certificate) -> None:
    """Let a self-signed client through the handshake from now on; RequestError for a CA or an issued one.

    IEEE 2030.5-2018, 6.11.7.3.
    """
    if not anatomy.is_self_signed(certificate) or not anatomy.cannot_issue(certificate):
        raise RequestError("only a self-signed certificate that can sign no other is trusted by itself")
    context.load_verify_locations(cadata=certificate.public_bytes(Encoding.DER))


def _client(context: C, certificate: Path, key: Path, roots: Path, *, strict: bool) -> C:
    _sep2_context(context, certificate, key, roots, strict=strict)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def _sep2_context(context: C, certificate: Path, key: Path, roots: Path, *, strict: bool) -> C:
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    suites = (MANDATORY_SUITE,) if strict else (MANDATORY_SUITE, FURTHER_SUITE)
    context.set_ciphers(":".join((*suites, "@SECLEVEL=0")))
    context.set_ecdh_curve(CURVE)
    _load_own(context, certificate, key)
    _load_roots(context, roots)
    return context


def _mutual(context: ssl.SSLContext, certificate: Path, key: Path, roots: Path) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    _load_own(context, certificate, key)
    _load_roots(context, roots)
    return context


def _load_own(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    _require_files(certificate, key)
    try:
        context.load_cert_chain(certificate, key)
    except ssl.SSLError as error:
        raise RequestError(
            f"{certificate} and {key}: no certificate with its private key: {error}"
        ) from error


def _load_roots(context: ssl.SSLContext, roots: Path) -> None:
    _require_files(roots)
    try:
        context.load_verify_locations(roots)
    except ssl.SSLError as error:
        raise UnreadableError(f"{roots}: no PEM file of root certificates: {error}") from error


def _require_files(*paths: Path) -> None:
    for path in paths:
        if not path.is_file():
            raise NotThereError(f"{path}: no such file")
