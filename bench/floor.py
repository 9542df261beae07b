"""The floor of the server's promise: a bare aiohttp handler under the same TLS that returns the same bytes.

`python -m bench.floor SITE BODIES` serves the bodies of a JSON file (path to text) with the certificates of
the site and writes its port to standard output.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import uvloop
from aiohttp import web

from certs import server_context

HEADERS = {"Content-Type": "application/sep+xml"}


async def serve(site: Path, bodies: dict[str, bytes]) -> None:
    """Serve until the process is told to stop."""

    async def answer(request: web.BaseRequest) -> web.Response:
        return web.Response(body=bodies[request.raw_path], headers=HEADERS)

    runner = web.ServerRunner(web.Server(answer, access_log=None))
    await runner.setup()
    pki = site / "pki"
    context = server_context(pki / "server" / "cert.pem", pki / "server" / "key.pem", pki / "root.pem")
    place = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await place.start()
    sys.stdout.write(f"{runner.addresses[0][1]}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    texts = json.loads(Path(sys.argv[2]).read_text())
    uvloop.run(serve(Path(sys.argv[1]), {path: text.encode() for path, text in texts.items()}))
