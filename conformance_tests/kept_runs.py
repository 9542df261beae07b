"""What is told of runs that are over: two beside each other, and a page of several."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from conformance_tests.errors import UsageError
from conformance_tests.reports.compare import changes, compared
from conformance_tests.reports.markdown import Column, markdown_of
from conformance_tests.reports.record import read_report

if TYPE_CHECKING:
    import argparse


def compare_runs(args: argparse.Namespace) -> int:
    """Show what changed from `before` to `after`; 1 where something is worse."""
    before, after = read_report(args.before), read_report(args.after)
    width = shutil.get_terminal_size().columns
    sys.stdout.writelines(f"{line}\n" for line in compared(before, after, width))
    return int(any(one.is_worse for one in changes(before, after)))


def report_runs(args: argparse.Namespace) -> int:
    """Write a page of `runs`, to a file or to standard output."""
    page = markdown_of(args.title, [_column(one) for one in args.runs])
    if args.markdown is None:
        sys.stdout.write(page)
        return 0
    try:
        args.markdown.write_text(page, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{args.markdown} cannot be written: {error.strerror}") from error
    return 0


def _column(given: str) -> Column:
    name, _, path = given.rpartition("=")
    kept = read_report(Path(path))
    return Column(name=name or f"{kept.role}, {kept.profile}", kept=kept)
