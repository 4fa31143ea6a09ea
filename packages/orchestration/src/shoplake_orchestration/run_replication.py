"""The run's first part: replication is running and its loads are complete.

Nothing here asks for the run lock: replication is to run whoever starts it, and a second start is refused by DMS.
"""

from shoplake_orchestration.policies import RETRY_READ, RETRY_UNNAMED, RETRY_WRITE, catch_to
from shoplake_orchestration.run_calls import LOST_OR_FAILED, TELL
from shoplake_orchestration.states import Catch, Choice, Rule, State, Task, Wait

__all__ = ["replication_states"]

_ASK = "Ask how replication is"
_ASK_LOADS = "Ask whether the loads are complete"
_CHANGING = "['creating', 'modifying', 'starting', 'stopping', 'testing', 'moving']"
_COUNTED = "{% $polls + 1 %}"
_NO_LOADS = {"tables": 0, "tables_loading": 0, "tables_in_error": [], "tables_page": ""}


def _failed(state: str, *, error: str, cause: str) -> dict[str, object]:
    return {"failed": {"state": state, "error": error, "cause": f"{{% {cause} %}}"}}


def _start(how: str) -> Task:
    return Task(
        resource="aws-sdk:databasemigration:startReplicationTask",
        arguments={"ReplicationTaskArn": "{% $task_arn %}", "StartReplicationTaskType": how},
        timeout_seconds=60,
        retry=(RETRY_WRITE, RETRY_UNNAMED),
        catch=(
            # it is starting or running already, as after a lost answer: the next look says which
            Catch(
                errors=(
                    "DatabaseMigration.InvalidResourceStateException",
                    "DatabaseMigration.InvalidResourceStateFaultException",
                ),
                assign={"resumes": "{% $resumes + 1 %}"},
                next="Wait for replication",
            ),
            catch_to(LOST_OR_FAILED),
        ),
        assign={"resumes": "{% $resumes + 1 %}"},
        output={},
        next="Wait for replication",
    )


def replication_states(next_state: str) -> dict[str, State]:
    """The states, which end in `next_state`. They need `polls` and `resumes` at zero."""
    statistics = "$states.result.TableStatistics"
    named = "(SchemaName & '.' & TableName)"
    return {
        _ASK: Task(
            resource="aws-sdk:databasemigration:describeReplicationTasks",
            arguments={"Filters": [{"Name": "replication-task-id", "Values": ["${ReplicationTask}"]}]},
            timeout_seconds=60,
            retry=(RETRY_READ,),
            catch=(catch_to(LOST_OR_FAILED),),
            assign={
                "task_arn": "{% $states.result.ReplicationTasks[0].ReplicationTaskArn %}",
                "task_status": "{% $states.result.ReplicationTasks[0].Status %}",
                "polls": _COUNTED,
            },
            output={},
            next="Is replication running",
        ),
        "Is replication running": Choice(
            rules=(
                Rule(condition="{% $task_status = 'running' %}", next=_ASK_LOADS, assign={"polls": 0, **_NO_LOADS}),
                Rule(condition="{% $task_status = 'ready' and $resumes < 3 %}", next="Start replication"),
                Rule(
                    condition="{% $task_status in ['stopped', 'failed'] and $resumes < 3 %}",
                    next="Resume replication",
                ),
                Rule(
                    condition=f"{{% $task_status in {_CHANGING} and $polls < ${{MostPolls}} %}}",
                    next="Wait for replication",
                ),
            ),
            assign=_failed(
                _ASK,
                error="ReplicationNotRunning",
                cause="'the replication task is ' & $task_status & ' after ' & $string($polls) & ' looks and '"
                " & $string($resumes) & ' starts'",
            ),
            default=TELL,
        ),
        "Start replication": _start("start-replication"),
        "Resume replication": _start("resume-processing"),
        "Wait for replication": Wait(seconds="{% ${PollSeconds} %}", next=_ASK),
        _ASK_LOADS: Task(
            comment="A page holds 100 tables; pages are asked for until there is none left, then counted.",
            resource="aws-sdk:databasemigration:describeTableStatistics",
            arguments="{% $merge([{'ReplicationTaskArn': $task_arn, 'MaxRecords': 100},"
            " $tables_page = '' ? {} : {'Marker': $tables_page}]) %}",
            timeout_seconds=60,
            retry=(RETRY_READ,),
            catch=(catch_to(LOST_OR_FAILED),),
            assign={
                "tables": f"{{% $tables + $count({statistics}) %}}",
                "tables_loading": f"{{% $tables_loading + $count({statistics}"
                "[TableState in ['Before load', 'Full load', 'Table is being reloaded']]) %}",
                "tables_in_error": f"{{% [$tables_in_error, {statistics}"
                f"[TableState in ['Table error', 'Table cancelled', 'Table does not exist']].{named}] %}}",
                "tables_page": "{% $exists($states.result.Marker) ? $states.result.Marker : '' %}",
                "polls": "{% $tables_page = '' ? $polls + 1 : $polls %}",
            },
            output={},
            next="Are the loads complete",
        ),
        "Are the loads complete": Choice(
            rules=(
                Rule(condition="{% $tables_page != '' %}", next=_ASK_LOADS),
                Rule(
                    condition="{% $count($tables_in_error) > 0 %}",
                    next=TELL,
                    assign=_failed(
                        _ASK_LOADS,
                        error="TablesInError",
                        cause="'replication does not carry ' & $join($tables_in_error, ', ')",
                    ),
                ),
                Rule(condition="{% $tables > 0 and $tables_loading = 0 %}", next=next_state),
                Rule(
                    condition="{% $polls < ${MostPolls} %}",
                    next="Wait for the loads",
                    assign=_NO_LOADS,
                ),
            ),
            assign=_failed(
                _ASK_LOADS,
                error="LoadsNotComplete",
                cause="$string($tables_loading) & ' of ' & $string($tables) & ' tables are still being loaded'",
            ),
            default=TELL,
        ),
        "Wait for the loads": Wait(seconds="{% ${PollSeconds} %}", next=_ASK_LOADS),
    }
