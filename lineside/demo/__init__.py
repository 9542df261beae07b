"""The demonstration: a whole system on one machine, and a story that it plays."""

from lineside.demo.cli import add_parser

__all__ = ["add_parser"]
