"""Modes of CSIP-AUS on the command line: limits of a site and a device, targets of a storage."""

from collections.abc import Callable
from typing import Any

import pytest

from schemas import Codec, DefaultDERControl, DERControl, csip_aus
from sep2_server import ManualClock
from sep2_server.messages import Answer
from sep2_server.operator import OperatorClient
from sep2_server.operator.commands import rows_of

LFDI = "3E4F45AB31EDFE5B67E343E5E4562E31984E23E5"
LIMITS = ("opModExpLimW", "opModImpLimW", "opModGenLimW", "opModLoadLimW")
TARGET = "opModStorageTargetW"
ALL = (*LIMITS, TARGET)
OPTIONS = {
    "--exp-lim-w": "opModExpLimW",
    "--imp-lim-w": "opModImpLimW",
    "--gen-lim-w": "opModGenLimW",
    "--load-lim-w": "opModLoadLimW",
    "--storage-w": TARGET,
}
GOOD = {
    "5kW": ("5000 W", (5000, 0)),
    "5 kW": ("5000 W", (5000, 0)),
    "0W": ("0 W", (0, 0)),
    "1.5 MW": ("1500000 W", (15_000, 2)),
    "50kW": ("50000 W", (5000, 1)),
    "0.001 W": ("0.001 W", (1, -3)),
    '{"multiplier": 4, "value": 5}': ("50000 W", (5, 4)),
}
"""What is written, what the API tells, value and power of ten on the wire."""
BAD = {
    "5": "is not an object",
    "5.5": "is not an object",
    "kW": "cannot be read",
    "5 kvar": "cannot be read",
    "50%": "cannot be read",
    "true": "is not an object",
    "123456.789 W": "cannot be read",
    "99999999999999 W": "cannot be read",
    '{"value": 5}': "multiplier: missing",
    '{"multiplier": 10, "value": 5}': "10 outside -9 to 9",
    '{"multiplier": 0, "value": 40000}': "40000",
    '{"multiplier": 0, "value": 5, "unit": "W"}': "has no such field",
}
Op = Callable[..., int]
Capture = pytest.CaptureFixture[str]
DeviceRequest = Callable[..., Answer]


@pytest.fixture
def beside() -> dict[str, object]:
    return {"profile": "csip_aus_v1.3"}


@pytest.fixture(autouse=True)
def _feeder(op: Op, capsys: Capture) -> None:
    assert op("enrol", "north", "--lfdi", LFDI, "--pin", "111115") == 0
    assert op("group", "create", "feeder-7", "--primacy", "7") == 0
    assert op("group", "add", "feeder-7", "north") == 0
    capsys.readouterr()


def wire(shown: Any, mode: str) -> tuple[int, int]:  # noqa: ANN401
    power = getattr(shown.DERControlBase_, mode)
    return power.value, power.multiplier


def seen(device_request: DeviceRequest, href: object, cls: type) -> object:
    """What a device of v1.3 reads."""
    return Codec(csip_aus.CSIP_AUS_V1_3).decode(device_request("GET", str(href)).body, cls)


@pytest.mark.parametrize("mode", ALL)
@pytest.mark.parametrize("written", list(GOOD))
def test_a_good_value_is_published_and_read(
    op: Op, api: OperatorClient, device_request: DeviceRequest, mode: str, written: str
) -> None:
    told, expected = GOOD[written]
    assert op("publish", "feeder-7", "--mode", f"{mode}={written}", "--for", "1h") == 0
    (row,) = rows_of(api.get("controls"), "controls")
    assert row["modes"] == {mode: told}
    assert wire(seen(device_request, row["href"], DERControl), mode) == expected


@pytest.mark.parametrize("mode", ALL)
@pytest.mark.parametrize("written", list(BAD))
def test_a_bad_value_is_refused_with_the_field_and_stored_nowhere(
    op: Op, api: OperatorClient, capsys: Capture, mode: str, written: str
) -> None:
    assert op("publish", "feeder-7", "--mode", f"{mode}={written}", "--for", "1h") == 2
    error = capsys.readouterr().err
    assert f"DERControlBase.{mode}" in error
    assert BAD[written] in error
    assert rows_of(api.get("controls"), "controls") == []


