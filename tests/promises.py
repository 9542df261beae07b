"""Where the outcome of a job of a commit goes, as tests look at it."""


class Promise:
    """The flaw of a job, None where it has none."""

    def __init__(self) -> None:
        self.flaw: BaseException | None = None

    def done(self) -> bool:
        """Whether the job has failed."""
        return self.flaw is not None

    def set_exception(self, exception: BaseException, /) -> None:
        """The job has failed."""
        self.flaw = exception
