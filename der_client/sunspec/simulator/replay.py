"""A captured register image as a device: text in, registers out, nothing moves.

One line holds an address and up to 16 words in hex (`40000: 5375 6E53 0001 0042`); `----` is a register that
was not captured, `#` begins a comment.
"""

from collections.abc import Mapping, Sequence

from der_client.sunspec.simulator.bank import ILLEGAL_ADDRESS, IllegalRequestError

NOT_CAPTURED = "----"


def parse_image(text: str, fill: int | None = None) -> dict[int, int]:
    """Registers by address; `fill` goes where none was captured between the first and the last.

    Raises ValueError for a line of another form.
    """
    words: dict[int, int] = {}
    for line in text.splitlines():
        head, _, tail = line.partition("#")[0].partition(":")
        if head.strip():
            start = int(head)
            words |= {start + i: int(word, 16) for i, word in enumerate(tail.split()) if word != NOT_CAPTURED}
    if fill is None or not words:
        return words
    return dict.fromkeys(range(min(words), max(words) + 1), fill) | words


class ReplayStore:
    """The registers of an image. `words` may be changed by the owner; a bus cannot write them."""

    def __init__(self, words: Mapping[int, int]) -> None:
        self.words = dict(words)

    def read(self, address: int, count: int) -> list[int]:
        """Registers of the image. Raises IllegalRequestError for one that was not captured."""
        try:
            return [self.words[address + i] for i in range(count)]
        except KeyError as error:
            raise IllegalRequestError(ILLEGAL_ADDRESS, f"register {error} was not captured") from None

    def write(self, address: int, words: Sequence[int]) -> None:
        """Raises IllegalRequestError always: an image is read-only."""
        raise IllegalRequestError(ILLEGAL_ADDRESS, f"{address}+{len(words)} is read-only")
