"""Reading what strangers send, so that nothing of it stays behind."""

from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from schemas import Codec
from sep2_server.errors import Busy

T = TypeVar("T")


def decoded(codec: Codec, data: bytes, expected: type[T] | tuple[type[T], ...], most: int) -> T:
    """The resource in a document, as `Codec.decode` gives it. Raises Malformed, or Busy for want of a thread.

    The parser keeps every name that it meets for as long as its thread lives: what holds other names than the
    schema is read in a thread that ends with it.
    """
    if len(data) > most or codec.is_plain(data):
        return codec.decode(data, expected, most=most)
    with ThreadPoolExecutor(1, "sep2-stranger") as thread:
        try:
            told = thread.submit(lambda: codec.alone().decode(data, expected, most=most))
        except RuntimeError as flaw:
            raise Busy(f"no thread for a document with foreign names: {flaw}") from flaw
        return told.result()
