"""Code of others, unchanged, each with its licence."""
