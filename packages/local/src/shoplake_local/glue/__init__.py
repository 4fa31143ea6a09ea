"""The Glue Data Catalog, durable: what Iceberg commits through stays committed."""
