"""Secrets Manager's rotation: the function of a secret is called with its four steps, at once or when it is time."""
