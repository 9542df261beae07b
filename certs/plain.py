"""Chains so plain that no rule of `refusal` can be broken, seen from their DER octets alone.

Most peers of a client are. Who is not, or may not be, is for `judged_peer`, which knows every form of a
certificate and says what is wrong. A client of plain peers saves the memory of the library for that.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Final

SEQUENCE, SET, INTEGER, BITS, OCTETS, OID = 0x30, 0x31, 0x02, 0x03, 0x04, 0x06
UTC_TIME, GENERALIZED_TIME, UTF8_STRING, PRINTABLE_STRING = 0x17, 0x18, 0x0C, 0x13
OTHER_NAME, DNS_NAME, IP_ADDRESS, EXTENSIONS, KEY_IDENTIFIER = 0xA0, 0x82, 0x87, 0xA3, 0x80
VERSION_3: Final = bytes.fromhex("a003020102")
ECDSA_WITH_SHA256: Final = bytes.fromhex("300a06082a8648ce3d040302")
P256_KEY: Final = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")
"""SubjectPublicKeyInfo of a point on P-256, up to its coordinates."""
COORDINATE_OCTETS: Final = 32
PRIME: Final = 2**256 - 2**224 + 2**192 + 2**96 - 1
CONSTANT: Final = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
IS_CA: Final = bytes.fromhex("30030101ff")
IS_CA_ABOVE: Final = bytes.fromhex("30060101ff0201")
"""BasicConstraints of a CA with a path length of one octet, which follows."""
NO_CA: Final = bytes.fromhex("3000")
CRITICAL: Final = bytes.fromhex("0101ff")
COUNTRY: Final = bytes.fromhex("0603550406")
LONGEST_NAME: Final = 64
SHORTEST_CHAIN, LONGEST_CHAIN = 2, 4
HOST: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-")
PRINTABLE: Final = HOST | frozenset(b" '()+,/:=?")


class _OtherwiseError(ValueError):
    """Not of the plain form."""


def is_plain(chain: Sequence[bytes]) -> bool:
    """Whether each certificate (DER) of a verified chain, the peer's own first, is of the plain form.

    P-256 keys, ECDSA with SHA-256, no extension outside the profile, a leaf that is no CA below CAs. False
    says nothing but that somebody else must look. IEEE 2030.5-2018, 6.11; CSIP COMM-004 D to G.
    """
    if not SHORTEST_CHAIN <= len(chain) <= LONGEST_CHAIN:
        return False
    try:
        return not _is_ca(chain[0]) and all(_is_ca(issuer) for issuer in chain[1:])
    except (KeyError, IndexError, ValueError):
        return False


def is_plain_certificate(encoded: bytes) -> bool:
    """Whether octets are one certificate of the plain form, of a CA or not."""
    try:
        _is_ca(encoded)
    except (KeyError, IndexError, ValueError):
        return False
    return True


def _is_ca(certificate: bytes) -> bool:
    """Whether a certificate of the plain form is one of a CA."""
    tbs, algorithm, signature = _parts(_whole(certificate, SEQUENCE), (SEQUENCE, SEQUENCE, BITS))
    _require(algorithm == ECDSA_WITH_SHA256)
    content = _inside(tbs)
    _require(content.startswith(VERSION_3))
    kinds = (INTEGER, SEQUENCE, SEQUENCE, SEQUENCE, SEQUENCE, SEQUENCE, EXTENSIONS)
    serial, signed, issuer, validity, subject, key, extensions = _parts(content[len(VERSION_3) :], kinds)
    _look_at_number(_inside(serial))
    _require(_inside(signature)[0] == 0)
    _require(signed == ECDSA_WITH_SHA256 and key.startswith(P256_KEY))
    _look_at_point(key[len(P256_KEY) :])
    for name in (issuer, subject):
        _look_at_name(name)
    for time in _values(_inside(validity)):
        _look_at_time(time)
    return _is_ca_by(_whole(_inside(extensions), SEQUENCE))


def _look_at_number(octets: bytes) -> None:
    """A positive number of at most 20 octets, none of them needless."""
    _require(0 < len(octets) <= 20 and int.from_bytes(octets, signed=True) > 0)
    _require(octets[0] != 0 or octets[1] >= 0x80)


def _look_at_point(point: bytes) -> None:
    """Coordinates on the curve P-256. NIST SP 800-186, 3.2.1.3."""
    _require(len(point) == 2 * COORDINATE_OCTETS)
    x, y = int.from_bytes(point[:COORDINATE_OCTETS]), int.from_bytes(point[COORDINATE_OCTETS:])
    _require(x < PRIME and y < PRIME and (y * y - x * x * x + 3 * x - CONSTANT) % PRIME == 0)


def _is_ca_by(extensions: bytes) -> bool:
    """Look at every extension; whether BasicConstraints say CA true."""
    found: dict[bytes, bytes] = {}
    for extension in _values(extensions):
        oid, *critical, value = _values(_whole(extension, SEQUENCE))
        _require(oid not in found and critical in ([], [CRITICAL]) and value[0] == OCTETS)
        found[oid] = _inside(value)
    is_ca = _says_ca(found.pop(BASIC_CONSTRAINTS, NO_CA))
    looks = IN_CA if is_ca else IN_LEAF
    for oid, value in found.items():
        looks[oid](value)
    return is_ca


def _says_ca(value: bytes) -> bool:
    if value == NO_CA:
        return False
    _require(value == IS_CA or (len(value) == 8 and value.startswith(IS_CA_ABOVE) and value[7] < 0x80))
    return True


def _look_at_name(name: bytes) -> None:
    for entry in _values(_inside(name)):
        oid, text = _parts(_whole(_whole(entry, SET), SEQUENCE), None)
        _look_at_oid(oid)
        content = _inside(text)
        _require(len(content) == 2 if oid == COUNTRY else 0 < len(content) <= LONGEST_NAME)
        is_utf8 = text[0] == UTF8_STRING and content.isascii()
        _require(is_utf8 or (text[0] == PRINTABLE_STRING and PRINTABLE.issuperset(content)))


def _look_at_time(time: bytes) -> None:
    text = _inside(time).decode("ascii")
    if time[0] == UTC_TIME:
        _require(len(text) == 13)
        datetime.strptime(text + "+0000", "%y%m%d%H%M%SZ%z")
    else:
        _require(time[0] == GENERALIZED_TIME and len(text) == 15 and text >= "2050")
        datetime.strptime(text + "+0000", "%Y%m%d%H%M%SZ%z")
    _require(text[:-1].isdigit() and text[-1] == "Z")


def _look_at_usage(value: bytes) -> None:
    """KeyUsage of one octet."""
    unused, bits = _whole(value, BITS)
    _require(unused < 8 and bits != 0 and bits & ((1 << unused) - 1) == 0)


def _look_at_identifier(value: bytes) -> None:
    _require(len(_whole(value, OCTETS)) > 0)


def _look_at_authority(value: bytes) -> None:
    _require(len(_whole(_whole(value, SEQUENCE), KEY_IDENTIFIER)) > 0)


def _look_at_policies(value: bytes) -> None:
    """CertificatePolicies without qualifiers, each once."""
    seen = [_whole(policy, SEQUENCE) for policy in _values(_whole(value, SEQUENCE))]
    _require(0 < len(seen) == len(set(seen)))
    for oid in seen:
        _look_at_oid(oid)


def _look_at_purposes(value: bytes) -> None:
    purposes = list(_values(_whole(value, SEQUENCE)))
    _require(bool(purposes))
    for oid in purposes:
        _look_at_oid(oid)


def _look_at_alternatives(value: bytes) -> None:
    """SubjectAltName of DNS names, IP addresses and other names."""
    names = list(_values(_whole(value, SEQUENCE)))
    _require(bool(names))
    for name in names:
        content = _inside(name)
        if name[0] == OTHER_NAME:
            oid, other = _parts(content, (OID, OTHER_NAME))
            _look_at_oid(oid)
            _require(len(list(_values(_inside(other)))) == 1)
        else:
            is_dns = name[0] == DNS_NAME and HOST.issuperset(content) and content != b""
            _require(is_dns or (name[0] == IP_ADDRESS and len(content) in {4, 16}))


def _look_at_oid(oid: bytes) -> None:
    """An object identifier of few octets, none of whose numbers is long or starts with a needless zero."""
    octets = _whole(oid, OID)
    _require(0 < len(octets) <= 20 and octets[-1] < 0x80)
    starts = [octets[0], *(after for before, after in pairwise(octets) if before < 0x80)]
    _require(0x80 not in starts)
    _require(all(len(run) < 4 for run in _long_runs(octets)))


def _long_runs(octets: bytes) -> list[bytes]:
    return bytes(1 if octet >= 0x80 else 0 for octet in octets).split(b"\0")


def _values(content: bytes) -> Iterator[bytes]:
    """The values that stand one after the other, each with its tag and length. ITU-T X.690, 10.1."""
    while content:
        end = _end(content)
        yield content[:end]
        content = content[end:]


def _end(content: bytes) -> int:
    """Where the first value ends."""
    size, start = content[1], 2
    _require(content[0] & 0x1F != 0x1F)
    if size >= 0x80:
        start += size - 0x80
        _require(3 <= start <= 4)
        size = int.from_bytes(content[2:start])
        _require(size >= (0x80, 0x100)[start - 3])
    _require(start + size <= len(content))
    return start + size


def _inside(value: bytes) -> bytes:
    """Content of a value that was cut out whole."""
    return value[2 if value[1] < 0x80 else value[1] - 0x80 + 2 :]


def _whole(content: bytes, tag: int) -> bytes:
    """Content of the one value that is there and has this tag."""
    _require(content[0] == tag and _end(content) == len(content))
    return _inside(content)


def _parts(content: bytes, tags: tuple[int, ...] | None) -> list[bytes]:
    """The values that are there, of these tags."""
    found = list(_values(content))
    _require(tags is None or tuple(value[0] for value in found) == tags)
    return found


def _require(is_so: bool) -> None:
    if not is_so:
        raise _OtherwiseError


BASIC_CONSTRAINTS: Final = bytes.fromhex("0603551d13")
IN_CA: Final[dict[bytes, Callable[[bytes], None]]] = {
    bytes.fromhex("0603551d23"): _look_at_authority,
    bytes.fromhex("0603551d0e"): _look_at_identifier,
    bytes.fromhex("0603551d0f"): _look_at_usage,
    bytes.fromhex("0603551d20"): _look_at_policies,
}
IN_LEAF: Final = IN_CA | {
    bytes.fromhex("0603551d25"): _look_at_purposes,
    bytes.fromhex("0603551d11"): _look_at_alternatives,
}
"""What a plain certificate may have beside BasicConstraints; KeyError for any other is for somebody else."""
