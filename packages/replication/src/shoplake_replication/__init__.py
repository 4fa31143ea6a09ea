"""MySQL snapshot and binlog to the S3 layout that AWS DMS writes."""
