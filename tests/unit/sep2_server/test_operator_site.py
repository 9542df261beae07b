"""Settings of a site, and where its operator API is."""

from pathlib import Path

import pytest

from sep2_server.operator.operator_settings import OperatorSettings, is_loopback
from sep2_server.operator.site import read_site
from sep2_server.operator.whereabouts import Whereabouts, WhereaboutsError, whereabouts_of
from sep2_server.setting_values import SettingsError


def site_folder(folder: Path, operator: str = "") -> Path:
    (folder / "server.toml").write_text(f"port = 0\n[operator]\n{operator}")
    return folder


def test_without_a_file_the_defaults_hold() -> None:
    site = read_site()
    assert site.operator == OperatorSettings(
        host="127.0.0.1", port=8444, plain_http=False, folder=Path("operator")
    )


def test_a_folder_stands_for_its_settings_file(tmp_path: Path) -> None:
    site = read_site(site_folder(tmp_path, "port = 1\nplain_http = true"))
    assert (site.server.port, site.operator.port, site.operator.plain_http) == (0, 1, True)


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    site = read_site(site_folder(tmp_path))
    assert site.operator.folder == tmp_path / "operator"
    assert site.server.database == str(tmp_path / "lineside.db")


def test_overrides_go_before_the_file(tmp_path: Path) -> None:
    overrides = ["operator.port=7", "operator.plain_http=true", "port=8", "poll_rate.DERList=9"]
    site = read_site(site_folder(tmp_path, "port = 1"), overrides)
    assert (site.operator.port, site.operator.plain_http, site.server.port) == (7, True, 8)
    assert (site.server.poll_rate_of("DERList"), site.server.poll_rate_of("EndDeviceList")) == (9, 300)


def test_a_rule_goes_before_the_file_where_the_profile_is_a_name(tmp_path: Path) -> None:
    (tmp_path / "server.toml").write_text('profile = "csip_aus_v1.2"')
    profile = read_site(tmp_path, ["profile.list_limit=7"]).server.profile
    assert (profile.name, profile.list_limit) == ("csip_aus_v1.2", 7)


@pytest.mark.parametrize(
    ("override", "told"),
    [
        (
            "operator.color=red",
            "operator.color: unknown; known are folder, host, metrics_port, plain_http, port",
        ),
        ("operator.port=70000", "operator.port: 70000 is not 0 to 65535"),
        ("operator.port=many", "operator.port: 'many' is not int"),
        ("operator.plain_http=maybe", "operator.plain_http: 'maybe' is not bool"),
        ("operator=1", "operator: '1' is not a table"),
        ("operator", "'operator': write key=value"),
        ("color=red", "color: unknown"),
    ],
)
def test_a_setting_that_cannot_be_is_named(override: str, told: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_site(None, [override])
    assert str(caught.value).startswith(told)


@pytest.mark.parametrize("text", ["operator = 3", "operator = [3]", "[[operator]]\nport = 1"])
def test_a_file_whose_operator_is_no_table_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "server.toml").write_text(text)
    with pytest.raises(SettingsError, match=r"^operator: .* is not a table"):
        read_site(tmp_path)
    with pytest.raises(WhereaboutsError, match=r"^operator: .* is not a table"):
        whereabouts_of(tmp_path)


@pytest.mark.parametrize(
    ("text", "override", "told"),
    [
        ("operator = 3", "operator.port=1", "operator: 3 is not a table"),
        ("port = 3", "port.x=1", "port: 3 is not a table"),
        ("function_sets = 'all'", "function_sets.x=1", "function_sets: 'all' is not a table"),
    ],
)
def test_an_entry_of_what_is_no_table_is_told(tmp_path: Path, text: str, override: str, told: str) -> None:
    (tmp_path / "server.toml").write_text(text)
    with pytest.raises(SettingsError) as caught:
        read_site(tmp_path, [override])
    assert str(caught.value).startswith(told)


@pytest.mark.parametrize(
    "text", ["a = " + "[" * 9000 + "]" * 9000, "port = " + "9" * 5000], ids=["deep", "5000 digits"]
)
def test_a_file_that_cannot_be_held_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "server.toml").write_text(text)
    with pytest.raises(SettingsError, match=r"server\.toml: .*; make a folder with"):
        read_site(tmp_path)
    with pytest.raises(WhereaboutsError, match=r"server\.toml: "):
        whereabouts_of(tmp_path)


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="make a folder with: lineside server init FOLDER"):
        read_site(tmp_path / "server.toml")


def test_a_folder_tells_where_the_api_is(tmp_path: Path) -> None:
    assert whereabouts_of(site_folder(tmp_path)) == Whereabouts(
        url="https://127.0.0.1:8444", token_file=tmp_path / "operator" / "operator.token"
    )


def test_a_running_server_tells_its_url(tmp_path: Path) -> None:
    (tmp_path / "operator").mkdir()
    (tmp_path / "operator" / "operator.url").write_text("http://127.0.0.1:5\n")
    assert whereabouts_of(site_folder(tmp_path, "plain_http = true")).url == "http://127.0.0.1:5"


def test_a_folder_without_settings_tells_nothing(tmp_path: Path) -> None:
    with pytest.raises(WhereaboutsError) as caught:
        whereabouts_of(tmp_path)
    assert caught.value.hint == "name the folder that `lineside server init` made"


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("192.0.2.1", False),
        ("der.example.org", False),
    ],
)
def test_a_loopback_address_is_one_that_only_this_machine_reaches(host: str, *, expected: bool) -> None:
    assert is_loopback(host) is expected
