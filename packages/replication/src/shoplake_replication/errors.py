"""What stops the replicator, each as its own error.

SourceError (core)
├── SourceSettingError       a server setting under which changes would be lost or misread
├── UnreadableEventError     an event in the stream that cannot be carried on exactly
├── LineageError             the saved position belongs to another server's binlog
└── (MissingBinlogError, of shoplake_mysql: the needed binlog file is gone)
ConfigError (core)
└── UnsupportedSettingError  a DMS setting that is not honoured here
ConflictError (core)
└── TakenOverError           another replicator uses the same state folder or server id
ResourceError (core)
└── BronzeUnreachableError   S3 does not answer now
DataError (core)
└── OverwriteError           an object is there already, with other content
"""

from shoplake_core.errors import ConfigError, ConflictError, DataError, ResourceError, SourceError

__all__ = [
    "BronzeUnreachableError",
    "LineageError",
    "OverwriteError",
    "SourceSettingError",
    "TakenOverError",
    "UnreadableEventError",
    "UnsupportedSettingError",
]


class SourceSettingError(SourceError):
    """A server setting under which changes would be lost or misread."""

    code = "SOURCE_SETTING"


class UnreadableEventError(SourceError):
    """The stream holds an event that cannot be carried on exactly."""

    code = "BINLOG_EVENT"


class LineageError(SourceError):
    """The saved position belongs to another server's binlog."""

    code = "BINLOG_LINEAGE"


class UnsupportedSettingError(ConfigError):
    """A DMS setting is not honoured here, so it is refused."""

    code = "DMS_SETTING"


class TakenOverError(ConflictError):
    """Another replicator uses the same state folder or server id."""

    code = "REPLICATOR_TAKEN_OVER"
    retryable = False


class BronzeUnreachableError(ResourceError):
    """S3 does not answer now; the same call may work later."""

    code = "BRONZE_UNREACHABLE"
    retryable = True


class OverwriteError(DataError):
    """An object of that name is there already, with other content: bronze is never overwritten."""

    code = "BRONZE_OVERWRITE"
