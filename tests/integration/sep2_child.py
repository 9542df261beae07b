"""A server in a process of its own, to be killed: `python -m tests.integration.sep2_child FOLDER PKI`."""

import asyncio
import sys
from pathlib import Path

from certs import Pki
from sep2_server import Sep2Server, Store
from tests.integration.sep2_harness import server_settings


async def main(folder: Path, pki: Pki) -> None:
    """Serve until killed; the first line of output is the port."""
    settings = server_settings(folder, pki)
    async with Sep2Server(settings, Store(settings.database)) as server:
        sys.stdout.write(f"{server.port}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Pki.open(Path(sys.argv[2]))))
