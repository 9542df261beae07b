"""HardwareModuleName: RFC 4108, 5, in DER."""

from pathlib import Path

import pytest

from certs.anatomy import hardware_module_name
from certs.errors import HardwareNameError
from certs.hardware import HardwareModuleName
from certs.reading import certificate_of

REAL = bytes.fromhex("3013060b2b0601040182a3020d01010404ff150032")


def test_the_name_in_a_real_certificate_is_read(vectors: Path) -> None:
    certificate = certificate_of((vectors / "certs" / "epri_pti_dev.x509.der").read_bytes())
    wanted = HardwareModuleName(hwType="1.3.6.1.4.1.37250.13.1.1", hwSerialNum=bytes.fromhex("FF150032"))
    assert hardware_module_name(certificate) == wanted


def test_a_name_is_written_as_the_real_one() -> None:
    name = HardwareModuleName(hwType="1.3.6.1.4.1.37250.13.1.1", hwSerialNum=bytes.fromhex("FF150032"))
    assert name.to_der() == REAL


@pytest.mark.parametrize(
    ("oid", "der"), [("0.0", "060100"), ("1.39", "06014f"), ("2.40", "060178"), ("2.999.3", "0603883703")]
)
def test_the_first_two_numbers_of_an_oid_share_an_octet(oid: str, der: str) -> None:
    name = HardwareModuleName(hwType=oid, hwSerialNum=b"\x01")
    assert bytes.fromhex(der) in name.to_der()
    assert HardwareModuleName.from_der(name.to_der()) == name


@pytest.mark.parametrize("octets", [1, 127, 128, 255, 256, 65_535])
def test_serial_numbers_of_every_length_survive(octets: int) -> None:
    name = HardwareModuleName(hwType="1.3.6.1.4.1.32473", hwSerialNum=b"s" * octets)
    assert HardwareModuleName.from_der(name.to_der()) == name


@pytest.mark.parametrize("octets", [0, 65_536])
def test_a_serial_number_of_no_or_too_many_octets_is_refused(octets: int) -> None:
    with pytest.raises(HardwareNameError, match=f"hwSerialNum: {octets} octets, not 1 to 65535"):
        HardwareModuleName(hwType="1.3.6.1", hwSerialNum=b"s" * octets)


@pytest.mark.parametrize(
    "oid", ["", "1", "3.1", "1.40", "0.40", "1.3.06", "1.3.", "a.b", "1..3", "1.3.6\n", "1.-3"]
)
def test_text_that_is_no_oid_is_refused(oid: str) -> None:
    with pytest.raises(HardwareNameError, match="hwType: "):
        HardwareModuleName(hwType=oid, hwSerialNum=b"1")


@pytest.mark.parametrize(
    ("encoded", "says"),
    [
        (b"", "no value with tag 0x30"),
        (b"\x30", "no value with tag 0x30"),
        (b"\x31" + REAL[1:], "no value with tag 0x30"),
        (REAL + b"\x00", "octets follow its end"),
        (REAL[:-1], "the length of the value with tag 0x30 is wrong"),
        (b"\x30\x81\x13" + REAL[2:], "the length of the value with tag 0x30 is wrong"),
        (b"\x30\x80" + REAL[2:] + b"\x00\x00", "the length of the value with tag 0x30 is wrong"),
        (b"\x30\xff" + REAL[2:], "the length of the value with tag 0x30 is wrong"),
        (bytes.fromhex("30080603800101040101"), "a number starts with a needless zero"),
        (bytes.fromhex("300706022b81040101"), "cut short"),
        (bytes.fromhex("30050600040101"), "cut short"),
        (bytes.fromhex("300506012b0400"), "hwSerialNum: 0 octets"),
        (bytes.fromhex("300806012b0401010500"), "octets follow its end"),
        (bytes.fromhex("300606012b050101"), "no value with tag 0x04"),
    ],
)
def test_octets_that_are_no_name_are_refused(encoded: bytes, says: str) -> None:
    with pytest.raises(HardwareNameError, match=says):
        HardwareModuleName.from_der(encoded)
