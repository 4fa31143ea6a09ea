"""Redshift DDL, COPY and the loading procedure, made from the gold contracts."""
