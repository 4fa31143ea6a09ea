"""Why a statement does not run: what Redshift would refuse, and what only this stand-in lacks."""

__all__ = ["NotLocalError", "RedshiftRefusalError", "StatementError"]


class StatementError(Exception):
    """The statement fails, and the message is what DescribeStatement shows."""


class RedshiftRefusalError(StatementError):
    """Redshift refuses this, so the local warehouse does."""

    def __init__(self, what: str, reason: str) -> None:
        super().__init__(f"ERROR: {what}\n  Detail: {reason}")


class NotLocalError(StatementError):
    """Redshift runs this, the local warehouse does not."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"ERROR: the local warehouse does not run {what}\n  Detail: Redshift does; it is not built here."
        )
