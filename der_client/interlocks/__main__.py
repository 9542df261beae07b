"""Bring the tables of a page up to date: `python -m der_client.interlocks docs/failsafe.md`."""

import sys
from pathlib import Path

from der_client.interlocks.page import with_tables

for name in sys.argv[1:]:
    path = Path(name)
    path.write_text(with_tables(path.read_text()))
