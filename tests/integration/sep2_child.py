"""A server in a process, to be killed: `python -m tests.integration.sep2_child FOLDER PKI DATABASE`."""

import asyncio
import sys
from pathlib import Path

from certs import Pki
from sep2_server import Sep2Server, Store
from tests.integration.sep2_harness import server_settings


async def main(folder: Path, pki: Pki, database: str) -> None:
    """Serve until killed; the first line of output is the port."""
    settings = server_settings(folder, pki, database=database)
    async with Sep2Server(settings, Store.of(settings)) as server:
        sys.stdout.write(f"{server.port}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Pki.open(Path(sys.argv[2])), sys.argv[3]))
