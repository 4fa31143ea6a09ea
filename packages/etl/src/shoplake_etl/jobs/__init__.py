"""Thin jobs: arguments, one call, one summary line."""
