"""Proves that MySQL, silver, gold and the warehouse agree at a stated cut.

Import from the modules: `reconciler` (the whole proof), `source_side` (MySQL's part, which runs near it and needs neither
boto3 nor Iceberg), `source_transfer` (its result as bytes), `contract_rules` (what silver must hold).
"""
