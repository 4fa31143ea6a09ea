"""Dashboards as code: one typed tree, two renderings."""
