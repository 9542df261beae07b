"""Text of strangers as an operator sees it: nothing in it steers a terminal or begins another line."""


def one_line(text: str) -> str:
    """A text on one line: as it is where every character is printable, otherwise escaped as a whole."""
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")


def printable_json(text: str) -> str:
    """The text of a JSON value with what is not printable escaped, the ends of its lines excepted."""
    if text.replace("\n", "").isprintable():
        return text
    return "".join(one if one.isprintable() or one == "\n" else _escaped(one) for one in text)


def _escaped(character: str) -> str:
    """A character as JSON escapes it, in one or two units of UTF-16."""
    octets = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{octets[at : at + 2].hex()}" for at in range(0, len(octets), 2))
