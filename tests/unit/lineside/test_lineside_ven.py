"""`lineside ven`: settings with clear errors, the template, and what a saved event would publish."""

import json
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from lineside.__main__ import main
from lineside.ven.service import pause_of
from lineside.ven.settings import VenSettings, load_settings, secret_of
from lineside.ven.template import TEMPLATE
from lineside.ven.wires import offers_of
from openadr_ven.events import Profile
from openadr_ven.to_sep2 import SIMPLE_LEVELS, Kind, LevelAction
from openadr_ven.v2b import messages as m
from openadr_ven.v2b.writing import write
from owner import SettingsError, built
from schemas.codes import DERCurveType
from tests.hopeless_toml import HOPELESS
from tests.unit.openadr_ven.house import CONTEXT, dispatch, event

DEVICE = {"resource": "battery", "name": "b1", "group": "g1", "kind": "storage", "max_w": 5000}
PROGRAMME = {"market_context": CONTEXT, "name": "DR"}
GOOD: Mapping[str, Any] = {
    "name": "site",
    "vtn": {"url": "http://127.0.0.1:8080"},
    "server": {"url": "https://127.0.0.1:8444", "token_file": "token"},
    "devices": [DEVICE],
    "programmes": [PROGRAMME],
}
BEFORE = "2023-11-14T21:13:20Z"
SECRET = "not-to-be-told"


def toml(table: Mapping[str, Any]) -> str:
    """A settings file; values of TOML are those of JSON here, but for tables."""
    lines = []
    for name, value in table.items():
        if isinstance(value, dict):
            inner = ", ".join(f"{key} = {json.dumps(one)}" for key, one in value.items())
            lines.append(f"{name} = {{ {inner} }}")
        elif isinstance(value, list):
            rows = [", ".join(f"{key} = {_inline(one)}" for key, one in row.items()) for row in value]
            lines.append(f"{name} = [{', '.join(f'{{ {row} }}' for row in rows)}]")
        else:
            lines.append(f"{name} = {json.dumps(value)}")
    return "\n".join(lines)


def _inline(value: object) -> str:
    if not isinstance(value, dict):
        return json.dumps(value)
    return f"{{ {', '.join(f'{key} = {json.dumps(one)}' for key, one in value.items())} }}"


def written(folder: Path, table: Mapping[str, Any]) -> Path:
    path = folder / "ven.toml"
    path.write_text(toml(table))
    return path


def test_settings_become_fleet_programmes_and_enrolment(tmp_path: Path) -> None:
    settings = load_settings(written(tmp_path, GOOD))
    (device,) = settings.fleet.devices
    assert (device.name, device.group, device.kind, device.setMaxW) == ("b1", "g1", Kind.STORAGE, 5000)
    assert settings.enrolment.market_contexts == frozenset({CONTEXT})
    assert [one.name for one in settings.enrolment.resources] == ["battery"]
    assert settings.by_context[CONTEXT].vtn == "http://127.0.0.1:8080"
    assert settings.server.token_file == tmp_path / "token"
    assert settings.state == tmp_path / "state"
    assert [len(one.points) for one in offers_of(settings)] == [2, 2, 1]


def test_template_is_good_and_has_every_profile(tmp_path: Path) -> None:
    path = tmp_path / "ven.toml"
    path.write_text(TEMPLATE)
    assert load_settings(path).vtn.profile is Profile.V20B
    for profile in ("3.0.1", "3.1.0"):
        path.write_text(TEMPLATE.replace('"2.0b" ', f'"{profile}" ').replace("strict_ciphers = false", ""))
        assert load_settings(path).vtn.profile == profile


