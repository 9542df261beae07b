"""What the codec takes for a URI is what two readers of XML Schema take for one, each strict in its way."""

import pytest
from elementpath.datatypes import AnyURI as Judge
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lxml import etree

from schemas import LONGEST_URI, Codec, DERProgramListLink, FileStatus, Malformed
from schemas.fields import Scalar
from schemas.scalars import flaw_of
from tests.inputs import inputs

URI = Scalar("xs:anyURI", "xs:anyURI")
SCHEMA = etree.XMLSchema(
    etree.fromstring(
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="uri" type="xs:anyURI"/>'
        "</xs:schema>"
    )
)
WORDS = ("", "http:", "//", "http://a", "/edev/1", ":80", ":99999", "[::1]", "%41")
PIECES = st.sampled_from([*WORDS, *"ab1/:. {}|^\\`'\"-é[]%?#@"])


def is_taken(text: str) -> bool:
    """Whether both readers take a text for a URI."""
    held = etree.Element("uri")
    held.text = text
    try:
        Judge(text)
    except ValueError:
        return False
    return bool(SCHEMA.validate(held))


@settings(max_examples=inputs(400))
@example("http://[::1]:8443/ntfy?x=1&y=2#z")
@example("edev/1[")
@example("http://a:65536/")
@example("a:b")
@example("1a:b")
@example("%zz")
@given(text=st.lists(PIECES, max_size=7).map("".join))
def test_a_uri_is_what_the_schema_calls_one(text: str) -> None:
    assert (flaw_of(URI, text) is None) == is_taken(text)


@pytest.mark.parametrize("sign", ["a", ">", ":", "%41"])
def test_a_link_from_a_stranger_has_a_bound_of_length(sign: str) -> None:
    longest = "http://a/" + sign * ((LONGEST_URI - 9) // len(sign))
    longest += "a" * (LONGEST_URI - len(longest))
    assert flaw_of(URI, longest) is None
    assert flaw_of(URI, longest + "a") == "2049 characters, a URI has 2048 at most"


def test_a_link_that_is_too_long_is_refused_by_its_length() -> None:
    document = b'<DERProgramListLink xmlns="urn:ieee:std:2030.5:ns" href="/%s" all="1"/>' % (b"a" * 2048)
    with pytest.raises(Malformed) as refused:
        Codec().judge.decode_any(document)
    assert refused.value.rule == "length"
    assert isinstance(Codec().decode_any(document), DERProgramListLink), "a client reads what it is sent"


def test_a_link_that_is_none_is_refused_with_its_place() -> None:
    fields = "<loadPercent>0</loadPercent><nextRequestAttempt>0</nextRequestAttempt>"
    counts = "<request503Count>0</request503Count><requestFailCount>0</requestFailCount>"
    body = f'<FileLink href="[edev/1"/>{fields}{counts}<status>0</status><statusTime>0</statusTime>'
    document = f'<FileStatus xmlns="urn:ieee:std:2030.5:ns">{body}</FileStatus>'.encode()
    with pytest.raises(Malformed, match="is no URI") as refused:
        Codec().judge.decode(document, FileStatus)
    assert (refused.value.rule, refused.value.path) == ("lexical", "/FileStatus/FileLink")
    assert Codec().decode(document, FileStatus).loadPercent == 0, "a client goes on with the rest"
