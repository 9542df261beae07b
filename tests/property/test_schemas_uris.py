"""What the codec takes for a URI is what two readers of XML Schema take for one, each strict in its way."""

import pytest
from elementpath.datatypes import AnyURI as Judge
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lxml import etree

from schemas import Codec, FileStatus, Malformed
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


def test_a_link_that_is_none_is_refused_with_its_place() -> None:
    fields = "<loadPercent>0</loadPercent><nextRequestAttempt>0</nextRequestAttempt>"
    counts = "<request503Count>0</request503Count><requestFailCount>0</requestFailCount>"
    body = f'<FileLink href="[edev/1"/>{fields}{counts}<status>0</status><statusTime>0</statusTime>'
    document = f'<FileStatus xmlns="urn:ieee:std:2030.5:ns">{body}</FileStatus>'.encode()
    with pytest.raises(Malformed, match="is no URI") as refused:
        Codec().judge.decode(document, FileStatus)
    assert (refused.value.rule, refused.value.path) == ("lexical", "/FileStatus/FileLink")
    assert Codec().decode(document, FileStatus).loadPercent == 0, "a client goes on with the rest"
