"""Tokens: what is asked for, how long they hold, and that no text shows them. RFC 6749, 4.4."""

import pytest

from openadr_ven.v3.errors import AuthError
from openadr_ven.v3.tokens import Credentials, Token, form_of, token_of, token_url_of


def test_everything_is_in_the_form() -> None:
    plain = Credentials(client_id="ven", client_secret="hush")

    assert form_of(plain) == {
        "grant_type": "client_credentials",
        "client_id": "ven",
        "client_secret": "hush",
    }
    assert form_of(Credentials(client_id="v", client_secret="h", scope="write_reports"))["scope"] == (
        "write_reports"
    )


@pytest.mark.parametrize(
    ("life", "after_s"),
    [(3600, 3540), (120, 108), (10, 9), ("3600", 3540), (0, 1), (-5, 1)],
)
def test_token_is_renewed_ahead_of_its_end(life: object, after_s: float) -> None:
    found = token_of({"access_token": "t", "token_type": "Bearer", "expires_in": life}, 100.0)

    assert found.renew_at == pytest.approx(100.0 + after_s)
    assert found.is_fresh(100.0 + after_s - 0.5)
    assert not found.is_fresh(100.0 + after_s)


def test_token_without_an_end_holds_until_it_is_refused() -> None:
    assert token_of({"access_token": "t"}, 0.0).is_fresh(1e12)


@pytest.mark.parametrize(
    "found",
    [
        None,
        [],
        {},
        {"access_token": ""},
        {"access_token": 7},
        {"access_token": "a\r\nX: y"},
        {"access_token": "a b"},
        {"access_token": "ü"},
        {"access_token": "a" * 9000},
        {"access_token": "t", "token_type": "mac"},
        {"access_token": "t", "expires_in": "soon"},
    ],
)
def test_answer_without_a_usable_token_is_an_error(found: object) -> None:
    with pytest.raises(AuthError):
        token_of(found, 0.0)


def test_secrets_are_in_no_text() -> None:
    texts = repr(Credentials(client_id="v", client_secret="hush")) + repr(Token("hush", None))

    assert "hush" not in texts


def test_token_server_is_what_the_vtn_tells() -> None:
    assert token_url_of({"tokenURL": "https://a/token"}) == "https://a/token"
    with pytest.raises(AuthError):
        token_url_of({"url": "https://a"})
