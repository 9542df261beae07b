"""The EndDevices of a list that are ours, found without comparing each with each. Pure."""

from collections.abc import Iterable, Sequence

from der_client.discovery import Identity, entry_of
from schemas import EndDevice


class Entries:
    """The entry of each identity in the EndDeviceList."""

    def __init__(self, identities: Sequence[Identity]) -> None:
        self._identities = tuple(identities)
        self._by_lfdi = {one.lfdi.upper(): n for n, one in enumerate(identities) if one.lfdi}
        self._by_sfdi = {one.sfdi: n for n, one in enumerate(identities)}
        self._own: list[EndDevice | None] = [None] * len(self._identities)

    def of(self, number: int) -> EndDevice | None:
        """The entry of an identity, None where the server shows none."""
        return self._own[number]

    def clear(self) -> None:
        """Forget all."""
        self._own = [None] * len(self._identities)

    def put_one(self, entry: EndDevice) -> int | None:
        """Take an entry that has changed; the number of whose it is, None for nobody's or no news."""
        number = self._number_of(entry)
        if number is None or self._own[number] == entry:
            return None
        self._own[number] = entry
        return number

    def put(self, entries: Iterable[EndDevice]) -> set[int]:
        """Take a new list; the numbers of those whose entry has changed."""
        found: dict[int, list[EndDevice]] = {}
        for entry in entries:
            number = self._number_of(entry)
            if number is not None:
                found.setdefault(number, []).append(entry)
        own = [entry_of(identity, found.get(n, ())) for n, identity in enumerate(self._identities)]
        changed = {n for n, entry in enumerate(own) if entry != self._own[n]}
        self._own = own
        return changed

    def _number_of(self, entry: EndDevice) -> int | None:
        by_lfdi = self._by_lfdi.get((entry.lFDI or "").upper())
        return self._by_sfdi.get(entry.sFDI) if by_lfdi is None else by_lfdi
