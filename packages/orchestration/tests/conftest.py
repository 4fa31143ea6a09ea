"""A small valid machine with every type of state, for tests that plant one fault in it."""

from copy import deepcopy
from typing import Any

import pytest

RETRY = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 2, "MaxAttempts": 3, "MaxDelaySeconds": 20}]


@pytest.fixture
def machine() -> dict[str, Any]:
    def load(next_: dict[str, Any], failed: str) -> dict[str, Any]:
        return {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:redshiftdata:batchExecuteStatement",
            "Arguments": {"Sqls": "{% $states.input.sqls %}", "Database": "shop", "WorkgroupName": "w"},
            "TimeoutSeconds": 60,
            "Retry": deepcopy(RETRY),
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": failed}],
            **next_,
        }

    return {
        "QueryLanguage": "JSONata",
        "StartAt": "Ask",
        "States": {
            "Ask": {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke",
                "Arguments": {"FunctionName": "f", "Payload": {"run_id": "{% $states.context.Execution.Name %}"}},
                "TimeoutSeconds": 60,
                "Retry": deepcopy(RETRY),
                "Catch": [
                    {
                        "ErrorEquals": ["States.ALL"],
                        "Assign": {"cause": "{% $states.errorOutput.Cause %}"},
                        "Next": "Failed",
                    }
                ],
                "Assign": {"loads": "{% $states.result.Payload.loads %}", "cause": ""},
                "Next": "Any",
            },
            "Any": {
                "Type": "Choice",
                "Choices": [{"Condition": "{% $count($loads) > 0 %}", "Next": "Load each"}],
                "Default": "Pause",
            },
            "Pause": {"Type": "Wait", "Seconds": 5, "Next": "Both"},
            "Both": {
                "Type": "Parallel",
                "Branches": [
                    {"StartAt": "Left", "States": {"Left": {"Type": "Pass", "Output": "{% $loads[0] %}", "End": True}}},
                    {"StartAt": "Right", "States": {"Right": {"Type": "Succeed"}}},
                ],
                "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Failed"}],
                "Next": "Done",
            },
            "Load each": {
                "Type": "Map",
                "Items": "{% $loads %}",
                "MaxConcurrency": 1,
                "ItemProcessor": {
                    "ProcessorConfig": {"Mode": "INLINE"},
                    "StartAt": "Load",
                    "States": {
                        "Load": load({"End": True}, "Load failed"),
                        "Load failed": {"Type": "Fail", "Error": "LoadFailed", "Cause": "{% $states.input.Cause %}"},
                    },
                },
                "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Failed"}],
                "Next": "Pause",
            },
            "Failed": {"Type": "Fail", "Error": "RunFailed", "Cause": "{% $cause %}"},
            "Done": {"Type": "Succeed"},
        },
    }
