"""What devices do differently, as data: entries of YAML files, matched by the common model of a device.

`inverters.yaml` has those that are known; a file of the operator has the same form and wins. Nothing of YAML
is loaded before the first device is made.
"""

from der_client.sunspec.quirks.book import QuirkBook, load_book
from der_client.sunspec.quirks.entry import Quirk, QuirkError, QuirkFields, parse_quirks

__all__ = ["Quirk", "QuirkBook", "QuirkError", "QuirkFields", "load_book", "parse_quirks"]
