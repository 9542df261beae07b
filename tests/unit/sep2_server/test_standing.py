"""Links of accounts, agreements, prepayments and file states are shown as far as they lead somewhere."""

import pytest

from sep2_server.standing import standing


@pytest.mark.parametrize("kind", ["CustomerAccount", "CustomerAgreement", "Prepayment", "FileStatus"])
@pytest.mark.parametrize("link", ["File", "Prepayment", "ServiceSupplier", "TariffProfile", "UsagePoint"])
def test_a_link_to_what_is_not_there_is_left_out(kind: str, link: str) -> None:
    kept, gone = f'<{link}Link href="/kept"/>', f'<{link}Link href="/gone"/>'
    body = f'<{kind} href="/x"><mRID>A1</mRID>{kept}{gone}</{kind}>'.encode()
    assert standing(body, lambda href: href == "/kept") == body.replace(gone.encode(), b"")


def test_other_links_and_other_resources_are_shown_as_they_are() -> None:
    link = b'<UsagePointLink href="/gone"/>'
    for body in (b'<DER href="/x">' + link + b"</DER>", b'<Prepayment href="/x"><XLink href="/gone"/>'):
        assert standing(body, lambda _: False) == body
