"""MySQL snapshot and binlog to the S3 layout that AWS DMS writes."""

from shoplake_replication.standard_settings import standard_s3_settings, standard_table_mappings

__all__ = ["standard_s3_settings", "standard_table_mappings"]
