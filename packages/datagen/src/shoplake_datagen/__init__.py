"""The simulated shop: its schema, its history, its live load, its planted dirt and the ledger of it."""
