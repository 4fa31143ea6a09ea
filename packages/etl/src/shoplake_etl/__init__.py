"""PySpark: bronze to silver to gold, and the thin job scripts that Glue runs."""
