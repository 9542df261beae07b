"""`lineside op` against a live server."""

import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from certs import Credentials
from schemas import (
    Codec,
    DateTimeInterval,
    DERControl,
    DERControlResponse,
    DERStatus,
    LogEvent,
    MirrorMeterReading,
    MirrorReadingSet,
    MirrorUsagePoint,
    Reading,
    ReadingType,
)
from sep2_server import ManualClock
from sep2_server.messages import Answer
from sep2_server.operator import OperatorClient, Site
from sep2_server.operator.commands import rows_of

LFDI = "3E4F45AB31EDFE5B67E343E5E4562E31984E23E5"
NOW = 1_700_000_000
Op = Callable[..., int]
Capture = pytest.CaptureFixture[str]
DeviceRequest = Callable[..., Answer]


@pytest.fixture
def feeder(op: Op, capsys: Capture) -> None:
    """Group feeder-7 with the device north."""
    assert op("enrol", "north", "--lfdi", LFDI, "--pin", "111115") == 0
    assert op("group", "create", "feeder-7", "--primacy", "7", "--description", "feeder 7") == 0
    assert op("group", "add", "feeder-7", "north") == 0
    capsys.readouterr()


def test_enrol_by_certificate_shows_the_pin_once(
    op: Op, capsys: Capture, device_credentials: Credentials
) -> None:
    words = ("enrol", "inverter", "--cert", str(device_credentials.certificate_path), "--post-rate", "60")
    assert op(*words) == 0
    first = capsys.readouterr().out
    assert op(*words) == 0
    second = capsys.readouterr().out
    assert device_credentials.lfdi in first
    assert first.endswith("note the pIN now: it is not shown again\n")
    assert "pIN" not in second


@pytest.mark.usefixtures("feeder")
def test_devices_are_a_table_that_fits_100_columns(op: Op, capsys: Capture) -> None:
    assert op("devices") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        "name   role            sFDI  lFDI                                      groups",
        f"north  device  167261211391  {LFDI}  feeder-7",
    ]


def test_more_devices_are_pointed_at(op: Op, capsys: Capture) -> None:
    for number in range(2):
        op("enrol", f"d{number}", "--lfdi", f"{number:040X}", "--pin", "111115")
    capsys.readouterr()
    assert op("devices", "--limit", "1") == 0
    assert capsys.readouterr().out.endswith("more behind: lineside op devices --after d0\n")


@pytest.mark.usefixtures("feeder")
def test_every_answer_is_there_as_json(op: Op, capsys: Capture) -> None:
    assert op("devices", "--json") == 0
    assert json.loads(capsys.readouterr().out)["devices"][0]["sFDI"] == 167_261_211_391


@pytest.mark.usefixtures("feeder")
def test_a_device_is_shown_with_its_reports(op: Op, capsys: Capture) -> None:
    assert op("device", "north") == 0
    out = capsys.readouterr().out
    assert "groups      feeder-7" in out
    assert " DERStatus: not reported" in out


@pytest.mark.usefixtures("feeder")
def test_a_control_is_published_listed_and_cancelled(op: Op, capsys: Capture, api: OperatorClient) -> None:
    words = ("--max-w", "50%", "--energize", "yes", "--ramp", "5 s", "--in", "10s", "--for", "5m")
    assert op("publish", "feeder-7", *words, "--randomize-duration", "30") == 0
    capsys.readouterr()
    mrid = str(rows_of(api.get("controls"), "controls")[0]["mRID"])
    assert op("controls") == 0
    header, line = capsys.readouterr().out.splitlines()
    assert header.split() == ["group", "status", "start", "duration", "modes", "mRID"]
    assert line.startswith("feeder-7  scheduled  2023-11-14 22:13:30Z       300  opModEnergiz…")
    assert line.endswith(f"  {mrid}")
    assert len(line) == 100
    assert op("cancel", mrid, "--randomized", "--reason", "storm is over") == 0
    assert "cancelled with randomization" in capsys.readouterr().out
    assert op("controls", "feeder-7", "--state", "active") == 0
    assert capsys.readouterr().out == "no controls: lineside op publish --help\n"