@pytest.mark.parametrize("mode", LIMITS)
@pytest.mark.parametrize("written", ["-5kW", "-0.5 W", '{"multiplier": 0, "value": -1}'])
def test_a_limit_is_a_magnitude(
    op: Op, api: OperatorClient, capsys: Capture, mode: str, written: str
) -> None:
    """CSIP-AUS 2.2: values are positive magnitudes; 0 is legal."""
    for words in (("publish", "feeder-7", "--for", "1h"), ("default", "feeder-7")):
        assert op(*words, "--mode", f"{mode}={written}") == 2
        assert f"DERControlBase.{mode}: " in capsys.readouterr().err
    assert rows_of(api.get("controls"), "controls") == []
    assert api.get("groups", "feeder-7", "default")["mRID"] is None


@pytest.mark.parametrize(
    ("written", "expected"), [("-5kW", (-5000, 0)), ('{"multiplier": 3, "value": -5}', (-5, 3))]
)
def test_a_storage_target_has_a_sign(
    op: Op, api: OperatorClient, device_request: DeviceRequest, written: str, expected: tuple[int, int]
) -> None:
    assert op("publish", "feeder-7", f"--mode={TARGET}={written}", "--for", "1h") == 0
    (row,) = rows_of(api.get("controls"), "controls")
    assert wire(seen(device_request, row["href"], DERControl), TARGET) == expected


@pytest.mark.parametrize("option", list(OPTIONS))
def test_each_mode_has_an_option_of_its_own(op: Op, api: OperatorClient, option: str) -> None:
    assert op("publish", "feeder-7", option, "5kW", "--for", "1h") == 0
    assert rows_of(api.get("controls"), "controls")[0]["modes"] == {OPTIONS[option]: "5000 W"}


def test_all_of_them_go_in_one_control(op: Op, api: OperatorClient, device_request: DeviceRequest) -> None:
    words = [word for mode in ALL for word in ("--mode", f"{mode}=1kW")]
    assert op("publish", "feeder-7", *words, "--max-w", "50%", "--for", "1h") == 0
    (row,) = rows_of(api.get("controls"), "controls")
    shown = seen(device_request, row["href"], DERControl)
    assert {mode: wire(shown, mode) for mode in ALL} == dict.fromkeys(ALL, (1000, 0))


@pytest.mark.parametrize("mode", ALL)
def test_a_default_holds_them_and_keeps_the_others(
    op: Op, api: OperatorClient, device_request: DeviceRequest, capsys: Capture, mode: str
) -> None:
    assert op("default", "feeder-7", "--max-w", "80%") == 0
    assert op("default", "feeder-7", "--mode", f"{mode}=2.5kW") == 0
    assert f"{mode}" in capsys.readouterr().out
    told = api.get("groups", "feeder-7", "default")["natural"]
    assert told == {"setGradW": "0.27 %/s", "opModMaxLimW": "80 %", mode: "2500 W"}
    program = rows_of(api.get("groups", "feeder-7"), "programs")[0]
    shown: Any = seen(device_request, f"{program['href']}/dderc", DefaultDERControl)
    assert wire(shown, mode) == (2500, 0)


@pytest.mark.parametrize("mode", ALL)
def test_a_control_is_changed_to_another_value(
    op: Op, api: OperatorClient, clock: ManualClock, mode: str
) -> None:
    assert op("publish", "feeder-7", "--mode", f"{mode}=1kW", "--in", "1h", "--for", "1h") == 0
    mrid = str(rows_of(api.get("controls"), "controls")[0]["mRID"])
    clock.advance(1)
    assert op("change", mrid, "--mode", f"{mode}=3kW") == 0
    clock.advance(3600)
    found = {str(row["modes"]): row["status"] for row in rows_of(api.get("controls"), "controls")}
    assert found == {f"{{'{mode}': '1000 W'}}": "superseded", f"{{'{mode}': '3000 W'}}": "active"}


class TestPlain:
    """A server whose profile has no extensions."""

    @pytest.fixture
    def beside(self) -> dict[str, object]:
        return {"profile": "csip"}

    @pytest.mark.parametrize("mode", ALL)
    def test_a_mode_that_the_profile_does_not_know_is_refused(
        self, op: Op, capsys: Capture, mode: str
    ) -> None:
        assert op("publish", "feeder-7", "--mode", f"{mode}=5kW", "--for", "1h") == 2
        assert f"DERControlBase.{mode}: DERControlBase has no such field" in capsys.readouterr().err
