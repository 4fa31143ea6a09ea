"""Proves that MySQL, silver, gold and the warehouse agree at a stated cut."""
