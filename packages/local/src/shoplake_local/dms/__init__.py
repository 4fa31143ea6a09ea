"""Database Migration Service: resources as documents, and tasks whose engine is a replicator in a process of its own."""
