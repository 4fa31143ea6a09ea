"""The Redshift Data API over PostgreSQL: what Redshift refuses is refused here too, with Redshift's reason."""
