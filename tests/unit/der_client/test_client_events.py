import pytest

from der_client.errors import MissingError


def test_an_exchange_that_failed_names_its_uri() -> None:
    error = MissingError("/dcap", "404", 404)

    assert (str(error), error.href, error.status) == ("/dcap: 404", "/dcap", 404)
    with pytest.raises(MissingError):
        raise error
