"""What is measured in a process of its own is measured as it runs for users, not slowed down by coverage."""

import os


def plain_environment() -> dict[str, str]:
    """The environment for a process that is measured: without what lets coverage begin in it."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("COVERAGE_", "COV_"))}
