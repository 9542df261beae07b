"""`lineside` whose disk takes nothing more once there is a file `hang` in the folder, which is then gone.

To run: `python -m tests.integration.process.hung_disk server run ...`.
LINESIDE_HAND=thread lets a thread sync.
"""

import os
import sys
import threading
from pathlib import Path
from typing import Final

from lineside.__main__ import main
from sep2_server import log_syncer
from sep2_server.kernel_sync import KernelSync

MARK: Final = "hang"
HAND: Final = "LINESIDE_HAND"


def hanging(folder: Path) -> None:
    """Let a sync of the log hang where it is to; the interpreter waits as it does for the system."""
    begin, sync, mark = KernelSync.begin, os.fdatasync, folder / MARK

    def begun(kernel: KernelSync, file: int) -> None:
        if mark.exists():
            mark.unlink()
            kernel.is_under_way = True
        else:
            begin(kernel, file)

    def synced(file: int) -> None:
        if mark.exists():
            mark.unlink()
            threading.Event().wait()
        sync(file)

    KernelSync.begin = begun  # type: ignore[assignment,method-assign]
    os.fdatasync = synced  # type: ignore[assignment]
    if os.environ.get(HAND) == "thread":
        log_syncer._kernel = _none


def _none() -> None:
    """No kernel that syncs."""


if __name__ == "__main__":
    hanging(Path(sys.argv[sys.argv.index("--config") + 1]))
    sys.exit(main())
