"""What can be wrong with a MySQL source, each as its own error.

SourceError (core)
├── MissingTableError        a table named in the configuration is not there
├── UnsupportedTableError    a table that cannot be replicated exactly (no primary key, versioned, a view ...)
├── UnsupportedColumnError   a column type without an exact Arrow form
└── MissingBinlogError       the binlog is off, unreadable, or the needed file is gone
"""

from shoplake_core.errors import SourceError

__all__ = ["MissingBinlogError", "MissingTableError", "UnsupportedColumnError", "UnsupportedTableError"]


class MissingTableError(SourceError):
    """A table that was named is not on the server, or the user may not see it."""

    code = "SOURCE_TABLE_MISSING"


class UnsupportedTableError(SourceError):
    """A table cannot be replicated exactly."""

    code = "SOURCE_TABLE_UNSUPPORTED"


class UnsupportedColumnError(SourceError):
    """A column has a type without an exact Arrow form."""

    code = "SOURCE_COLUMN_UNSUPPORTED"


class MissingBinlogError(SourceError):
    """The binary log is off, cannot be read, or no longer holds what is needed."""

    code = "SOURCE_BINLOG_MISSING"
