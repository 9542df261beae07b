"""`lineside server migrate`, `backup` and `restore`: the database of a server, seen from outside."""

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from sep2_server.address import PostgresAddress, is_url
from sep2_server.backup import Told, back_up, restore
from sep2_server.connection import Connection
from sep2_server.errors import StoreError
from sep2_server.files.contents import Contents
from sep2_server.files.stored import digests_of
from sep2_server.folders import open_private
from sep2_server.migrations import MIGRATIONS, format_of, migrate, pending
from sep2_server.operator.commands import FINE, REFUSED, WRONG_USAGE, complain, say
from sep2_server.operator.console import audited
from sep2_server.operator.errors import AuditFailed
from sep2_server.operator.operator_settings import settings_file
from sep2_server.operator.site import read_site
from sep2_server.reader import Reader
from sep2_server.setting_values import SettingsError
from sep2_server.settings import Settings
from sep2_server.store import open_connection

LOOK: Final = "see that the database of the settings is there, and the file whole"


def add_store_parsers(below: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the three commands."""
    parser = _added(below, "migrate", "bring the database to the format of this program", migrate_database)
    parser.add_argument("--dry-run", action="store_true", help="say what would be done")
    parser = _added(below, "backup", "write the database to one file, while servers run", back_up_database)
    parser.add_argument("file", type=Path, metavar="FILE", help="new file, or an older backup; it holds PINs")
    parser = _added(below, "restore", "put a backup into the database of a stopped server", restore_database)
    parser.add_argument("file", type=Path, metavar="FILE", help="file of `lineside server backup`")
    parser.add_argument("--force", action="store_true", help="in the place of what is there")
    parser.add_argument("--verify", action="store_true", help="read it all back and compare")


def migrate_database(args: argparse.Namespace) -> int:
    """Run the steps that the database has not had yet."""

    def run(db: Connection) -> None:
        before = format_of(db)
        steps = pending(db) if args.dry_run else migrate(db)
        for number, step in enumerate(steps, start=before + 1):
            say(f"{number}  {step.name}")
        verb = "would be run" if args.dry_run else "were run"
        say(f"{len(steps)} steps {verb}; the format of this program is {len(MIGRATIONS)}")

    return _with_database(args, run)


def back_up_database(args: argparse.Namespace) -> int:
    """Write the database to a file, which nothing but a backup may be before."""

    def run(db: Connection) -> None:
        if args.file.resolve() in _own_files(args.config):
            raise StoreError(f"{args.file} belongs to the server itself")
        _tell(f"{args.file} is written", back_up(db, args.file))

    return _with_database(args, run, "see that the database is there, and name a new file or an older backup")


def restore_database(args: argparse.Namespace) -> int:
    """Put a file into the database, and compare if asked."""

    def run(db: Connection) -> None:
        site = read_site(args.config)
        with audited(site.operator.folder, "restore database", args.file.name):
            told = restore(db, args.file, is_forced=args.force, is_verified=args.verify, is_told_anew=True)
        _tell("restored and compared" if args.verify else "restored", told)
        _tell_missing(db, site.server.files_folder)

    return _with_database(args, run)


def _own_files(config: Path) -> set[Path]:
    """The settings file of a server, and the files of its database."""
    database = _address(read_site(config).server)
    ends = ("", "-wal", "-shm", "-lock", "-journal") if isinstance(database, Path) else ()
    return {settings_file(config).resolve(), *(Path(f"{database}{end}").resolve() for end in ends)}


def _tell(what: str, told: Told) -> None:
    say(f"{what}: {sum(told.rows.values())} rows, SHA-256 {told.checksum}")


def _tell_missing(db: Connection, folder: Path) -> None:
    """Tell of what files the octets are not here, which no backup holds."""
    contents = Contents(folder)
    missing = sorted(digest for digest in digests_of(Reader(db)) if contents.find(digest) is None)
    if missing:
        complain(
            f"octets of files are not in {folder}, devices cannot load them: {', '.join(missing)}",
            "copy them from the files_folder of the server that was backed up, or give them again: "
            "lineside op file add",
        )


def _with_database(args: argparse.Namespace, run: Callable[[Connection], None], hint: str = LOOK) -> int:
    try:
        address = _address(read_site(args.config).server)
        if isinstance(address, Path):
            os.close(open_private(address, os.O_RDWR))
        db = open_connection(address)
        try:
            run(db)
        finally:
            db.close()
    except SettingsError as flaw:
        complain(str(flaw), "name the folder that `lineside server init` made")
        return WRONG_USAGE
    except (StoreError, AuditFailed, OSError) as flaw:
        complain(str(flaw), getattr(flaw, "hint", hint))
        return REFUSED
    return FINE


def _address(settings: Settings) -> Path | PostgresAddress:
    if is_url(settings.database):
        return PostgresAddress.of(settings.database, settings.database_password)
    return Path(settings.database)


def _added(
    below: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    about: str,
    run: Callable[[argparse.Namespace], int],
) -> argparse.ArgumentParser:
    example = f"example: lineside server {name} --config site" + (
        "" if name == "migrate" else " store.backup"
    )
    parser = below.add_parser(name, help=about, epilog=example)
    parser.add_argument("--config", type=Path, required=True, help="settings file or folder of the server")
    parser.set_defaults(run=run)
    return parser
