"""Errors of the event model.

EventError
 +- OptError       an opt that the standard does not allow, or of an event that is not there; ours, never sent
 +- StoredError    a kept state that cannot be read: another version of the program, or damaged
"""


class EventError(Exception):
    """What can go wrong with events on our side."""


class OptError(EventError):
    """An opt may not be made like this; the text says why."""


class StoredError(EventError):
    """A kept state cannot be read."""
