"""Reading what strangers send, so that nothing of it stays behind."""

from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from schemas import Codec

T = TypeVar("T")


def decoded(codec: Codec, data: bytes, expected: type[T] | tuple[type[T], ...], most: int) -> T:
    """The resource in a document, as `Codec.decode` gives it. Raises Malformed.

    The parser keeps every name that it meets for as long as its thread lives: what holds other names than the
    schema is read in a thread that ends with it.
    """
    if len(data) > most or codec.is_plain(data):
        return codec.decode(data, expected, most=most)
    with ThreadPoolExecutor(1, "sep2-stranger") as thread:
        return thread.submit(lambda: codec.alone().decode(data, expected, most=most)).result()
