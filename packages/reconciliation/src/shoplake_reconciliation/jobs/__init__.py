"""Thin jobs: arguments, one call, one report."""
