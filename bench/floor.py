"""The floor of the server's promises: a bare aiohttp handler under the same TLS that returns the same bytes.

`python -m bench.floor PKI ANSWERS [PORT]` serves the answers of a JSON file (method, path, status, location,
body) with the certificates of a PKI and writes its port to standard output; several may share one. It reads
the body of a PUT or POST and does nothing with it.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import uvloop
from aiohttp import web

from certs import server_context

SEP_XML = {"Content-Type": "application/sep+xml"}


async def serve(pki: Path, answers: list[dict[str, Any]], port: int) -> None:
    """Serve until the process is told to stop."""
    known = {(a["method"], a["path"]): _made(a) for a in answers}

    async def answer(request: web.BaseRequest) -> web.Response:
        if request.method in {"PUT", "POST"}:
            await request.read()
        status, headers, body = known[request.method, request.raw_path]
        return web.Response(status=status, body=body, headers=headers)

    runner = web.ServerRunner(web.Server(answer, access_log=None))
    await runner.setup()
    context = server_context(pki / "server" / "cert.pem", pki / "server" / "key.pem", pki / "root.pem")
    place = web.TCPSite(runner, "127.0.0.1", port, ssl_context=context, backlog=4096, reuse_port=True)
    await place.start()
    sys.stdout.write(f"{runner.addresses[0][1]}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


def _made(answer: dict[str, Any]) -> tuple[int, dict[str, str], bytes | None]:
    if answer.get("body") is not None:
        return answer["status"], SEP_XML, answer["body"].encode()
    location = answer.get("location")
    return answer["status"], {"Location": location} if location else {}, None


if __name__ == "__main__":
    wanted = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    uvloop.run(serve(Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text()), wanted))
