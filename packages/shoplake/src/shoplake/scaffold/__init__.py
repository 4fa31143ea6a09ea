"""A first project written from a MySQL schema: contracts that a reader then makes stricter."""
