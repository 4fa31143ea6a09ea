"""Redshift Serverless's control plane: namespaces (databases and roles) and workgroups (what the Data API is aimed at)."""
