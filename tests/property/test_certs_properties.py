"""Laws of identifiers, hardware names and certificates of strangers, for any value at all."""

import warnings
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.utils import CryptographyDeprecationWarning
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from certs import identity
from certs.describe import describe
from certs.errors import HardwareNameError, IdentifierError, UnreadableError
from certs.findings import Kind
from certs.hardware import HardwareModuleName
from certs.profile import check, kind_of
from certs.reading import chain_of
from certs.refusal import path_findings, refusal
from tests.inputs import inputs

LFDIS = st.binary(min_size=20, max_size=20).map(lambda octets: identity.LFDI(octets.hex().upper()))
ARCS = st.lists(st.integers(0, 2**64), max_size=8)
OIDS = st.one_of(
    st.tuples(st.integers(0, 1), st.integers(0, 39), ARCS), st.tuples(st.just(2), st.integers(0, 2**64), ARCS)
).map(lambda parts: ".".join(str(arc) for arc in (parts[0], parts[1], *parts[2])))
NAMES = st.builds(HardwareModuleName, hwType=OIDS, hwSerialNum=st.binary(min_size=1, max_size=300))


@given(st.integers(0, 10**30))
def test_a_check_digit_makes_the_digit_sum_a_multiple_of_ten(number: int) -> None:
    digit = identity.check_digit(number)
    assert 0 <= digit <= 9
    assert sum(map(int, f"{number}{digit}")) % 10 == 0


@given(st.integers(0, 2**36 - 1), st.integers(1, 9))
def test_exactly_one_last_digit_makes_a_valid_sfdi(top: int, off: int) -> None:
    sfdi = 10 * top + identity.check_digit(top)
    assert identity.is_valid_sfdi(sfdi)
    assert not identity.is_valid_sfdi(10 * top + (identity.check_digit(top) + off) % 10)


@given(LFDIS)
def test_every_lfdi_has_a_valid_sfdi_of_twelve_digits(lfdi: identity.LFDI) -> None:
    sfdi = identity.sfdi_of(lfdi)
    assert identity.is_valid_sfdi(sfdi)
    assert int(identity.sfdi_dnssd(sfdi)) == sfdi
    assert identity.display_sfdi(sfdi).replace("-", "") == identity.sfdi_dnssd(sfdi)
    assert sfdi // 10 == int(lfdi, 16) >> 124


@given(LFDIS)
def test_an_lfdi_survives_display_and_case(lfdi: identity.LFDI) -> None:
    assert identity.parse_lfdi(identity.display_lfdi(lfdi).replace("-", "").lower()) == lfdi


@given(st.text(max_size=60))
def test_any_text_is_an_lfdi_or_refused(text: str) -> None:
    with suppress(IdentifierError):
        assert identity.parse_lfdi(text) == text.upper()


@given(st.integers(0, 99_999))
def test_a_code_makes_the_same_pin_as_text_and_as_number(code: int) -> None:
    pin = identity.pin_with_check(code)
    assert pin == identity.pin_with_check(f"{code:05d}")
    assert pin // 10 == code
    assert identity.is_valid_pin(pin)


@given(NAMES)
def test_a_hardware_module_name_survives_der(name: HardwareModuleName) -> None:
    assert HardwareModuleName.from_der(name.to_der()) == name


@given(st.lists(st.integers(0, 2**32), max_size=5))
def test_object_identifiers_are_encoded_as_the_library_does(arcs: list[int]) -> None:
    oid = ".".join(str(arc) for arc in (1, 3, *arcs))
    encoded_by_the_library = x509.ExtendedKeyUsage([x509.ObjectIdentifier(oid)]).public_bytes()
    assert HardwareModuleName(hwType=oid, hwSerialNum=b"1").to_der()[2:-3] == encoded_by_the_library[2:]


@given(
    st.one_of(st.binary(max_size=200), NAMES.map(HardwareModuleName.to_der)),
    st.integers(0, 400),
    st.integers(0, 255),
)
def test_octets_are_a_name_in_one_form_only_or_refused(encoded: bytes, place: int, octet: int) -> None:
    garbled = encoded[:place] + bytes([octet]) + encoded[place + 1 :]
    with suppress(HardwareNameError):
        assert HardwareModuleName.from_der(garbled).to_der() == garbled


@given(st.binary(max_size=300))
def test_bytes_that_are_no_certificate_are_unreadable(encoded: bytes) -> None:
    with pytest.raises(UnreadableError):
        chain_of(encoded)


@settings(max_examples=inputs(400), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    edits=st.lists(st.tuples(st.integers(0, 411), st.integers(0, 255)), min_size=1, max_size=4),
    kind=st.sampled_from(Kind),
)
def test_a_garbled_certificate_is_unreadable_or_checked_and_nothing_else(
    vectors: Path, edits: list[tuple[int, int]], kind: Kind
) -> None:
    encoded = bytearray((vectors / "certs" / "epri_pti_dev.x509.der").read_bytes())
    root = chain_of((vectors / "certs" / "epri_csep_root.pem").read_bytes())[0]
    for place, octet in edits:
        encoded[place] = octet
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        try:
            chain = (*chain_of(bytes(encoded)), root)
        except UnreadableError:
            return
        assert all(finding.clause for finding in (*check(chain[0], kind), *path_findings(chain)))
        assert describe(chain[0])[0] == f"kind        {kind_of(chain[0])}"
        assert refusal(chain) is None or str(refusal(chain)).startswith("error: ")
