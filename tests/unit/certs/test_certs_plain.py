"""Chains that are known to be good by their octets: all that the PKI makes, and none that a rule refuses."""

import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

import certs
from certs import CertsError, PeerJudge, Pki, lfdi_of
from certs.errors import UnreadableError
from certs.plain import is_plain
from certs.reading import certificate_of
from certs.refusal import refusal
from certs.session import encodings_of
from tests.inputs import inputs

Chain = tuple[bytes, ...]
LOADED = "print('cryptography' in sys.modules)"


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki.create(tmp_path_factory.mktemp("plain") / "pki", 3)


@pytest.fixture(scope="module")
def root(pki: Pki) -> Path:
    return pki.issue_device("own").root_path


@pytest.fixture(scope="module")
def chains(pki: Pki, root: Path) -> list[Chain]:
    made = (
        pki.issue_server("server", hosts=["127.0.0.1", "der.example.org"]),
        pki.issue_device("device"),
        pki.issue_aggregator("aggregator", hosts=["agg.example.org"]),
    )
    top = encodings_of(root.read_bytes())
    return [encodings_of(one.certificate_path.read_bytes()) + top for one in made]


class Session:
    """A handshake that shows a chain, or where it is resumed only the leaf."""

    def __init__(self, chain: Chain, *, is_resumed: bool = False) -> None:
        self.chain = chain
        self.is_resumed = is_resumed

    def getpeercert(self, binary_form: bool, /) -> bytes | None:
        return self.chain[0]

    def get_verified_chain(self) -> list[bytes]:
        return [] if self.is_resumed else list(self.chain)


def is_good(chain: Chain) -> bool:
    """Whether the rules have nothing against a chain."""
    try:
        return refusal([certificate_of(one) for one in chain]) is None
    except UnreadableError:
        return False


@pytest.mark.parametrize("kind", range(3))
def test_whom_the_pki_has_made_is_plain(chains: list[Chain], kind: int) -> None:
    assert is_plain(chains[kind])


def changed(chain: Chain, place: int, cut: int, put: bytes, size: int) -> Chain:
    """The chain with octets of one certificate replaced by others."""
    number = place % len(chain)
    octets = chain[number]
    at = cut % len(octets)
    return (*chain[:number], octets[:at] + put + octets[at + size :], *chain[number + 1 :])


NUMBERS = st.integers(0, 1 << 16)


@settings(max_examples=inputs(600), deadline=None)
@given(kind=st.integers(0, 2), place=NUMBERS, cut=NUMBERS, put=st.binary(max_size=2), size=st.integers(0, 2))
def test_what_is_plain_is_good(
    chains: list[Chain], kind: int, place: int, cut: int, put: bytes, size: int
) -> None:
    chain = changed(chains[kind], place, cut, put, size)

    assert not is_plain(chain) or is_good(chain)


@pytest.mark.parametrize("length", [0, 1])
def test_a_chain_that_is_too_short_is_for_somebody_else(chains: list[Chain], length: int) -> None:
    assert not is_plain(chains[0][:length])


def test_a_leaf_in_the_place_of_a_ca_is_for_somebody_else(chains: list[Chain]) -> None:
    leaf, issuer, *others = chains[0]

    assert not is_plain((issuer, leaf, *others))
    assert not is_plain((leaf, leaf, *others))


def test_the_judge_knows_whom_it_admits(root: Path, chains: list[Chain]) -> None:
    assert PeerJudge(root).judged(Session(chains[0])) == (lfdi_of(chains[0][0]), None)


def test_the_judge_says_why_it_refuses(root: Path, chains: list[Chain]) -> None:
    leaf, issuer, *others = chains[0]
    lfdi, reason = PeerJudge(root).judged(Session((issuer, leaf, *others)))

    assert lfdi is None
    assert reason is not None
    assert reason.rule == "issuer-is-ca"


def test_a_chain_to_a_root_that_is_not_trusted_is_refused(chains: list[Chain], tmp_path: Path) -> None:
    stranger = Pki.create(tmp_path / "stranger", 2).issue_device("own")
    _, reason = PeerJudge(stranger.root_path).judged(Session(chains[0]))

    assert reason is not None
    assert reason.rule == "root-untrusted"


def test_a_resumed_session_of_one_that_was_plain_is_known(root: Path, chains: list[Chain]) -> None:
    judge = PeerJudge(root)
    first, resumed = (Session(chains[0], is_resumed=later) for later in (False, True))

    assert judge.judged(first) == judge.judged(resumed) == (lfdi_of(chains[0][0]), None)


def test_a_resumed_session_of_nobody_that_was_seen_needs_a_full_handshake(
    root: Path, chains: list[Chain]
) -> None:
    _, reason = PeerJudge(root).judged(Session(chains[0], is_resumed=True))

    assert reason is not None
    assert reason.rule == "chain-unseen"


def test_the_cas_that_are_remembered_are_bounded(
    root: Path, chains: list[Chain], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("certs.judge.MOST_SEEN", 1)
    judge = PeerJudge(root)
    judge.judged(Session(chains[0]))

    assert list(judge._seen) == [chains[0][-1]]


def test_files_are_read_once_at_the_start(root: Path, chains: list[Chain], tmp_path: Path) -> None:
    copy = tmp_path / "root.pem"
    copy.write_bytes(root.read_bytes())
    judge = PeerJudge(copy)
    copy.unlink()
    leaf, issuer, *others = chains[0]

    assert judge.judged(Session(chains[0]))[0] == lfdi_of(leaf)
    assert judge.judged(Session((issuer, leaf, *others)))[0] is None


@pytest.mark.parametrize(
    "content", [None, b"", b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"]
)
def test_roots_that_cannot_be_used_are_told_at_the_start(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "root.pem"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(CertsError, match=r"root\.pem"):
        PeerJudge(path)


def test_a_session_is_resumed_by_whom_a_file_names(
    root: Path, pki: Pki, chains: list[Chain], tmp_path: Path
) -> None:
    judge = PeerJudge(root, pki.issue_device("fifth").certificate_path)
    assert judge.judged(Session(chains[1], is_resumed=True))[0] == lfdi_of(chains[1][0])


def test_who_asks_for_no_certificate_loads_no_library_of_them() -> None:
    code = f"import sys, certs; {LOADED}; certs.Pki; {LOADED}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["False", "True"]


def test_a_name_that_the_package_does_not_have_is_an_error() -> None:
    with pytest.raises(AttributeError, match="'nothing'"):
        _ = certs.nothing  # type: ignore[attr-defined]  # that is what is tested


def test_what_a_pem_file_holds_are_its_certificates(pki: Pki) -> None:
    pem = pki.issue_device("fourth").certificate_path.read_bytes()
    read = [one.public_bytes(Encoding.DER) for one in x509.load_pem_x509_certificates(pem)]

    assert list(encodings_of(pem)) == read
    assert encodings_of(pem.replace(b"MII", b"MI")) == ()
