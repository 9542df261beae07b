"""URIs, plain and scrambled, and what they stand for."""

import string
import tracemalloc

import pytest

from function_sets import ROUTES
from sep2_server.extra_routes import CONNECTION_POINT, EXTRA_ROUTES, GROUP_LIST, LATEST_READING
from sep2_server.uris import LONGEST, Uris, route_named

PARTS = ("1", "22", "333", "4", "5")


@pytest.mark.parametrize("salt", ["", "pepper"])
@pytest.mark.parametrize("kind", [*EXTRA_ROUTES, *ROUTES])
def test_every_resource_is_found_at_its_uri(kind: str, salt: str) -> None:
    route = route_named(kind)
    parts = PARTS[: route.path.count("{")]
    place = Uris(salt).find(Uris(salt).of(kind, parts))
    assert place is not None
    assert (place.route.path, place.parts, place.path) == (route.path, parts, route.href(*parts))


def test_a_scrambled_uri_tells_nothing_and_is_no_prefix() -> None:
    uris = Uris("pepper")
    program, controls = uris.of("DERProgram", (1,)), uris.of("DERControlList", (1,))
    assert "derp" not in program
    assert not controls.startswith(program)
    assert program == Uris("pepper").of("DERProgram", (1,))
    assert program != Uris("salt").of("DERProgram", (1,))
    assert Uris("salt").find(program) is None
    assert Uris("pepper").fingerprint != Uris("salt").fingerprint


def test_the_entry_is_not_scrambled() -> None:
    assert Uris("pepper").of("DeviceCapability") == "/dcap"
    assert Uris("pepper").find("/dcap") is not None


@pytest.mark.parametrize(
    "uri", ["", "/", "/none", "/edev/", "/edev//der", "/fsa//derp", "/fsa/1/x", "/edev/1/cp/2", "x"]
)
def test_what_fits_no_route_is_not_found(uri: str) -> None:
    assert Uris().find(uri) is None


@pytest.mark.parametrize("uri", ["/A", "/AAAA", "/%%%%", "/é", "/AAAAAAAAAAAAAAAA"])
def test_what_was_not_scrambled_here_is_not_found(uri: str) -> None:
    assert Uris("pepper").find(uri) is None


@pytest.mark.parametrize("kind", [*EXTRA_ROUTES, *ROUTES])
def test_no_path_is_too_long_whatever_its_numbers(kind: str) -> None:
    parts = [2**63] * route_named(kind).path.count("{")
    assert len(Uris().of(kind, parts)) < LONGEST


@pytest.mark.parametrize("head", ["/none", "/edev/"])
def test_of_long_paths_of_clients_nothing_is_kept(head: str) -> None:
    tracemalloc.start()
    try:
        assert {Uris().find(f"{head}{n}{'x' * 100_000}") for n in range(20)} == {None}
        assert tracemalloc.get_traced_memory()[0] < 1_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", ["Time", "EndDeviceList", "EndDevice", "LogEventList", "DERProgramList"])
def test_a_scrambled_uri_has_one_spelling(kind: str) -> None:
    uris = Uris("pepper")
    uri = uris.of(kind, PARTS[: route_named(kind).path.count("{")])
    letters = string.ascii_letters + string.digits + "-_+/="
    spellings = {uri[:-1] + letter for letter in letters} | {uri + "=" * many for many in range(4)}
    spellings |= {uri.replace("-", "+"), uri.replace("_", "/"), f"//{uri[1:]}", f"x{uri[1:]}"}
    assert [one for one in spellings if uris.find(one) is not None] == [uri]


def test_uris_around_another() -> None:
    uris = Uris()
    place = uris.find("/upt/1/mr/2/rs/3/r/4")
    top = uris.find("/upt")
    assert place is not None
    assert top is not None
    assert uris.beside(place, "ReadingSet") == "/upt/1/mr/2/rs/3"
    assert uris.beside(place, LATEST_READING) == "/upt/1/mr/2/r"
    assert (uris.owner(place), uris.owner(top)) == ("/upt/1", None)
    assert (uris.parent(place), uris.parent(top)) == ("/upt/1/mr/2/rs/3/r", None)


def test_resources_beside_the_standard_have_uris() -> None:
    uris = Uris()
    assert uris.of(GROUP_LIST, (3,)) == "/fsa/3/derp"
    assert uris.of(CONNECTION_POINT, (3,)) == "/edev/3/cp"


def test_a_list_beside_the_standard_goes_by_the_order_and_time_of_its_kind() -> None:
    lists = [route for route in EXTRA_ROUTES.values() if route.is_list]
    kinds = {route.id: (route.type, route.order, route.after) for route in lists}
    known = {(home.type, home.order, home.after) for home in ROUTES.values()}
    assert {name for name, kind in kinds.items() if kind not in known} == set()


def test_what_is_kept_of_one_way_of_making_uris_is_not_another_ones() -> None:
    ways = [Uris(), Uris("pepper"), Uris("salt"), Uris("pepper")]
    made = [
        [way.of("DERProgram", (1,)), way.of("DERProgram", ("1",)), way.of("DERProgram", (1,))] for way in ways
    ]
    assert [len(set(one)) for one in made] == [1, 1, 1, 1]
    assert made[1] == made[3]
    assert len({one[0] for one in made}) == 3
