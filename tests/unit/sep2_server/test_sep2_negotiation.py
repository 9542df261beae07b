"""Media types that are accepted and read. IEEE 2030.5-2018, 4.5."""

import pytest

from sep2_server.body_codecs import EXI_MEDIA_TYPE, XML, XML_ALONE, BodyCodecs, XmlBody
from sep2_server.errors import BadRequest, NotAcceptable, WrongMediaType
from sep2_server.negotiation import Forms

EXI = XmlBody(EXI_MEDIA_TYPE, 1)
BOTH = Forms(BodyCodecs([EXI]), has_extensions=True)
ALONE = Forms(XML_ALONE, has_extensions=False)
GOOD = [
    None,
    "*/*",
    "application/*",
    "application/sep+xml",
    "application/sep+xml;level=+S1",
    "a/b, */*;q=0.5",
    "text/html, */*;q=0.1",
    "application/sep-exi, application/sep+xml;q=0.1",
]
BAD = [
    "text/html",
    "",
    "application/sep+xml;q=0",
    "application/sep+xml;q=0, */*",
    "*/*;q=x",
    "application/sep+xml;q=nan",
    "application/sep+xml;q=1.1",
    "application/sep+xml;q=inf",
    "application/sep+xml;q=-1",
    "application/sep-exi",
]


@pytest.mark.parametrize("accept", GOOD)
def test_a_header_that_matches_sep_xml_is_acceptable(accept: str | None) -> None:
    assert ALONE.of(accept) == ALONE.plain


@pytest.mark.parametrize("accept", BAD)
def test_a_header_that_does_not_match_is_refused_in_xml(accept: str) -> None:
    with pytest.raises(NotAcceptable):
        ALONE.of(accept)
    assert ALONE.of_error(accept) == ALONE.plain


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (None, "application/sep+xml"),
        ("*/*", "application/sep+xml"),
        ("application/*", "application/sep+xml"),
        ("application/sep-exi, application/sep+xml", "application/sep+xml"),
        ("application/sep-exi, application/sep+xml;q=0.9", "application/sep-exi"),
        ("application/sep-exi;q=0.2, application/sep+xml;q=0.3", "application/sep+xml"),
        ("Application/SEP-EXI;level=+S1", "application/sep-exi"),
        ("application/sep+xml;q=0, */*", "application/sep-exi"),
        ("application/sep-exi;q=0, application/*", "application/sep+xml"),
        ("application/sep-exi, */*;q=0.1", "application/sep-exi"),
    ],
)
def test_the_best_quality_wins_then_the_order_of_the_server(accept: str | None, media_type: str) -> None:
    assert BOTH.of(accept).codec.media_type == media_type


def test_the_level_is_that_of_the_chosen_type() -> None:
    forms = [
        BOTH.of("application/sep-exi;level=-S1"),
        BOTH.of("application/sep-exi;level=-S1, application/sep+xml;q=0.1"),
        BOTH.of("application/sep-exi;q=0.1, application/sep+xml;level=-S1"),
        BOTH.of("application/sep-exi, application/sep+xml;q=0.1;level=-S1"),
        ALONE.of("application/sep+xml;level=-S1"),
    ]
    assert [form.is_base for form in forms] == [True, True, True, False, False]
    assert [form.key for form in forms[2:]] == [
        "application/sep+xml-s1",
        "application/sep-exi",
        "application/sep+xml",
    ]


@pytest.mark.parametrize(
    ("accept", "is_base"),
    [
        ("application/sep-exi;level=-S1, application/sep-exi;level=+S1;q=0", True),
        ("application/sep-exi;level=+S1, application/sep-exi;level=-S1;q=0", False),
        ("application/sep-exi;level=-S1, application/sep-exi;level=+S1;q=0.1", False),
        ("application/sep-exi;level=-S1;q=0.1, application/sep-exi;level=+S1;q=nan", True),
    ],
)
def test_a_level_of_quality_0_is_not_accepted(accept: str, is_base: bool) -> None:
    assert BOTH.of(accept).is_base == is_base


@pytest.mark.parametrize("kind", ["application/sep+xml", "Application/SEP+XML; level=-S1"])
def test_sep_xml_is_read(kind: str) -> None:
    assert XML_ALONE.reading(kind) is XML


@pytest.mark.parametrize("kind", ["text/xml", "application/sep-exi"])
def test_another_type_is_not_read(kind: str) -> None:
    with pytest.raises(WrongMediaType):
        XML_ALONE.reading(kind)


def test_a_body_without_a_type_is_malformed() -> None:
    with pytest.raises(BadRequest):
        XML_ALONE.reading(None)


def test_a_further_codec_is_found_by_media_type_and_by_encoding() -> None:
    codecs = BodyCodecs([EXI])
    assert (codecs.reading("application/sep-exi"), codecs.of_encoding(1)) == (EXI, EXI)
    assert (sorted(codecs.encodings), sorted(XML_ALONE.encodings)) == ([0, 1], [0])
    assert XML_ALONE.of_encoding(1) is None


def test_two_codecs_of_one_media_type_or_encoding_are_refused() -> None:
    for second in (XmlBody("application/sep+xml", 1), XmlBody("application/sep-exi", 0)):
        with pytest.raises(ValueError, match="two codecs"):
            BodyCodecs([second])
