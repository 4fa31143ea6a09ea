"""Who calls the local AWS, and what a role may do."""
