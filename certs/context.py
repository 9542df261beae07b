"""TLS contexts: the only module of the project that touches `ssl`.

IEEE 2030.5 contexts speak TLS 1.2 with ECDHE-ECDSA on P-256. CCM_8 has a short tag, which OpenSSL allows
at security level 0 only; the cipher list, the curve and `refuse_reason` hold the level that is meant.
"""

import ssl
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from certs.errors import NotThereError, RequestError, UnreadableError
from certs.identity import fingerprint_of

MANDATORY_SUITE: Final = "ECDHE-ECDSA-AES128-CCM8"
FURTHER_SUITE: Final = "ECDHE-ECDSA-AES128-GCM-SHA256"
CURVE: Final = "prime256v1"

OPENADR_SUITES: Final = ("ECDHE-ECDSA-AES128-SHA256", "AES128-SHA256")
"""What every OpenADR 2.0b VTN has, and a VEN at least one of. OpenADR 2.0b, R67."""
OPENADR_BETTER: Final = ("ECDHE+AESGCM", "ECDHE+CHACHA20")
"""What is offered before them outside of conformance tests."""

TlsVersion = ssl.TLSVersion
"""For offers elsewhere."""
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
    _trust_all(context, extra_trusted if allow_self_signed else ())
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
    _trust_all(context, extra_trusted)


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


class _JudgedObject(ssl.SSLObject):
    """TLS object whose handshake fails where the context does not want the peer's certificate."""

    def do_handshake(self) -> None:
        """Finish the handshake, and judge before any data goes out."""
        super().do_handshake()
        context = self.context
        if isinstance(context, PinningContext):
            context.judge(self.getpeercert(binary_form=True))


class PinningContext(ssl.SSLContext):
    """TLS context of one client of one server, which knows that server by its fingerprint."""

    sslobject_class = _JudgedObject
    fingerprint: str | None = None
    peer: bytes | None = None
    """The certificate of the last handshake, DER."""

    def judge(self, certificate: bytes | None) -> None:
        """Raise an SSLError for a certificate of another fingerprint than the one expected, if one is."""
        found = "" if certificate is None else fingerprint_of(certificate)
        if self.fingerprint is not None and found != self.fingerprint.upper():
            raise ssl.SSLError(1, f"the fingerprint of the server is {found}, not {self.fingerprint}")
        self.peer = certificate


def openadr_client_context(
    certificate: Path,
    key: Path,
    roots: Path,
    *,
    fingerprint: str | None = None,
    is_strict: bool = False,
    check_name: bool = True,
) -> PinningContext:
    """TLS context of a 2.0b VEN: it presents its own chain, and trusts the roots.

    With a `fingerprint` the VTN's certificate must have it too, before the first octet of a message goes
    out. `is_strict` offers TLS 1.2 and the two suites of the profile alone. CertsError for files that
    cannot be used. OpenADR 2.0b, R67.
    """
    context = PinningContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = check_name
    context.fingerprint = fingerprint
    _openadr(context, is_strict=is_strict)
    return _mutual(context, certificate, key, roots)


def openadr_server_context(
    own: Sequence[tuple[Path, Path]], roots: Path, *, is_strict: bool = False
) -> ssl.SSLContext:
    """TLS context of a 2.0b VTN: mutual, with certificates of both kinds, EC and RSA.

    `own` are files with a chain and its key. CertsError as above. OpenADR 2.0b, R67, R68.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _openadr(context, is_strict=is_strict)
    for certificate, key in own:
        _mutual(context, certificate, key, roots)
    return context


def _openadr(context: ssl.SSLContext, *, is_strict: bool) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if is_strict:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(":".join(OPENADR_SUITES if is_strict else (*OPENADR_BETTER, *OPENADR_SUITES)))


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What a TLS peer of a test offers: suites in the words of OpenSSL, curve, versions, and its chain.

    `certificate` and `key` are files, None for no certificate.
    """

    suites: str = f"{MANDATORY_SUITE}:{FURTHER_SUITE}"
    curve: str = CURVE
    least: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2
    most: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2
    certificate: Path | None = None
    key: Path | None = None


def probing_client_context(offer: Offer, roots: Path) -> ssl.SSLContext:
    """TLS context of a client that tests a server: it offers what it is told, right or wrong.

    The server is held against the roots all the same. CertsError for files that cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    return _offering(context, offer, roots)


def probing_server_context(offer: Offer, roots: Path) -> ssl.SSLContext:
    """TLS context of a server that tests a client: it offers what it is told, and wants a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.verify_mode = ssl.CERT_REQUIRED
    return _offering(context, offer, roots)


def _offering(context: ssl.SSLContext, offer: Offer, roots: Path) -> ssl.SSLContext:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # older versions are offered to see them refused
        context.minimum_version, context.maximum_version = offer.least, offer.most
    context.set_ciphers(f"{offer.suites}:@SECLEVEL=0")
    context.set_ecdh_curve(offer.curve)
    if offer.certificate is not None and offer.key is not None:
        _load_own(context, offer.certificate, offer.key)
    _load_roots(context, roots)
    return context


def _trust_all(context: ssl.SSLContext, paths: Sequence[Path]) -> None:
    """Let self-signed clients through the handshake from now on. IEEE 2030.5-2018, 6.11.7.3."""
    if paths:
        from certs.self_signed import trusted_encoding  # noqa: PLC0415 - loads the library of certificates

        for path in paths:
            context.load_verify_locations(cadata=trusted_encoding(path))


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


def _mutual(context: C, certificate: Path, key: Path, roots: Path) -> C:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    _load_own(context, certificate, key)
    _load_roots(context, roots)
    return context


def _load_own(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    _require_files(certificate, key)

    def refuse_to_ask() -> str:
        """OpenSSL would ask at the terminal, and a server would hang until somebody comes."""
        raise RequestError(f"{key}: the key is encrypted; wanted: one without a passphrase, mode 0600")

    try:
        context.load_cert_chain(certificate, key, refuse_to_ask)
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
