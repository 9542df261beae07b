"""What the shell never lets through, asked of the core itself; and a certificate that TLS alone lets in."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from certs import Credentials, Pki, lfdi_of, sfdi_of
from schemas import Error
from sep2_server import Environment, Store, settings_of
from sep2_server.access import viewer_of
from sep2_server.action import Action
from sep2_server.bootstrap import prepare
from sep2_server.dispatch import Dispatcher
from sep2_server.documents import Documents, Draft
from sep2_server.end_devices import Enrolment, add_der, add_end_device
from sep2_server.errors import NotFound, StoreError
from sep2_server.event_times import siblings_of
from sep2_server.listing import Listing
from sep2_server.location import locate
from sep2_server.messages import Answer, Request
from sep2_server.rows import Blocked, Row
from sep2_server.shown_items import ShownItem
from sep2_server.transaction import Transaction
from sep2_server.work import Work
from tests.integration.sep2_harness import START, Bench, make_control


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "core.db")
    store.write(lambda tx: prepare(tx, ENVIRONMENT))
    yield store
    store.close()


ENVIRONMENT = Environment.of(settings_of({}))


def request(path: str, lfdi: str, method: str = "GET") -> Request:
    return Request(method=method, path=path, lfdi=lfdi, now=START)


def enrolled(store: Store, pki: Pki) -> str:
    credentials = pki.credentials("core") if (pki.folder / "core").is_dir() else pki.issue_device("core")
    enrolment = Enrolment(lfdi=credentials.lfdi, name="core")
    store.write(lambda tx: add_end_device(tx, ENVIRONMENT, enrolment, START))
    return credentials.lfdi


def test_a_server_without_certificate_has_no_self_device(store: Store, sep2_pki: Pki) -> None:
    lfdi = enrolled(store, sep2_pki)
    dispatcher = Dispatcher(ENVIRONMENT)
    answer = dispatcher.answer(store.reader, request("/sdev", lfdi))
    assert isinstance(answer, Answer)
    assert answer.status == 404


def test_a_method_that_is_none_of_the_five_is_501(store: Store, sep2_pki: Pki) -> None:
    answer = Dispatcher(ENVIRONMENT).answer(store.reader, request("/tm", enrolled(store, sep2_pki), "PATCH"))
    assert isinstance(answer, Answer)
    assert answer.status == 501


def test_work_at_no_resource_is_refused_in_the_transaction_too(store: Store, sep2_pki: Pki) -> None:
    work = Work(ENVIRONMENT, request("/none", enrolled(store, sep2_pki), "DELETE"), None)
    with pytest.raises(NotFound):
        store.write(work)


def test_a_link_to_no_list_counts_nothing(store: Store) -> None:
    documents = Documents(ENVIRONMENT, Listing(ENVIRONMENT))
    dispatcher = Dispatcher(ENVIRONMENT)
    viewer = dispatcher._viewers.of(store.reader, "A" * 40)
    draft = Draft(store.reader, viewer, START)
    assert [documents.count(draft, href) for href in ("/none", "/edev/99/lel", "/derp/9/actderc")] == [
        0,
        0,
        0,
    ]


def test_of_two_who_read_at_once_who_is_refused_the_one_that_began_last_counts(store: Store) -> None:
    """A thread that has read and is not let run for a moment takes nothing back that was read after it."""
    dispatcher, lfdis = Dispatcher(ENVIRONMENT), ("AA" * 20, "BB" * 20)
    store.listen(dispatcher.changed)
    dispatcher.load(store.reader, 0)
    store.write(lambda tx: tx.put_blocked(Blocked(lfdis[0], "stolen", START)))
    reader = store.new_reader()
    blocked, has_read, goes_on = reader.blocked, threading.Event(), threading.Event()

    def slowly() -> list[Blocked]:
        found = blocked()
        has_read.set()
        assert goes_on.wait(10)
        return found

    reader.blocked = slowly  # type: ignore[method-assign]
    late = threading.Thread(target=dispatcher.load, args=(reader,))
    late.start()
    assert has_read.wait(10)
    store.write(lambda tx: tx.put_blocked(Blocked(lfdis[1], "stolen", START)))
    dispatcher.load(store.reader)
    goes_on.set()
    late.join()
    assert [dispatcher.is_blocked(lfdi) for lfdi in lfdis] == [True, True]
    assert not dispatcher.is_load_due


def test_a_document_with_an_item_that_is_private_is_private(store: Store) -> None:
    viewer = Dispatcher(ENVIRONMENT)._viewers.of(store.reader, "A" * 40)
    draft = Draft(store.reader, viewer, START)
    draft.take([ShownItem(b"<EndDevice/>", frozenset({1}), START, START + 9)])
    assert not draft.is_private
    draft.take([ShownItem(b"<EndDevice/>", frozenset({2}), START, START + 5, is_private=True)])
    assert (draft.is_private, draft.until, len(draft.items)) == (True, START + 5, 2)


def test_a_der_needs_its_list(store: Store) -> None:
    with pytest.raises(StoreError, match="no DERList"):
        store.write(lambda tx: add_der(tx, ENVIRONMENT, 99))


def test_an_event_that_left_its_list_has_no_siblings(store: Store) -> None:
    event = make_control("A1", START, 10)
    found = store.write(lambda tx: siblings_of(tx, ENVIRONMENT, Row(1, "/x", "DERControl"), event))
    assert found == []


def test_an_action_on_what_is_not_there_is_refused(store: Store) -> None:
    def job(tx: Transaction) -> Row:
        target = locate(tx, ENVIRONMENT.uris, "/mup/9")
        assert target is not None
        viewer = viewer_of(tx, "A" * 40)
        action = Action(tx=tx, environment=ENVIRONMENT, viewer=viewer, target=target, value=None, now=START)
        return action.row

    with pytest.raises(NotFound):
        store.write(job)


async def test_a_certificate_with_name_constraints_is_403_and_the_connection_closes(bench: Bench) -> None:
    credentials = constrained(bench.pki)
    client = await bench.connect(credentials)
    reply = await client.get("/dcap")
    assert (reply.status, reply.headers["Connection"]) == (403, "close")
    assert reply.decoded(Error).reasonCode == 1


def constrained(pki: Pki) -> Credentials:
    """A device certificate that OpenSSL accepts and the standard refuses: it has name constraints."""
    folder = pki.folder / "ca" / "mica"
    issuer = x509.load_pem_x509_certificate((folder / "cert.pem").read_bytes())
    signer = load_pem_private_key((folder / "key.pem").read_bytes(), password=None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    constraints = x509.NameConstraints([x509.DNSName("example.org")], None)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(constraints, critical=False)
    )
    leaf = builder.sign(signer, hashes.SHA256())
    place = pki.folder / "constrained"
    place.mkdir(exist_ok=True)
    chain = leaf.public_bytes(Encoding.PEM) + issuer.public_bytes(Encoding.PEM)
    (place / "cert.pem").write_bytes(chain)
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (place / "key.pem").write_bytes(secret)
    lfdi = lfdi_of(leaf)
    return Credentials(
        name="constrained",
        certificate_path=place / "cert.pem",
        key_path=place / "key.pem",
        root_path=pki.root_path,
        lfdi=lfdi,
        sfdi=sfdi_of(lfdi),
    )
