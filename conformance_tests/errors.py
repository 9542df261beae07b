"""What ends a case, and what is wrong with how a run was asked for.

ConformanceError
 +- UsageError     the run was asked for wrongly: exit code 2, the text says what to do
 +- TargetError    the target gave nothing that can be judged: a failed case, the run goes on
 +- Ended          the case is decided, its findings say how
 +- Skipped        the case does not apply here, the text says why
"""


class ConformanceError(Exception):
    """Everything that this package raises."""


class UsageError(ConformanceError):
    """The run cannot be made as it was asked for; the text says what to do next."""


class TargetError(ConformanceError):
    """The target hung, closed, or sent what is no answer; the text says what was seen."""


class Ended(ConformanceError):
    """A requirement on which the rest of the case stands does not hold: there is nothing more to see."""


class Skipped(ConformanceError):
    """The case does not apply to this target, or cannot be played here; the text is the reason."""