def test_what_the_template_leaves_out_can_be_put_in(tmp_path: Path) -> None:
    """Every commented line is a setting that exists; all of them together are not for one profile."""
    lines = TEMPLATE.splitlines()
    text = "\n".join(
        line.removeprefix("# ") if " = " in line or line[:3] == "# [" else line for line in lines
    )
    tables = tomllib.loads(text)
    for name in ("client_id", "client_secret_file", "token_url", "webhook", "signers", "fingerprint"):
        tables["vtn"].pop(name)
    assert {"scope", "is_mqtt"} <= set(tables["vtn"])
    (programme,) = tables["programmes"]
    programme.pop("pf_side")
    tables["groups"][0]["devices"][1:] = ["battery-2"]
    tables["devices"].append({**tables["devices"][0], "name": "battery-2", "group": "battery-2"})
    settings = built(VenSettings, tables, "", tmp_path)
    made = settings.by_context["http://example.org/dr"]
    assert (settings.devices[0].lfdi != "", list(settings.fleet.groups)) == (True, ["all"])
    assert (made.curve_type, made.base_price) == (DERCurveType.opModVoltVar, Decimal("0.3"))
    assert made.simple_levels[1] == LevelAction(duty_pct=75, charge_share=Decimal("0.5"))
    assert made.simple_by_kind[Kind.THERMOSTAT][2] == LevelAction(offset_tenths=20)
    assert made.simple_by_kind[Kind.THERMOSTAT][3] == SIMPLE_LEVELS[3]
    assert made.simple_by_resource == {"battery": {3: LevelAction(dispatch=Decimal(-1))}}
    assert made.tables == {"LOAD_DISPATCH level": {-10: LevelAction(reduction_w=1000)}}


WRONG: Mapping[str, Mapping[str, Any]] = {
    "vtn.url: must be set": {"vtn": {}},
    "vtn.url: 'http://vtn.example' is no https URL": {"vtn": {"url": "http://vtn.example"}},
    "vtn.profile: '2.0a' is none of": {"vtn": {"url": "http://localhost", "profile": "2.0a"}},
    "vtn.certificate: must be set": {"vtn": {"url": "https://vtn.example"}},
    "vtn.key: certificate and key": {"vtn": {"url": "https://v", "certificate": "c"}},
    "vtn.roots: must be set": {"vtn": {"url": "https://v", "certificate": "c", "key": "k"}},
    "vtn.client_id: is of OpenADR 3": {"vtn": {"url": "http://localhost", "client_id": "me"}},
    "vtn.client_secret_file: client_id and": {
        "vtn": {"url": "https://v", "profile": "3.1.0", "client_id": "me"}
    },
    "vtn.profile: 3.0.1 has no signatures": {
        "vtn": {"url": "https://v", "profile": "3.0.1", "is_signed": True}
    },
    "vtn.signers: are compared": {"vtn": {"url": "http://localhost", "signers": ["AA"]}},
    "vtn.poll_s: more than 0": {"vtn": {"url": "http://localhost", "poll_s": 0}},
    "server.token_file: must be set": {"server": {"url": "https://s"}},
    "server.look_s: more than 0": {"server": {"url": "https://s", "token_file": "t", "look_s": 0}},
    "server.colour: no such setting": {"server": {"url": "https://s", "token_file": "t", "colour": 1}},
    "devices: at least one": {"devices": []},
    "devices.0.kind: 'toaster' is none of": {"devices": [{**DEVICE, "kind": "toaster"}]},
    "devices.0.max_w: a magnitude": {"devices": [{**DEVICE, "max_w": -1}]},
    "devices.name: 'b1' stands twice": {"devices": [DEVICE, {**DEVICE, "group": "g2"}]},
    "devices.group: 'g1' stands twice": {"devices": [DEVICE, {**DEVICE, "name": "b2"}]},
    "programmes: at least one": {"programmes": []},
    "programmes.0.primacy: 0 to 255": {"programmes": [{**PROGRAMME, "primacy": 256}]},
    "programmes.market_context: ": {"programmes": [PROGRAMME, PROGRAMME]},
    "programmes.0.base_price: set currency too": {"programmes": [{**PROGRAMME, "base_price": 0.3}]},
    "programmes.0.base_demand_charge: set currency": {"programmes": [{**PROGRAMME, "base_demand_charge": 1}]},
    "programmes.0.curve: 'voltvar' is none of opModVoltVar": {
        "programmes": [{**PROGRAMME, "curve": "voltvar"}]
    },
    "programmes.0.pf_side: is set where": {"programmes": [{**PROGRAMME, "curve": "opModWattPF"}]},
    "programmes.0.pf_side: is set": {"programmes": [{**PROGRAMME, "pf_side": "absorbing"}]},
    "programmes.0.temperature_unit: 'K' is none": {"programmes": [{**PROGRAMME, "temperature_unit": "K"}]},
    "programmes.0.horizon_s: a minute to": {"programmes": [{**PROGRAMME, "horizon_s": 1}]},
    "programmes.0.alert_levels.ALERT_RAIN: no such alert": {
        "programmes": [{**PROGRAMME, "alert_levels": {"ALERT_RAIN": 1}}]
    },
    "programmes.0.alert_levels.FIRE: no such": {"programmes": [{**PROGRAMME, "alert_levels": {"FIRE": 1}}]},
    "programmes.0.alert_levels.ALERT_FIRE: a level": {
        "programmes": [{**PROGRAMME, "alert_levels": {"ALERT_FIRE": 4}}]
    },
    "groups.0.devices: no device is named 'b2'": {"groups": [{"name": "all", "devices": ["b1", "b2"]}]},
    "groups.0.devices: at least two": {"groups": [{"name": "all", "devices": ["b1", "b1"]}]},
    "groups.0.name: 'g1' is the group of device 'b1' alone": {
        "devices": [DEVICE, {**DEVICE, "name": "b2", "group": "g2"}],
        "groups": [{"name": "g1", "devices": ["b1", "b2"]}],
    },
    "groups.name: 'all' stands twice": {
        "devices": [DEVICE, {**DEVICE, "name": "b2", "group": "g2"}],
        "groups": [{"name": "all", "devices": ["b1", "b2"]}] * 2,
    },
    "resources.name: no device is behind 'car'": {"resources": [{"name": "car"}]},
    "name: must not be empty": {"name": ""},
}


