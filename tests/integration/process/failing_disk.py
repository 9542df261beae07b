"""`lineside` of which a process fails to sync once a file `fail` in the folder, which is then gone, names it.

To run: `python -m tests.integration.process.failing_disk server run ...`.
"""

import os
import sys
from pathlib import Path
from typing import Final

from lineside.__main__ import main
from sep2_server.kernel_sync import KernelSync

MARK: Final = "fail"


def failing(folder: Path) -> None:
    """Let a sync of the log fail where it is to, whoever syncs."""
    end, sync, mark = KernelSync.end, os.fdatasync, folder / MARK

    def is_meant() -> bool:
        if not mark.exists() or mark.read_text() != str(os.getpid()):
            return False
        mark.unlink()
        return True

    def ended(kernel: KernelSync) -> OSError | None:
        return end(kernel) or (OSError(5, "Input/output error") if is_meant() else None)

    def synced(file: int) -> None:
        if is_meant():
            raise OSError(5, "Input/output error")
        sync(file)

    KernelSync.end = ended  # type: ignore[assignment,method-assign]
    os.fdatasync = synced  # type: ignore[assignment]


if __name__ == "__main__":
    failing(Path(sys.argv[sys.argv.index("--config") + 1]))
    sys.exit(main())
