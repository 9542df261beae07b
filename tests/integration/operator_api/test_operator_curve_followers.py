"""A DERCurve that another program follows than its own: it stays, and so does its type."""

import pytest

from sep2_server.operator import ApiError, OperatorClient
from sep2_server.operator.commands import rows_of

VOLT_VAR = {
    "description": "volt-var A",
    "curveType": "opModVoltVar",
    "yRefType": "SET_MAX_VAR",
    "points": [["92", "44"], [98.5, 0], [102, 0], [108, -44]],
}


@pytest.fixture
def curve(api: OperatorClient) -> dict[str, str]:
    """A curve of the group near; the group far has none."""
    for name in ("near", "far"):
        api.call("POST", ("groups",), {"name": name, "primacy": 7})
    return {
        key: str(value) for key, value in api.call("POST", ("groups", "near", "curves"), VOLT_VAR).items()
    }


@pytest.mark.parametrize("user", ["control", "default"])
def test_a_curve_that_another_program_follows_stays(
    api: OperatorClient, curve: dict[str, str], user: str
) -> None:
    modes = {"DERControlBase": {"opModVoltVar": curve["href"]}}
    if user == "control":
        control = str(api.call("POST", ("groups", "far", "controls"), {**modes, "duration": 60})["mRID"])
    else:
        api.call("PATCH", ("groups", "far", "default"), modes)
    query = {"href": curve["href"]}
    with pytest.raises(ApiError, match=f"{user}.* follows the curve"):
        api.call("DELETE", ("curves", curve["mRID"]))
    with pytest.raises(ApiError, match=f"{user}.* follows the curve"):
        api.call("DELETE", ("resources",), query=query | {"force": "true"})
    with pytest.raises(ApiError, match=f"{user}.* follows the curve"):
        api.call("PUT", ("resources",), {"curveType": 12, "yRefType": 1}, query=query)
    if user == "control":
        api.call("POST", ("controls", control, "cancel"))
    else:
        api.call("DELETE", ("groups", "far", "default"))
    assert api.call("DELETE", ("curves", curve["mRID"])) == {"mRID": curve["mRID"]}


def test_a_curve_whose_href_begins_like_that_of_another_is_no_user(
    api: OperatorClient, curve: dict[str, str]
) -> None:
    """Only the link to the curve itself counts, not one to a curve with a longer number."""
    others = [
        api.call("POST", ("groups", "near", "curves"), {**VOLT_VAR, "description": str(n)}) for n in range(12)
    ]
    follow = {"DERControlBase": {"opModVoltVar": str(others[-1]["href"])}, "duration": 60}
    api.call("POST", ("groups", "far", "controls"), follow)
    for one in others[:-1]:
        api.call("DELETE", ("curves", str(one["mRID"])))
    with pytest.raises(ApiError, match="follows the curve"):
        api.call("DELETE", ("curves", str(others[-1]["mRID"])))


@pytest.mark.parametrize("what", ["group", "program"])
def test_a_program_stays_while_another_follows_one_of_its_curves(
    api: OperatorClient, curve: dict[str, str], what: str
) -> None:
    """Its own controls go with it; those of another program would follow nothing."""
    modes = {"DERControlBase": {"opModVoltVar": curve["href"]}, "duration": 60}
    own = str(api.call("POST", ("groups", "near", "controls"), modes)["mRID"])
    api.call("PATCH", ("groups", "near", "default"), {"DERControlBase": modes["DERControlBase"]})
    other = str(api.call("POST", ("groups", "far", "controls"), modes)["mRID"])
    api.call("POST", ("controls", own, "cancel"))
    (program,) = rows_of(api.get("groups", "near"), "programs")

    def remove() -> None:
        if what == "group":
            api.call("DELETE", ("groups", "near"))
        else:
            api.call("DELETE", ("resources",), query={"href": str(program["href"]), "force": "true"})

    with pytest.raises(ApiError, match=f"control {other} follows the curve"):
        remove()
    api.call("POST", ("controls", other, "cancel"))
    remove()
