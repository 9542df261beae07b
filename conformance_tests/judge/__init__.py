"""The judge of bodies: holds XML against the schema of the standard, and says in plain words what is wrong.

It shares nothing with the codec: the schema is compiled by libxml2 from a schema file, and what is wrong is
explained from the same file.
"""

from conformance_tests.judge.flaws import Flaw, Judgement, Kind
from conformance_tests.judge.judge import Judge
from conformance_tests.judge.parsing import hrefs_of
from conformance_tests.judge.sources import packaged, schema_of

__all__ = ["Flaw", "Judge", "Judgement", "Kind", "hrefs_of", "packaged", "schema_of"]
