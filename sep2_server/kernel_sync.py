"""Has the kernel sync a file while the caller does other work (Linux, native AIO).

A thread that syncs has to be woken, to wait for the interpreter and to wake the loop, which all together
takes more CPU than the sync. The kernel counts up an eventfd instead, which the loop looks at anyway.
"""

import ctypes
import os
import platform
import select
import sys
from errno import EBUSY, ENOSYS
from typing import ClassVar, Final

_NUMBERS: Final = {"x86_64": (206, 207, 208, 209), "aarch64": (0, 1, 4, 2)}
"""Of the calls io_setup, io_destroy, io_getevents and io_submit."""
_WIDE: Final = 2**32
"""`sys.maxsize` of a process of 64 bits is above; to one of 32 bits the numbers mean other calls."""
_FDSYNC: Final = 3
_TELLS_EVENTFD: Final = 1


class _Request(ctypes.Structure):
    """`struct iocb` of <linux/aio_abi.h>."""

    _fields_: ClassVar = [
        ("data", ctypes.c_uint64),
        ("key", ctypes.c_uint32),
        ("rw_flags", ctypes.c_uint32),
        ("operation", ctypes.c_uint16),
        ("priority", ctypes.c_int16),
        ("file", ctypes.c_uint32),
        ("buffer", ctypes.c_uint64),
        ("octets", ctypes.c_uint64),
        ("offset", ctypes.c_int64),
        ("reserved", ctypes.c_uint64),
        ("flags", ctypes.c_uint32),
        ("eventfd", ctypes.c_uint32),
    ]


class _Event(ctypes.Structure):
    """`struct io_event` of <linux/aio_abi.h>."""

    _fields_: ClassVar = [
        ("data", ctypes.c_uint64),
        ("request", ctypes.c_uint64),
        ("result", ctypes.c_int64),
        ("further", ctypes.c_int64),
    ]


class KernelSync:
    """One sync at a time; `fileno` can be read from once it has ended."""

    under_way: ClassVar[int] = 0
    """How many there are in this process."""

    def __init__(self) -> None:
        """OSError where the system cannot do so, or does not let this process."""
        self._setup, self._destroy, self._take, self._submit = map(ctypes.c_long, _numbers())
        self._call = ctypes.CDLL(None, use_errno=True).syscall
        self._context = ctypes.c_ulong(0)
        self._eventfd = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._request = _Request(operation=_FDSYNC, flags=_TELLS_EVENTFD, eventfd=self._eventfd)
        self._event = _Event()
        requests = (ctypes.POINTER(_Request) * 1)(ctypes.pointer(self._request))
        one = ctypes.c_long(1)
        self._submission = (self._submit, self._context, one, requests)
        self._taking = (self._take, self._context, one, one, ctypes.byref(self._event), None)
        self.is_under_way = False
        try:
            self._open()
        except OSError:
            self.close()
            raise

    def _open(self) -> None:
        """Have the kernel hold what this needs. OSError where it refuses that, or one of the later calls."""
        none = ctypes.c_long(0)
        self._require(self._call(self._setup, ctypes.c_long(1), ctypes.byref(self._context)) == 0)
        self._require(self._call(self._submit, self._context, none, None) == 0)
        self._require(self._call(self._take, self._context, none, none, None, None) == 0)

    def fileno(self) -> int:
        """The eventfd."""
        return self._eventfd

    def begin(self, file: int) -> None:
        """Begin to make durable what a file has now. OSError where that cannot be begun; nothing is lost."""
        if self.is_under_way:
            raise OSError(EBUSY, os.strerror(EBUSY))
        self._request.file = file
        self._require(self._call(*self._submission) == 1)
        self.is_under_way = True
        KernelSync.under_way += 1

    def end(self) -> OSError | None:
        """What kept the file from being durable, if anything; this waits until it is known."""
        try:
            os.eventfd_read(self._eventfd)
        except BlockingIOError:
            ended = select.poll()
            ended.register(self._eventfd, select.POLLIN)
            ended.poll()
            os.eventfd_read(self._eventfd)
        self.is_under_way = False
        KernelSync.under_way -= 1
        self._require(self._call(*self._taking) == 1)
        code = -self._event.result
        return OSError(code, os.strerror(code)) if code else None

    def close(self) -> None:
        """Give back what the kernel holds for this; a sync that is under way is waited for."""
        if self.is_under_way:
            self.end()
        if self._context.value:
            self._call(self._destroy, self._context)
        os.close(self._eventfd)

    @staticmethod
    def _require(has_worked: bool) -> None:
        if not has_worked:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))


def _numbers() -> tuple[int, int, int, int]:
    """Of the calls, for this process. OSError where they are not known."""
    numbers = _NUMBERS.get(platform.machine())
    if numbers is None or sys.platform != "linux" or sys.byteorder != "little" or sys.maxsize < _WIDE:
        raise OSError(ENOSYS, os.strerror(ENOSYS))
    return numbers