LEVELS: Mapping[str, list[dict[str, object]]] = {
    "0.signal: 'SIMPEL' is none of SIMPLE, LOAD_DISPATCH level": [{"signal": "SIMPEL", "level": 1}],
    "0.level: SIMPLE has 1 to 3": [{"level": 0}],
    "0.level: must be set": [{}],
    "0.kind: 'toaster' is none of": [{"level": 1, "kind": "toaster"}],
    "0.signal: CONTROL_SETPOINT has one table": [{"signal": "CONTROL_SETPOINT", "level": 1, "kind": "load"}],
    "0.resource: stands beside kind": [{"level": 1, "kind": "load", "resource": "battery"}],
    "1.resource: no device is behind 'car'; there are battery": [
        {"level": 1},
        {"level": 1, "resource": "car"},
    ],
    "0.duty_pct: 0 to 100 is wanted, not 101": [{"level": 1, "duty_pct": 101}],
    "0.charge_share: 0 to 1 is wanted": [{"level": 1, "charge_share": 50}],
    "0.dispatch: -1 to 1 is wanted": [{"level": 1, "dispatch": -2}],
    "0.reduction_w: 0 to": [{"level": 1, "reduction_w": -1}],
    "1: says again what levels.0 says": [{"level": 1}, {"level": 1, "duty_pct": 5}],
}


@pytest.mark.parametrize("text", LEVELS)
def test_wrong_levels_are_named_by_their_row(text: str, tmp_path: Path) -> None:
    tables = {**GOOD, "programmes": [{**PROGRAMME, "levels": LEVELS[text]}]}
    with pytest.raises(SettingsError) as found:
        built(VenSettings, tables, "", tmp_path)
    assert str(found.value).startswith(f"programmes.0.levels.{text}")