@pytest.mark.parametrize(
    ("words", "modes"),
    [
        (("--target-w", "5kW"), {"opModTargetW": "5000 W"}),
        (("--target-w=-2.5kW",), {"opModTargetW": "-2500 W"}),
        (("--fixed-w=-20%",), {"opModFixedW": "-20 %"}),
        (("--max-w", "5000"), {"opModMaxLimW": "50 %"}),
        (("--connect", "no"), {"opModConnect": False}),
        (("--pf", "0.95 under-excited"), {"opModFixedPFInjectW": "0.95 under-excited"}),
        (("--fixed-var", "30% setMaxVar"), {"opModFixedVar": "30 % setMaxVar"}),
        (("--mode", "opModTargetVar=2 kvar"), {"opModTargetVar": "2000 var"}),
        (("--mode", 'opModFixedVar={"refType": 1, "value": 5}'), {"opModFixedVar": "0.05 % setMaxW"}),
    ],
)
@pytest.mark.usefixtures("feeder")
def test_modes_are_given_as_options(
    op: Op, api: OperatorClient, words: tuple[str, ...], modes: dict[str, object]
) -> None:
    assert op("publish", "feeder-7", *words, "--for", "1h") == 0
    assert rows_of(api.get("controls"), "controls")[0]["modes"] == modes


@pytest.mark.usefixtures("feeder")
def test_a_control_is_changed_and_shown(
    op: Op, capsys: Capture, api: OperatorClient, clock: ManualClock
) -> None:
    op("publish", "feeder-7", "--max-w", "50%", "--at", str(NOW + 60), "--for", "5m")
    mrid = str(rows_of(api.get("controls"), "controls")[0]["mRID"])
    clock.advance(1)
    assert op("change", mrid, "--max-w", "25%", "--description", "less", "--responses", "07") == 0
    assert f"replaces     {mrid}" in capsys.readouterr().out
    assert op("control", mrid) == 0
    assert "start        2023-11-14 22:14:20Z" in capsys.readouterr().out


@pytest.mark.usefixtures("feeder")
def test_responses_are_shown_by_device(
    op: Op, capsys: Capture, api: OperatorClient, device_request: DeviceRequest
) -> None:
    op("publish", "feeder-7", "--max-w", "50%", "--for", "5m")
    row = rows_of(api.get("controls"), "controls")[0]
    control = Codec().decode(device_request("GET", str(row["href"])).body, DERControl)
    capsys.readouterr()
    assert op("responses", control.mRID) == 0
    assert capsys.readouterr().out == "no device has answered yet\n"
    answer = DERControlResponse(createdDateTime=NOW, endDeviceLFDI=LFDI, status=2, subject=control.mRID)
    device_request("POST", str(control.replyTo), answer)
    assert op("controls", "--responses") == 0
    assert capsys.readouterr().out.splitlines()[1].split()[-3:] == ["2", "1", control.mRID]
    assert op("responses", control.mRID, "--device", "north") == 0
    assert capsys.readouterr().out.splitlines()[1] == (
        f"north        2  started  2023-11-14 22:13:20Z  {LFDI}"
    )


@pytest.mark.usefixtures("feeder")
def test_a_default_is_set_and_shown(op: Op, capsys: Capture) -> None:
    assert op("default", "feeder-7") == 0
    assert capsys.readouterr().out == "no default is set\n"
    assert op("default", "feeder-7", "--max-w", "80%", "--set", "setGradW=5 %/s") == 0
    assert op("default", "feeder-7") == 0
    shown = "setGradW      5 %/s\nopModMaxLimW  80 %\n"
    assert capsys.readouterr().out == shown * 2


@pytest.mark.usefixtures("feeder")
def test_a_curve_is_added_followed_and_removed(op: Op, capsys: Capture, api: OperatorClient) -> None:
    words = ("92,44", "98,0", "102,0", "108,-44", "--type", "opModVoltVar", "--y-ref", "SET_MAX_VAR")
    assert op("curve", "add", "feeder-7", "volt-var A", "--set", "openLoopTms=5 s", *words) == 0
    capsys.readouterr()
    assert op("curve", "list", "feeder-7") == 0
    assert "volt-var A          11  92,44 98,0 102,0 108,-44" in capsys.readouterr().out
    assert op("publish", "feeder-7", "--volt-var", "volt-var A", "--for", "5m") == 0
    capsys.readouterr()
    curve = str(rows_of(api.get("groups", "feeder-7", "curves"), "curves")[0]["mRID"])
    assert op("curve", "remove", curve) == 1
    assert "follows the curve" in capsys.readouterr().err
    op("cancel", str(rows_of(api.get("controls"), "controls")[0]["mRID"]))
    assert op("curve", "remove", curve) == 0
    assert op("curve", "list", "feeder-7") == 0
    assert capsys.readouterr().out.endswith("the group has no curves\n")


