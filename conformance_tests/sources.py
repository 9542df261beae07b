"""The documents that cases are of, by the names that reports have of them."""

from typing import Final

STANDARD: Final = "IEEE 2030.5-2018"
CSIP: Final = "SunSpec CSIP Conformance Test Procedures v1.3"
