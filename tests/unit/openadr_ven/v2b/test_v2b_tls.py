"""The TLS contexts of 2.0b, without a socket."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from certs import CertsError, TlsError, fingerprint_of, openadr_client_context, openadr_server_context
from certs.context import OPENADR_SUITES, TlsContext
from openadr_ven.v2b.http import HttpTransport
from tests.unit.openadr_ven.v2b.keys import Identity, identity


def files(folder: Path, who: Identity) -> tuple[Path, Path]:
    """Certificate and key of an identity as PEM files."""
    certificate, key = folder / f"{who.fingerprint}.pem", folder / f"{who.fingerprint}.key"
    certificate.write_bytes(who.pem)
    key.write_bytes(who.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return certificate, key


def suites(context: TlsContext) -> list[str]:
    return [one["name"] for one in context.get_ciphers() if one["protocol"] != "TLSv1.3"]


def test_r67_strict_profile_offers_the_two_suites_alone(tmp_path: Path) -> None:
    certificate, key = files(tmp_path, identity("ven"))

    client = openadr_client_context(certificate, key, certificate, is_strict=True)
    server = openadr_server_context([(certificate, key)], certificate, is_strict=True)

    assert sorted(suites(client)) == sorted(suites(server)) == sorted(OPENADR_SUITES)
    assert client.maximum_version == client.minimum_version


def test_r67_otherwise_better_suites_come_first_and_these_last(tmp_path: Path) -> None:
    certificate, key = files(tmp_path, identity("ven"))

    found = suites(openadr_client_context(certificate, key, certificate))

    assert "GCM" in found[0]
    assert found[-2:] == list(OPENADR_SUITES)


def test_fingerprint_is_the_last_ten_octets_of_the_hash_in_capitals_with_colons() -> None:
    """SHA-256 of `abc` is in FIPS 180-2, B.1."""
    assert fingerprint_of(b"abc") == "7A:9C:B4:10:FF:61:F2:00:15:AD"
    assert len(fingerprint_of(b"abc")) == 29


def test_server_of_another_fingerprint_is_refused(tmp_path: Path) -> None:
    certificate, key = files(tmp_path, identity("ven"))
    vtn = identity("vtn")
    context = openadr_client_context(certificate, key, certificate, fingerprint=vtn.fingerprint.lower())

    context.judge(vtn.der)
    assert context.peer == vtn.der
    with pytest.raises(TlsError, match="the fingerprint of the server is"):
        context.judge(identity("other").der)
    with pytest.raises(TlsError):
        context.judge(None)


def test_files_that_are_not_there_are_said_so(tmp_path: Path) -> None:
    certificate, key = files(tmp_path, identity("ven"))

    with pytest.raises(CertsError):
        openadr_client_context(certificate, key, tmp_path / "nothing.pem")


def test_timeout_below_five_seconds_is_not_taken() -> None:
    with pytest.raises(ValueError, match="less than"):
        HttpTransport("http://vtn", None, timeout_s=4.9)
