"""A key that is encrypted is refused: nobody is asked for a passphrase while a server waits."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from certs import CertsError, OperatorTls, Pki, server_context


@pytest.mark.parametrize("kind", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
def test_an_encrypted_key_is_refused_at_once(
    tmp_path: Path, kind: PrivateFormat, capfd: pytest.CaptureFixture[str]
) -> None:
    own = Pki.create(tmp_path / "pki", 2).issue_server("server", hosts=["127.0.0.1"])
    plain = load_pem_private_key(own.key_path.read_bytes(), None)
    key = tmp_path / "key.pem"
    key.write_bytes(plain.private_bytes(Encoding.PEM, kind, BestAvailableEncryption(b"secret")))
    with pytest.raises(CertsError, match=r"key\.pem: the key is encrypted"):
        server_context(own.certificate_path, key, own.root_path)
    with pytest.raises(CertsError, match=r"key\.pem: the key is encrypted"):
        OperatorTls(own.certificate_path, key)
    assert "pass phrase" not in "".join(capfd.readouterr())
