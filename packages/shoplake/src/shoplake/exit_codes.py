"""The exit codes of the command, all of them."""

from enum import IntEnum

__all__ = ["ExitCode"]


class ExitCode(IntEnum):
    """What the shell is told."""

    DONE = 0
    WORK_FAILED = 1  # a step, a test or a check of the data
    USAGE = 2  # flags or configuration
    CREDENTIALS = 3
    RESOURCE = 4  # a server, the cloud
    INTERRUPTED = 130  # Ctrl-C
