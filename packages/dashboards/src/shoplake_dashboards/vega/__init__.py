"""Vega-Lite specifications of the four charts."""