def test_check_says_what_is_set_of_each_programme(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    set_ = {**PROGRAMME, "currency": 978, "base_price": 0.3, "curve": "opModVoltWatt"}
    config = written(tmp_path, {**GOOD, "programmes": [set_]})
    (tmp_path / "token").write_text("t")
    assert main(["ven", "check", "--offline", "--config", str(config)]) == 0
    said = (
        f"ok    programme {CONTEXT}: relative prices from 0.3 per kWh in currency 978; CURVE is opModVoltWatt"
    )
    assert said in capsys.readouterr().out


@pytest.mark.parametrize("text", WRONG)
def test_wrong_settings_are_named_by_their_key(text: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as found:
        load_settings(written(tmp_path, {**GOOD, **WRONG[text]}))
    assert str(found.value).startswith(text)


@pytest.mark.parametrize("text", ["name = ", *HOPELESS])
def test_file_that_is_no_toml_says_what_to_do(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "ven.toml").write_text(text)
    assert main(["ven", "run", "--config", str(tmp_path / "ven.toml")]) == 2
    assert "lineside ven init FOLDER" in capsys.readouterr().err


def test_secrets_are_in_no_message(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "odd").write_bytes(SECRET.encode() + b"\xff")
    for name in ("missing", "empty", "odd"):
        with pytest.raises(SettingsError, match="key") as found:
            secret_of(tmp_path / name, "key")
        assert SECRET not in str(found.value)
        assert found.value.__cause__ is None


def test_init_writes_once_and_check_finds_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ven", "init", str(tmp_path / "site")]) == 0
    assert main(["ven", "init", str(tmp_path / "site")]) == 2
    capsys.readouterr()
    assert main(["ven", "check", "--offline", "--config", str(tmp_path / "site" / "ven.toml")]) == 1
    told = capsys.readouterr().out
    assert "FAIL  server.token_file: " in told
    assert "No such file or directory; put the secret in that file" in told
    assert "cert.pem: no such file" in told


def replay(folder: Path, name: str, body: bytes, *words: str, **vtn: str) -> int:
    table = {**GOOD, "vtn": {**GOOD["vtn"], **vtn}}
    (folder / name).write_bytes(body)
    config = str(written(folder, table))
    return main(["ven", "replay", str(folder / name), "--config", config, "--at", BEFORE, *words])


def test_replay_of_2_0b_says_answer_and_control(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    body = write(m.DistributeEvent(vtnID="vtn", requestID="r", events=(event(dispatch(3000)),)))
    assert replay(tmp_path, "event.xml", body) == 0
    said = capsys.readouterr().out
    assert "answer to e1 (0): 200 optIn" in said
    assert "in DERProgram 'DR' (primacy 5) for group g1, 2023-11-14T22:13:20Z to" in said
    assert '"opModTargetW": {"multiplier": 0, "value": -3000}' in said
    assert not (tmp_path / "state").exists()


def test_replay_of_what_is_refused_says_the_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = event(dispatch(3000), marketContext="http://another")
    body = write(m.DistributeEvent(vtnID="vtn", requestID="r", events=(other,)))
    assert replay(tmp_path, "event.xml", body) == 1
    said = capsys.readouterr().out
    assert "answer to e1 (0): 462 optOut" in said
    assert "nothing would be published" in said


EVENT_3 = {
    "id": "e3",
    "objectType": "EVENT",
    "programID": CONTEXT,
    "createdDateTime": BEFORE,
    "modificationDateTime": BEFORE,
    "payloadDescriptors": [
        {"objectType": "EVENT_PAYLOAD_DESCRIPTOR", "payloadType": "DISPATCH_SETPOINT", "units": "KW"}
    ],
    "intervalPeriod": {"start": "2023-11-14T22:13:20Z", "duration": "PT1H"},
    "intervals": [{"id": 0, "payloads": [{"type": "DISPATCH_SETPOINT", "values": [3]}]}],
}


@pytest.mark.parametrize("found", [EVENT_3, [EVENT_3], {"events": [EVENT_3], "programs": []}])
def test_replay_of_3_says_the_control(
    found: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert replay(tmp_path, "events.json", json.dumps(found).encode(), profile="3.1.0") == 0
    assert '"opModTargetW": {"multiplier": 0, "value": -3000}' in capsys.readouterr().out


@pytest.mark.parametrize(
    "body", [b"<html>", b"", b"[1, ", b'{"events": 3}', b"<!DOCTYPE a><a/>", b"\xff\xfe"]
)
def test_replay_of_what_is_no_event_is_wrong_usage(
    body: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert replay(tmp_path, "file", body) == 2
    assert "the file cannot be read" in capsys.readouterr().err


def test_replay_wants_a_time_with_its_zone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    body = write(m.DistributeEvent(vtnID="vtn", requestID="r", events=()))
    assert replay(tmp_path, "event.xml", body, "--at", "2026-06-01T12:00:00") == 2
    assert "has no zone" in capsys.readouterr().err


def test_opt_wants_a_ven_that_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ven", "opt", "e1", "out", "--config", str(written(tmp_path, GOOD))]) == 2
    assert "lineside ven: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("wake_at", "retry_s", "pause_s"),
    [(None, None, 3600.0), (110, None, 10.0), (None, 4.0, 4.0), (102, 60.0, 2.0), (90, None, 0.0)],
)
def test_what_is_due_does_not_wait_for_what_failed(
    wake_at: int | None, retry_s: float | None, pause_s: float
) -> None:
    assert pause_of(wake_at, 100.0, retry_s) == pause_s
