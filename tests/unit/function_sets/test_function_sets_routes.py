"""The declarations against the WADL and the ordering of lists."""

import json
from pathlib import Path

import pytest

from function_sets import FUNCTION_SETS, METHODS, ROUTES, Access, Mark, Route, route_of, routes_of_type
from function_sets.model import attribute_path
from schemas import DERControl, DERControlList, wire_name


def wadl(vectors: Path) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads((vectors / "wadl_resources.json").read_text())["resources"]
    return found


def test_all_126_resources_of_the_wadl_are_declared_with_their_five_marks(vectors: Path) -> None:
    wanted = {str(r["id"]): (r["path"], r["modes"], r["element"]) for r in wadl(vectors)}
    declared = {
        route.id: (route.path, {m: route.methods[m].value for m in METHODS}, wire_name(route.type))
        for route in ROUTES.values()
    }
    assert declared == wanted
    assert len(declared) == 126


def test_bodies_that_put_and_post_accept_are_those_of_the_wadl(vectors: Path) -> None:
    for resource in wadl(vectors):
        post = resource.get("post")
        wanted = set(map(str, resource.get("put_element", [])))  # type: ignore[call-overload]
        wanted |= set(post["element"]) if isinstance(post, dict) else set()
        assert {wire_name(cls) for cls in ROUTES[str(resource["id"])].accepts} == wanted


def test_order_of_every_list_is_that_of_the_standard(vectors: Path) -> None:
    order = json.loads((vectors / "list_ordering.json").read_text())["order"]
    declared = {
        wire_name(route.type): [f"{k.path} {'desc' if k.descending else 'asc'}" for k in route.order]
        for route in ROUTES.values()
        if route.is_list
    }
    assert {name: keys for name, keys in declared.items() if name in order} == order


def test_lists_that_know_a_are_among_those_of_the_standard(vectors: Path) -> None:
    timed = json.loads((vectors / "list_ordering.json").read_text())["time_keyed_lists_accepting_a"]
    assert {route.id for route in ROUTES.values() if route.after} <= set(timed)


def test_clients_may_only_write_what_the_marks_allow() -> None:
    wrong = [
        (route.id, method)
        for route in ROUTES.values()
        for method in route.writes
        if route.methods[method] is Mark.ERROR
    ]
    assert wrong == []


def test_every_mandatory_write_is_open_to_clients_except_what_clients_host() -> None:
    closed = [
        (route.id, method)
        for route in ROUTES.values()
        for method in ("PUT", "POST", "DELETE")
        if route.methods[method] is Mark.MUST and method not in route.writes
    ]
    assert closed == [("NotificationList", "POST")]


def test_active_lists_are_views_of_their_full_lists() -> None:
    views = {route.id: route.view_of for route in ROUTES.values() if route.view_of}
    assert views["ActiveDERControlList"] == "DERControlList"
    assert set(views.values()) <= set(ROUTES)
    assert len(views) == 6


@pytest.mark.parametrize(
    ("path", "name", "identifiers"),
    [
        ("/dcap", "DeviceCapability", {}),
        ("/edev/7", "EndDevice", {"id1": "7"}),
        ("/edev/7/der/2/ders", "DERStatus", {"id1": "7", "id2": "2"}),
        ("/rsps/1/rsp/9", "Response", {"id1": "1", "id2": "9"}),
        ("/derp/3/actderc", "ActiveDERControlList", {"id1": "3"}),
    ],
)
def test_path_leads_to_its_resource(path: str, name: str, identifiers: dict[str, str]) -> None:
    found = route_of(path)
    assert found is not None
    assert (found[0].id, found[1]) == (name, identifiers)


@pytest.mark.parametrize("path", ["", "/", "/nothing", "/edev/", "/edev/7/der/2/ders/5", "/edev//fsa"])
def test_path_that_the_standard_does_not_have_leads_nowhere(path: str) -> None:
    assert route_of(path) is None


def test_href_fills_the_placeholders_in_order() -> None:
    assert ROUTES["DERControl"].href("3", "9") == "/derp/3/derc/9"


def test_resources_are_found_by_what_they_hold() -> None:
    assert [r.id for r in routes_of_type(DERControlList)] == ["ActiveDERControlList", "DERControlList"]


def test_marks_are_written_as_in_the_annex() -> None:
    assert str(ROUTES["MirrorUsagePoint"].methods) == "OOMMM"


def test_every_function_set_has_routes_and_a_code() -> None:
    assert sum(len(one.routes) for one in FUNCTION_SETS) == 126
    assert len({one.code for one in FUNCTION_SETS}) == len(FUNCTION_SETS)


def test_unknown_sort_key_is_refused_when_it_is_declared() -> None:
    der = ROUTES["DERControlList"]
    with pytest.raises(LookupError, match="DERControl has no colour"):
        Route(
            id="x",
            path="/x",
            type=DERControlList,
            item=DERControl,
            methods=der.methods,
            access=Access.PUBLIC,
            after="colour",
        )


def test_dotted_path_is_one_of_attributes() -> None:
    assert attribute_path(DERControl, "EventStatus.dateTime") == ("EventStatus_", "dateTime")
