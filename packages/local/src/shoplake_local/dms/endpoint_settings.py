"""What an endpoint may be here: a MySQL source whose login is a secret, or an S3 target of parquet. Pure."""

import json
from collections.abc import Mapping
from typing import Any

from shoplake_local.dms.faults import invalid
from shoplake_local.service import UnsupportedOperationError, refuse_unsupported

__all__ = ["DISPLAY_NAMES", "SETTINGS_MEMBERS", "checked_endpoint"]

DISPLAY_NAMES = {"mysql": "MySQL", "mariadb": "MariaDB", "s3": "Amazon S3"}
SETTINGS_MEMBERS = ("MySQLSettings", "S3Settings")
_LOGIN_IN_CLEAR = ("Username", "Password", "ServerName", "Port", "DatabaseName")
_SECRET = ("SecretsManagerSecretId", "SecretsManagerAccessRoleArn")

# Settings of the S3 target that the replicator honours in every value, and those of which it has one value only. A value
# that DMS takes where the setting is left out stands in _AWS_DEFAULTS: what is left out counts as that.
_HONOURED = frozenset(
    {
        *("ServiceAccessRoleArn", "BucketName", "BucketFolder", "CdcMaxBatchInterval", "CdcMinFileSize"),
        *("TimestampColumnName", "IncludeOpForFullLoad", "CompressionType", "ParquetVersion", "EnableStatistics"),
        *("ParquetTimestampInMillisecond", "EncodingType", "DictPageSizeLimit", "DataPageSize", "RowGroupLength"),
    }
)
_ONLY = {
    "DataFormat": "parquet",
    "UseTaskStartTimeForFullLoadTimestamp": True,
    "CdcInsertsOnly": False,
    "CdcInsertsAndUpdates": False,
    "DatePartitionEnabled": False,
    "PreserveTransactions": False,
    "AddColumnName": False,
    "GlueCatalogGeneration": False,
}
_AWS_DEFAULTS = {"DataFormat": "csv", "UseTaskStartTimeForFullLoadTimestamp": False}
# kept and shown: the laptop's object store writes every object in the same way
_OF_THE_STORE = frozenset({"EncryptionMode", "ServerSideEncryptionKmsKeyId", "ExpectedBucketOwner"})


def checked_endpoint(endpoint: Mapping[str, Any], *, account: str) -> None:
    """Pass for an endpoint that can be played here.

    Args:
        endpoint: Members of CreateEndpoint.
        account: Whose buckets may be written.

    Raises:
        ServiceError: DMS itself refuses it.
        UnsupportedOperationError: DMS takes it, and the local AWS has not what it asks for.

    """
    engine, kind = endpoint["EngineName"], endpoint["EndpointType"]
    if (kind, engine) not in {("source", "mysql"), ("source", "mariadb"), ("target", "s3")}:
        raise UnsupportedOperationError(f'DMS endpoint of type "{kind}" and engine "{engine}"')
    if endpoint.get("SslMode", "none") != "none":
        raise UnsupportedOperationError(f'SslMode "{endpoint["SslMode"]}" of a DMS endpoint')
    other = "S3Settings" if kind == "source" else "MySQLSettings"
    if other in endpoint:
        raise invalid(f"{other} do not belong to an endpoint of engine {engine}.")
    if kind == "source":
        _check_source(endpoint)
    else:
        _check_target(endpoint.get("S3Settings", {}), account)


def _check_source(endpoint: Mapping[str, Any]) -> None:
    settings = endpoint.get("MySQLSettings", {})
    in_clear = [name for name in _LOGIN_IN_CLEAR if name in endpoint or name in settings]
    given = [name for name in _SECRET if settings.get(name)]
    if given and in_clear:
        raise invalid(f"A login is given as a secret or in clear text, not both: {', '.join([*given, *in_clear])}")
    if in_clear:
        raise UnsupportedOperationError("DMS source whose login is not a secret of Secrets Manager")
    if len(given) < len(_SECRET):
        raise invalid("SecretsManagerSecretId and SecretsManagerAccessRoleArn must both be given.")
    refuse_unsupported("DMS's MySQLSettings", settings, _SECRET)


def _check_target(settings: Mapping[str, Any], account: str) -> None:
    for name in ("BucketName", "ServiceAccessRoleArn"):
        if not settings.get(name):
            raise invalid(f"S3Settings.{name} must be given.")
    if settings.get("CdcInsertsOnly") and settings.get("CdcInsertsAndUpdates"):
        raise invalid("CdcInsertsOnly and CdcInsertsAndUpdates can't both be true for the same endpoint.")
    if settings.get("PreserveTransactions") and not settings.get("CdcPath"):
        raise invalid("CdcPath must be given where PreserveTransactions is true.")
    if (settings.get("EncryptionMode") == "sse-kms") != ("ServerSideEncryptionKmsKeyId" in settings):
        raise invalid("EncryptionMode sse-kms and ServerSideEncryptionKmsKeyId belong together.")
    if settings.get("ExpectedBucketOwner", account) != account:
        raise invalid(f"The bucket's owner is {account}, not ExpectedBucketOwner {settings['ExpectedBucketOwner']}.")
    refuse_unsupported("DMS's S3Settings", settings, _HONOURED | _OF_THE_STORE | set(_ONLY))
    for name, only in _ONLY.items():
        found = settings.get(name, _AWS_DEFAULTS.get(name, only))
        if found != only:
            raise UnsupportedOperationError(f"S3Settings.{name} {json.dumps(found)}: it writes {json.dumps(only)}")
    if not settings.get("TimestampColumnName"):
        raise UnsupportedOperationError("S3Settings without TimestampColumnName")
