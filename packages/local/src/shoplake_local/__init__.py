"""The local AWS: one loopback endpoint for the Glue catalog and the Redshift Data API over real engines."""
