"""`lineside` of which one process is killed between a commit and its answer: `kill` in the folder says when.

The file is gone once that was done. To run: `python -m tests.integration.process.answerless server run ...`.
"""

import os
import signal
import sys
from pathlib import Path

from aiohttp import web

from lineside.__main__ import main
from sep2_server.operator import api
from sep2_server.operator.counter import Reply
from sep2_server.operator.guests import response_to

MARK = "kill"


def dying(folder: Path) -> None:
    """Let the process that has the next answer to what was done die before it gives it."""
    mark = folder / MARK

    def respond(reply: Reply) -> web.Response:
        if "mRID" in reply.body and mark.exists():
            mark.unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        return response_to(reply)

    api.response_to = respond  # type: ignore[attr-defined]


if __name__ == "__main__":
    dying(Path(sys.argv[sys.argv.index("--config") + 1]))
    sys.exit(main())
