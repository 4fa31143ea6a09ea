"""The lock of an environment's runs, as whoever works for a run asks for it: its object, and what it must say. Pure."""

import json

from shoplake_core.errors import ConflictError

__all__ = ["RUN_LOCK_KEY", "require_holder"]

RUN_LOCK_KEY = "locks/run.json"
"""The lock's object in the artifacts bucket; its `holder` is the ARN of an execution, missing where it is free."""


def require_holder(lock: bytes | str, execution_arn: str) -> None:
    """Nothing, where that execution holds the lock: asked before a table is written.

    A run that was stopped, and lost the lock to another meanwhile, can be redriven at any of its states.

    Args:
        lock: The object's content; empty where there is none.
        execution_arn: Who must hold it.

    Raises:
        ConflictError: Another execution holds it, or none.

    """
    holder = str(json.loads(lock).get("holder", "")) if lock else ""
    if holder != execution_arn:
        raise ConflictError(
            f"{execution_arn} does not hold the run lock, which is {f'held by {holder}' if holder else 'free'}",
            hint="redrive the execution when no other run is at work, or start a new run",
            holder=holder,
        )