@pytest.mark.usefixtures("feeder")
def test_groups_are_listed_shown_and_deleted(op: Op, capsys: Capture) -> None:
    assert op("group", "program", "feeder-7", "--primacy", "3", "--description", "second") == 0
    capsys.readouterr()
    assert op("group", "list") == 0
    rows = [line.split()[:4] for line in capsys.readouterr().out.splitlines()[1:]]
    assert rows == [["feeder-7", "3", "second", "1"], ["feeder-7", "7", "feeder", "7"]]
    assert op("group", "show", "feeder-7") == 0
    assert f"north  167261211391  {LFDI}" in capsys.readouterr().out
    assert op("group", "remove", "feeder-7", "north") == 0
    assert op("group", "delete", "feeder-7") == 0
    assert op("group", "list") == 0
    assert capsys.readouterr().out.endswith("no group yet: lineside op group create --help\n")


@pytest.mark.usefixtures("feeder")
def test_programs_of_all_groups_and_of_all_kinds_are_listed(op: Op, capsys: Capture) -> None:
    assert op("message", "send", "feeder-7", "hello", "--for", "5m") == 0
    capsys.readouterr()
    assert op("group", "programs") == 0
    assert [line.split()[:3] for line in capsys.readouterr().out.splitlines()[1:]] == [
        ["feeder-7", "7", "feeder"]
    ]
    assert op("resource", "assigned", "feeder-7") == 0
    kinds = [line.split()[0] for line in capsys.readouterr().out.splitlines()[1:]]
    assert kinds == ["DERProgram", "MessagingProgram"]


@pytest.mark.usefixtures("feeder")
def test_changes_are_shown_with_the_place_behind_them(op: Op, capsys: Capture, api: OperatorClient) -> None:
    before = api.get("status")["changes"]
    assert op("rates", "north", "--post", "60") == 0
    capsys.readouterr()
    assert op("changes", "--after", str(before)) == 0
    told = capsys.readouterr().out
    assert "north   EndDevice" in told
    assert f"next      {api.get('status')['changes']}" in told
    assert op("changes", "--after", str(api.get("status")["changes"])) == 0
    assert capsys.readouterr().out.startswith("nothing has changed")


@pytest.mark.usefixtures("feeder")
def test_log_events_and_readings_are_shown(
    op: Op, capsys: Capture, api: OperatorClient, device_request: DeviceRequest
) -> None:
    event = LogEvent(
        createdDateTime=NOW,
        details="over-voltage",
        functionSet=11,
        logEventCode=2,
        logEventID=1,
        logEventPEN=40732,
        profileID=2,
    )
    device_request("POST", f"{api.get('devices', 'north')['href']}/lel", event)
    assert op("events", "north") == 0
    assert (
        "2023-11-14 22:13:20Z           11             2           1  over-voltage" in capsys.readouterr().out
    )
    assert op("readings", "north") == 0
    assert capsys.readouterr().out == "the device has posted no readings\n"


@pytest.mark.usefixtures("feeder")
def test_readings_and_der_reports_are_shown(
    op: Op, capsys: Capture, api: OperatorClient, device_request: DeviceRequest
) -> None:
    der = rows_of(api.get("devices", "north"), "DER")[0]["href"]
    device_request("PUT", f"{der}/ders", DERStatus(readingTime=NOW))
    usage_point = MirrorUsagePoint(
        mRID="AA",
        roleFlags="0049",
        serviceCategoryKind=0,
        status=1,
        deviceLFDI=LFDI,
        MirrorMeterReading_=[
            MirrorMeterReading(
                mRID="BB",
                description="real power",
                MirrorReadingSet_=[
                    MirrorReadingSet(
                        mRID="CC",
                        timePeriod=DateTimeInterval(duration=300, start=NOW),
                        Reading_=[Reading(value=-1500, timePeriod=DateTimeInterval(duration=300, start=NOW))],
                    )
                ],
                ReadingType_=ReadingType(uom=38),
            )
        ],
    )
    device_request("POST", "/mup", usage_point)
    assert op("device", "north") == 0
    assert "\n DERStatus\n  readingTime  1700000000\n" in capsys.readouterr().out
    assert op("readings", "north") == 0
    assert "real power   -1500  W     2023-11-14 22:13:20Z" in capsys.readouterr().out
    assert op("readings", "north", "BB", "--after", "5") == 0
    assert "2023-11-14 22:13:20Z       300  -1500" in capsys.readouterr().out


