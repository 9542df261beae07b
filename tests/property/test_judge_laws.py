"""Laws of the judge: what it explains is what libxml2 decides, and what the codec writes it accepts."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from conformance_tests.judge import Judge, Kind, packaged
from conformance_tests.judge.walk import Walk
from schemas import BASE, Codec, DERControlList, DERSettings, EndDeviceList, MirrorUsagePoint, Subscription
from tests.inputs import inputs
from tests.resource_strategies import mutated, resources

CODEC = Codec(BASE)
CLASSES = [DERControlList, DERSettings, EndDeviceList, MirrorUsagePoint, Subscription]
UNEXPLAINED = {Kind.NOT_XML, Kind.FORBIDDEN, Kind.SIZE}


def walked(body: bytes) -> list[str]:
    """What the walk alone says of a body."""
    return [str(flaw) for flaw in Walk(packaged().grammar).explain(etree.fromstring(body))]


@pytest.mark.parametrize("cls", CLASSES)
@settings(deadline=None, max_examples=inputs(25))
@given(data=st.data())
def test_what_the_codec_writes_has_no_flaw_for_either(cls: type, data: st.DataObject) -> None:
    body = CODEC.encode(data.draw(resources(cls)))
    assert Judge().judge(body, "application/sep+xml").flaws == ()
    assert walked(body) == []


@pytest.mark.parametrize("cls", CLASSES)
@settings(deadline=None, max_examples=inputs(40))
@given(data=st.data())
def test_every_flaw_is_explained_and_nothing_else_is(cls: type, data: st.DataObject) -> None:
    body = data.draw(mutated(CODEC.encode(data.draw(resources(cls)))))
    judgement = Judge().judge(body)
    if UNEXPLAINED & {flaw.kind for flaw in judgement.flaws} or Kind.NAMESPACE in {
        flaw.kind for flaw in judgement.flaws
    }:
        return
    decided = packaged().compiled.validate(etree.fromstring(body))
    assert judgement.ok == (decided or bool(judgement.extensions))
    assert bool(walked(body)) != decided
