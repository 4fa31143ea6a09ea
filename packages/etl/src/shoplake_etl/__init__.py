"""Bronze to silver to gold on Spark and Iceberg, exactly once, from contracts (docs/data-format.md)."""
