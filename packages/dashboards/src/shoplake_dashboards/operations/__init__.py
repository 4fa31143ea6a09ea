"""Contracts of the tables that say how the pipeline itself does, in the warehouse's schema `shoplake`."""
