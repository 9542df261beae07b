"""The log of one server process: level, form, accesses, and where they go."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from sep2_server.process.log_direct import DirectHandler
from sep2_server.process.log_lines import Format, formatter_of
from sep2_server.process.log_writer import AccessLog, LogWriter, WriterHandler
from sep2_server.process.meter import Meter
from sep2_server.settings import Settings


@contextmanager
def logging_of(settings: Settings, meter: Meter) -> Iterator[AccessLog]:
    """While open, everything that this process logs is in the form of the settings and never waits.

    The handlers of before are back afterwards. Call it after a fork, because it starts a thread.
    """
    writer = LogWriter(_form_of(settings))
    meter.gauge("lineside_log_lines_dropped_total", lambda: writer.dropped)
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    root.handlers[:] = [WriterHandler(writer)]
    set_level(settings)
    try:
        yield AccessLog(writer, is_on=settings.access_log)
    finally:
        root.handlers[:] = before
        root.setLevel(level)
        writer.close()


@contextmanager
def direct_logging(settings: Settings) -> Iterator[None]:
    """While open, this process logs without a thread and never waits either: it is one that forks."""
    root = logging.getLogger()
    before = root.handlers[:]
    root.handlers[:] = [DirectHandler(formatter_of(_form_of(settings)))]
    try:
        yield
    finally:
        root.handlers[:] = before


def _form_of(settings: Settings) -> Format:
    return "json" if settings.log_format == "json" else "text"


def set_level(settings: Settings) -> None:
    """Log from the level of the settings on; where they name none, what the command line said holds."""
    if settings.log_level:
        logging.getLogger().setLevel(settings.log_level.upper())
