"""Step Functions of the local AWS: the operations by their names.

moto's copy of another emulator's interpreter fails at `glue:startJobRun.sync`, JSONata and half of the SDK
integrations, and forgets its executions at a kill: this engine is small, strict and on disk.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from shoplake_core.clock import Clock

from shoplake_local.service import UnsupportedOperationError
from shoplake_local.stepfunctions.engine import Engine
from shoplake_local.stepfunctions.executions import Executions
from shoplake_local.stepfunctions.machines import Machines
from shoplake_local.stepfunctions.tasks import TaskRunner

__all__ = ["StepFunctionsService"]


class StepFunctionsService:
    """`stepfunctions` over an engine of ours.

    Args:
        path: The SQLite file of machines, executions and histories.
        runner: What tasks ask.
        account: Account in ARNs.
        region: Region in ARNs.
        clock: For every time.
        engine: One that a test made; else one over `path`, on real time.

    """

    service_name = "stepfunctions"

    def __init__(
        self, path: Path, runner: TaskRunner, *, account: str, region: str, clock: Clock, engine: Engine | None = None
    ) -> None:
        self.engine = engine or Engine(path, runner, clock=clock, region=region)
        machines = Machines(self.engine, account=account, region=region)
        executions = Executions(self.engine, account=account, region=region)
        self._operations: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "CreateStateMachine": machines.create,
            "UpdateStateMachine": machines.update,
            "DescribeStateMachine": machines.describe,
            "DeleteStateMachine": machines.delete,
            "ListStateMachines": machines.list,
            "TagResource": machines.tag,
            "UntagResource": machines.untag,
            "ListTagsForResource": machines.list_tags,
            "ValidateStateMachineDefinition": machines.validate,
            "StartExecution": executions.start,
            "DescribeExecution": executions.describe,
            "ListExecutions": executions.list,
            "GetExecutionHistory": executions.history,
            "StopExecution": executions.stop,
            "RedriveExecution": executions.redrive,
            "DescribeStateMachineForExecution": executions.describe_machine,
        }

    def call(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """The answer of one operation; see `Service`."""
        handler = self._operations.get(operation)
        if handler is None:
            raise UnsupportedOperationError(f"operation {operation} of stepfunctions")
        return handler(parameters)

    def close(self) -> None:
        """Let go of the executions, which go on at the next start, and close the file."""
        self.engine.close()
