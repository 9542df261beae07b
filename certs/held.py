"""TLS of a server whose files are held in memory as they were last good, for it and what it forks. Linux.

Files change at any moment: who starts later, or makes a context of its own, gets what was good all the same.
"""

import fcntl
import json
import os
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from certs.errors import CertsError, NotThereError
from certs.learnt import LearntIssuers
from certs.server_side import ServerTls, TlsFiles

_NAME: Final = "lineside-tls"
_HERE: Final = Path("/proc/self/fd")


class HeldTls(ServerTls):
    """Made from copies; `files` names those of this process, which stay at their paths.

    The process that made it reads files with `renew`; those that it forked `follow`.
    """

    def __init__(self, files: TlsFiles, learnt: LearntIssuers | None = None) -> None:
        """Read the files. CertsError for those that cannot be used; it names them."""
        self._record = os.memfd_create(_NAME)
        self._copies: list[int] = []
        weakref.finalize(self, _close, self._record, self._copies)
        self._hold(files)
        super().__init__(self._copied(files), learnt)

    def renew(self, files: TlsFiles | None = None) -> None:
        """As that of ServerTls: what was read is what all processes get from now on."""
        if files is not None:
            self._hold(files)
        self.follow()

    def follow(self) -> None:
        """Use what was last good, whoever of the processes has read it."""
        super().renew(self._copied(self.files))

    def _hold(self, files: TlsFiles) -> None:
        """Read each file once and hold what is good. CertsError: it is not, and what was held stays."""
        named = _paths(files)
        found = [_read(path) for path in named]
        copies = _copies_of(found)
        try:
            ServerTls(_at(files, copies))
        except CertsError as flaw:
            told = str(flaw)
            for path, copy in zip(named, copies, strict=True):
                told = told.replace(str(_HERE / str(copy)), str(path))
            raise type(flaw)(told) from flaw
        finally:
            for copy in copies:
                os.close(copy)
        encoded = json.dumps([one.hex() for one in found]).encode()
        with _locked(self._record, fcntl.LOCK_EX):
            os.pwrite(self._record, encoded, 0)
            os.ftruncate(self._record, len(encoded))

    def _copied(self, like: TlsFiles) -> TlsFiles:
        """Files with what is held, of this process alone: a copy takes the place of the one before."""
        with _locked(self._record, fcntl.LOCK_SH):
            encoded = os.pread(self._record, os.fstat(self._record).st_size, 0)
        fresh = _copies_of([bytes.fromhex(one) for one in json.loads(encoded)])
        for number, copy in enumerate(fresh[: len(self._copies)]):
            os.dup2(copy, self._copies[number], inheritable=False)
            os.close(copy)
        self._copies += fresh[len(self._copies) :]
        return _at(like, self._copies[: len(fresh)])


def _close(record: int, copies: Sequence[int]) -> None:
    """Let go of what was held, when nobody uses it any more."""
    for one in (record, *copies):
        os.close(one)


def _paths(files: TlsFiles) -> tuple[Path, ...]:
    return files.certificate, files.key, files.roots, *files.extra_trusted


def _at(files: TlsFiles, copies: Sequence[int]) -> TlsFiles:
    certificate, key, roots, *extra = (_HERE / str(copy) for copy in copies)
    return replace(files, certificate=certificate, key=key, roots=roots, extra_trusted=tuple(extra))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as flaw:
        raise NotThereError(f"{path}: {(flaw.strerror or 'unreadable').lower()}") from flaw


def _copies_of(contents: Sequence[bytes]) -> list[int]:
    """A file in memory for each content, or OSError and none."""
    made: list[int] = []
    try:
        for content in contents:
            made.append(os.memfd_create(_NAME))
            os.pwrite(made[-1], content, 0)
    except OSError:
        for one in made:
            os.close(one)
        raise
    return made


@contextmanager
def _locked(record: int, how: int) -> Iterator[None]:
    """A lock that the system takes back from a process that dies."""
    fcntl.lockf(record, how)
    try:
        yield
    finally:
        fcntl.lockf(record, fcntl.LOCK_UN)