@pytest.mark.usefixtures("feeder")
def test_rates_are_shown_and_set(op: Op, capsys: Capture, api: OperatorClient) -> None:
    assert op("rates", "--poll", "DERProgramList=17") == 0
    assert ["DERProgramList", "17"] in [line.split() for line in capsys.readouterr().out.splitlines()]
    assert op("rates", "north", "--post", "5") == 0
    end_device = api.get("devices", "north")["EndDevice"]
    assert isinstance(end_device, dict)
    assert end_device["postRate"] == 5


@pytest.mark.usefixtures("feeder")
def test_the_status_and_the_removal_of_a_device(op: Op, capsys: Capture) -> None:
    assert op("status") == 0
    assert "time             2023-11-14 22:13:20Z" in capsys.readouterr().out
    assert op("remove", "north") == 0
    assert capsys.readouterr().out == "north is removed\n"


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("device", "nobody"), 1, "error: no device is named 'nobody'\n  what to do: list the devices"),
        (
            ("publish", "feeder-7", "--max-w", "150%", "--for", "5m"),
            2,
            "opModMaxLimW: 15000 outside 0 to 10000",
        ),
        (("publish", "feeder-7", "--mode", "x", "--for", "5m"), 2, "--mode x: there is no '='"),
        (("curve", "add", "feeder-7", "c", "1", "--type", "a", "--y-ref", "b"), 2, "1: not a point"),
        (("rates", "north"), 2, "--post or --mirrors and DEVICE belong together"),
        (("enrol", "x", "--cert", "/nowhere.pem"), 2, "/nowhere.pem: cannot be read"),
    ],
)
@pytest.mark.usefixtures("feeder")
def test_an_error_says_what_to_do(
    op: Op, capsys: Capture, words: tuple[str, ...], code: int, told: str
) -> None:
    assert op(*words) == code
    err = capsys.readouterr().err
    assert told in err
    assert "\n  what to do: " in err


@pytest.mark.parametrize("words", [("publish", "g", "--connect", "perhaps", "--for", "5m"), ("enrol", "x")])
def test_argparse_refuses_with_code_2(op: Op, words: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as caught:
        op(*words)
    assert caught.value.code == 2


def test_the_files_of_tokens_are_for_their_owner(site: Site, api: OperatorClient) -> None:
    assert api.secret not in repr(api)
    mode = (site.operator.folder / "operator.token").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


@pytest.mark.usefixtures("feeder")
def test_a_command_with_the_key_of_another_time_does_nothing_again(
    op: Op, capsys: Capture, api: OperatorClient
) -> None:
    words = ("publish", "feeder-7", "--max-w", "50%", "--in", "10s", "--for", "5m", "--json")
    told = []
    for key in ("evening", "evening", "night"):
        assert op(*words, "--key", key) == 0
        told.append(json.loads(capsys.readouterr().out)["mRID"])
    assert told[0] == told[1] != told[2]
    assert len(rows_of(api.get("controls"), "controls")) == 2


@pytest.mark.usefixtures("feeder")
def test_a_key_of_another_command_is_refused(op: Op, capsys: Capture) -> None:
    assert op("message", "send", "feeder-7", "a", "--for", "5m", "--key", "evening") == 0
    assert op("message", "send", "feeder-7", "b", "--for", "5m", "--key", "evening") == 1
    said = capsys.readouterr().err
    assert said.startswith("error: Idempotency-Key: 'evening' was sent with another request\n")


def test_a_file_of_devices_that_is_sent_again_with_its_key_tells_the_pins_again(
    op: Op, capsys: Capture, tmp_path: Path
) -> None:
    """All of its requests, of 100 devices each, have keys of that key."""
    path = tmp_path / "fleet.csv"
    path.write_text("name,lfdi\n" + "".join(f"d{number},{number:040X}\n" for number in range(101)))
    told = []
    for _ in range(2):
        assert op("enrol", "--csv", str(path), "--key", "fleet", "--json") == 0
        told.append(json.loads(capsys.readouterr().out))
    assert told[0] == told[1]
    assert (told[0]["created"], all("pIN" in row for row in told[0]["devices"])) == (101, True)


@pytest.mark.parametrize("key", ["", "a b", "x" * 55, "\u00e4"])
def test_what_is_no_key_is_wrong_usage(op: Op, capsys: Capture, key: str) -> None:
    with pytest.raises(SystemExit) as caught:
        op("status", "--key", key)
    assert caught.value.code == 2
    assert "argument --key: allowed: 1 to 54 visible characters, no spaces" in capsys.readouterr().err
