"""The files that a FileList shows to one client, out of those that its groups have. IEEE 2030.5-2018, 10."""

from collections.abc import Iterable

from schemas import Codec, DeviceInformation, File
from sep2_server.access import Viewer, is_addressed
from sep2_server.files.fits import Wanted, fits_device, is_wanted
from sep2_server.reader import Reader
from sep2_server.rows import Row
from sep2_server.uris import Uris


class FileShelf:
    """What a client sees of files; `tokens` are what that hangs on beside the files."""

    def __init__(self, reader: Reader, codec: Codec, uris: Uris, viewer: Viewer) -> None:
        self._reader = reader
        self._codec = codec
        self._viewer = viewer
        href = uris.of("DeviceInformation", (viewer.scope,))
        self._about = None if viewer.is_aggregator else reader.by_href(href)

    @property
    def tokens(self) -> frozenset[int]:
        """Rows that decide what is shown: the DeviceInformation, or the EndDevice that has none yet."""
        return frozenset({self._viewer.scope, *([self._about.id] if self._about else [])})

    def shown(self, rows: Iterable[Row], wanted: Wanted) -> list[bytes]:
        """The files, out of these, that the client sees; an aggregator sees those of all its devices."""
        information = (
            None if self._about is None else self._codec.decode_fragment(self._about.body, DeviceInformation)
        )
        return [row.body for row in rows if self._is_shown(row, information, wanted)]

    def _is_shown(self, row: Row, information: DeviceInformation | None, wanted: Wanted) -> bool:
        if not is_addressed(self._reader, self._viewer, row):
            return False
        file = self._codec.decode_fragment(row.body, File)
        return fits_device(file, information) and is_wanted(file, wanted)
