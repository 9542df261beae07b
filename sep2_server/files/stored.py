"""Which octets belong to a File: the row at its fileURI holds SHA-256 and size. IEEE 2030.5-2018, 10."""

import asyncio
from functools import partial
from typing import Final

from sep2_server.bookkeeping import LET_GO
from sep2_server.environment import Environment
from sep2_server.extra_routes import FILE_CONTENT
from sep2_server.files.contents import Content, Contents
from sep2_server.messages import Download
from sep2_server.reader import Reader
from sep2_server.rows import EVERYBODY, Row
from sep2_server.store import Store
from sep2_server.transaction import Transaction

BATCH: Final = 1000
KEPT_S: Final = 86_400
"""How long octets stay that have no file any more, or none yet."""

CLOCKS_S: Final = 3600
"""How far the clocks of disk and database may be apart, s: octets newer than that were sent again."""


def put_content(
    tx: Transaction, environment: Environment, file_id: int, content: Content, scope: int = EVERYBODY
) -> Row:
    """Store which octets a File has; `scope` is the EndDevice that alone may load them."""
    href = environment.uris.of(FILE_CONTENT, (file_id,))
    body = f"{content.digest} {content.size}".encode()
    return tx.insert(Row(tx.next_id(), href, FILE_CONTENT, owner_id=file_id, scope=scope, body=body))


def content_of(row: Row) -> Content:
    """The octets that a row at a fileURI stands for."""
    digest, size = row.body.decode().split()
    return Content(digest, int(size))


def download_of(environment: Environment, row: Row, lfdi: str) -> Download:
    """The octets at a fileURI, for a client to load."""
    content = content_of(row)
    return Download(
        href=row.href,
        path=contents_of(environment).path(content.digest),
        size=content.size,
        route=FILE_CONTENT,
        etag=f'"{content.digest}"',
        lfdi=lfdi,
    )


async def sweep_contents(store: Store, environment: Environment, now: float) -> int:
    """Remove octets that this database let go of a day ago and has no file of; how many.

    All others stay: the folder may be that of another database too. `now` is the disk's time, s.
    """
    contents = contents_of(environment)
    await asyncio.to_thread(contents.clear, now)
    if not await store.ask(partial(_aged, now=now)):
        return 0
    return await store.do(partial(_sweep, contents=contents, now=now))


def _sweep(tx: Transaction, contents: Contents, now: float) -> int:
    """Inside of the writer, so that no file comes to refer to octets meanwhile; what came later stays."""
    digests = digests_of(tx)
    gone = 0
    for digest, since in _aged(tx, now).items():
        if digest not in digests:
            gone += contents.remove(digest, since + CLOCKS_S)
        tx.delete_option(LET_GO + digest)
    return gone


def _aged(reader: Reader, now: float) -> dict[str, int]:
    """The octets that were let go of a day ago, by SHA-256: when that was."""
    options = reader.options().items()
    noted = {name.removeprefix(LET_GO): int(at) for name, at in options if name.startswith(LET_GO)}
    return {digest: since for digest, since in noted.items() if since < now - KEPT_S}


def digests_of(reader: Reader) -> frozenset[str]:
    """SHA-256 of all that files refer to."""
    found: set[str] = set()
    after = 0
    while rows := reader.of_kind(FILE_CONTENT, after_id=after, limit=BATCH):
        found |= {content_of(row).digest for row in rows}
        after = rows[-1].id
    return frozenset(found)


def contents_of(environment: Environment) -> Contents:
    """The folder of the octets of all files."""
    return Contents(environment.settings.files_folder)
