"""What openleadr 0.5.36 does that we do not rely on: facts, so that a newer version is looked at again."""

import re
from datetime import timedelta
from importlib.metadata import requires, version
from pathlib import Path

from openadr_ven.v2b import messages as m
from openadr_ven.v2b.document import templates
from openadr_ven.v2b.exchange import stamp
from openadr_ven.v2b.reading import read
from openadr_ven.v2b.replay import ReplayGuard
from openadr_ven.v2b.signature import Verifier
from openadr_ven.v2b.writing import enveloped, signed_object
from openadr_ven.vtn.v2b import Vtn
from tests.unit.openadr_ven.v2b.conversations import NOW
from tests.unit.openadr_ven.v2b.keys import identity

ROOT = Path(__file__).resolve().parents[4]


def test_version_is_the_one_whose_faults_are_known() -> None:
    assert version("openleadr") == "0.5.36"


def test_pinned_xmltodict_is_in_both_locks() -> None:
    (pin,) = [one for one in requires("openleadr") or () if one.startswith("xmltodict")]
    wanted = re.sub(r"[\s()]", "", pin.partition(";")[0])

    assert wanted in (ROOT / "requirements.lock").read_text().splitlines()
    assert wanted in (ROOT / "requirements-dev.lock").read_text().splitlines()


def test_its_templates_do_not_escape_so_ours_does() -> None:
    raw = templates.get_template("oadrPoll.xml").render(ven_id="<evil/>")

    assert "<evil/>" in raw
    assert "<evil/>" not in signed_object(m.Poll(venID="<evil/>"))


def test_its_duration_of_nothing_is_none_so_durations_are_written_by_us() -> None:
    assert templates.filters["timedeltaformat"](timedelta(0)) == "P"
    assert b"PT0S" in enveloped(
        signed_object(m.CreatedPartyRegistration(response=m.EiResponse(), vtnID="v", poll_s=0))
    )


def test_two_vtns_of_ours_in_one_process_share_nothing() -> None:
    """Those of openleadr keep their keys and look-ups on a class."""
    ours = identity("ven")
    first = Vtn(vtnID="one", signer=identity("vtn").signer(), verifier=Verifier(ReplayGuard()))
    second = Vtn(vtnID="two")
    text = signed_object(m.QueryRegistration(requestID="r"))
    query = enveloped(text, ours.signer().sign(text, stamp(NOW), "n1"))

    answers = [one.answer("EiRegisterParty", query, NOW, ours.der).body for one in (first, second)]

    assert [b"<ds:Signature" in one for one in answers] == [True, False]
    assert [found.vtnID for found in map(read, answers) if isinstance(found, m.CreatedPartyRegistration)] == [
        "one",
        "two",
    ]
    assert (len(first.heard), len(second.heard)) == (1, 1)
