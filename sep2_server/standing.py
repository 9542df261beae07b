"""Links across the tree, of accounts and of file states, lead to what may be removed later.

What is stored keeps the link; a client is shown only those that lead somewhere.
"""

import re
from collections.abc import Callable
from typing import Final

_KINDS: Final = (b"<CustomerAccount ", b"<CustomerAgreement ", b"<Prepayment ", b"<FileStatus ")
_LINK: Final = re.compile(
    rb'<(?:File|Prepayment|ServiceSupplier|TariffProfile|UsagePoint)Link href="([^"]*)"/>'
)


def standing(fragment: bytes, stands: Callable[[str], bool]) -> bytes:
    """A fragment without the links of which `stands(href)` is false."""
    if not fragment.startswith(_KINDS):
        return fragment
    return _LINK.sub(lambda found: found[0] if stands(found[1].decode()) else b"", fragment)
