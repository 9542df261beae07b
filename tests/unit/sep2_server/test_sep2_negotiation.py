"""Media types that are accepted and read."""

import pytest

from sep2_server.errors import BadRequest, NotAcceptable, WrongMediaType
from sep2_server.negotiation import require_acceptable, require_readable

GOOD = [
    None,
    "*/*",
    "application/*",
    "application/sep+xml",
    "application/sep+xml;level=+S1",
    "a/b, */*;q=0.5",
]
BAD = [
    "text/html",
    "",
    "application/sep+xml;q=0",
    "application/sep+xml;q=0, */*",
    "*/*;q=x",
    "application/sep-exi",
]


@pytest.mark.parametrize("accept", [*GOOD, "text/html, */*;q=0.1"])
def test_a_header_that_matches_sep_xml_is_acceptable(accept: str | None) -> None:
    require_acceptable(accept)


@pytest.mark.parametrize("accept", [*BAD, "application/sep-exi"])
def test_a_header_that_does_not_match_is_refused(accept: str) -> None:
    with pytest.raises(NotAcceptable):
        require_acceptable(accept)


@pytest.mark.parametrize("kind", ["application/sep+xml", "Application/SEP+XML; level=-S1"])
def test_sep_xml_is_read(kind: str) -> None:
    require_readable(kind)


def test_another_type_is_not_read() -> None:
    with pytest.raises(WrongMediaType):
        require_readable("text/xml")


def test_a_body_without_a_type_is_malformed() -> None:
    with pytest.raises(BadRequest):
        require_readable(None)
