"""Step Functions state machines with their logs and traces."""

import json
from collections.abc import Mapping
from typing import Any

from shoplake_infra.aws import Aws, or_none
from shoplake_infra.diff import Change, touches
from shoplake_infra.handler import Handler, Observed
from shoplake_infra.resource import Ref, Resource
from shoplake_infra.tags import tag_list, tag_mapping

__all__ = ["HANDLER", "StateMachineHandler", "state_machine"]


def state_machine(
    name: str,
    *,
    definition: Mapping[str, Any],
    role: Resource,
    log_group: Resource,
    tags: Mapping[str, str],
    depends_on: tuple[str, ...] = (),
) -> Resource:
    """A standard state machine of the Amazon States Language definition; every event is logged, with its data left out."""
    properties = {
        "definition": dict(definition),
        "role_arn": Ref(role, "arn"),
        "log_group_arn": Ref(log_group, "arn"),
        "log_level": "ALL",
        "log_data": False,
        "tracing": True,
        "status": "ACTIVE",
    }
    return Resource(kind="state_machine", name=name, tags=tags, properties=properties, depends_on=depends_on)


class StateMachineHandler(Handler):
    """All calls for state machines."""

    kind = "state_machine"

    def observe(self, aws: Aws, resource: Resource) -> Observed | None:
        """The state machine with its definition as a document, so that layout is no difference."""
        states, arn = aws.client("stepfunctions"), _arn(aws, resource)
        answer = or_none(states.describe_state_machine, {"StateMachineDoesNotExist"}, stateMachineArn=arn)
        if answer is None:
            return None
        logging = answer.get("loggingConfiguration", {})
        groups = [place["cloudWatchLogsLogGroup"]["logGroupArn"] for place in logging.get("destinations", [])]
        return Observed(
            properties={
                "definition": json.loads(answer["definition"]),
                "role_arn": answer["roleArn"],
                "log_group_arn": groups[0].removesuffix(":*") if groups else "",
                "log_level": logging.get("level", "OFF"),
                "log_data": logging.get("includeExecutionData", False),
                "tracing": answer.get("tracingConfiguration", {}).get("enabled", False),
                "status": answer["status"],
            },
            tags=tag_mapping(states.list_tags_for_resource(resourceArn=arn)["tags"], key="key", value="value"),
            attributes={"arn": arn, "name": resource.name},
            ending=answer["status"] == "DELETING",
        )

    def create(self, aws: Aws, resource: Resource) -> None:
        """The state machine with its tags."""
        aws.client("stepfunctions").create_state_machine(
            name=resource.name,
            type="STANDARD",
            tags=tag_list(resource.tags, key="key", value="value"),
            **_parameters(resource),
        )

    def update(self, aws: Aws, resource: Resource, observed: Observed, changes: tuple[Change, ...]) -> None:
        """Set what differs; executions that run go on with what they started with."""
        states, arn = aws.client("stepfunctions"), observed.attributes["arn"]
        if touches(changes, *resource.properties):
            states.update_state_machine(stateMachineArn=arn, **_parameters(resource))
        if touches(changes, "tags"):
            states.tag_resource(resourceArn=arn, tags=tag_list(resource.tags, key="key", value="value"))

    def delete(self, aws: Aws, resource: Resource, observed: Observed) -> None:  # noqa: ARG002 - the port's signature
        """Delete it; AWS waits for its executions to end."""
        aws.client("stepfunctions").delete_state_machine(stateMachineArn=observed.attributes["arn"])


def _arn(aws: Aws, resource: Resource) -> str:
    return f"arn:aws:states:{aws.region}:{aws.account}:stateMachine:{resource.name}"


def _parameters(resource: Resource) -> dict[str, Any]:
    wanted = resource.properties
    group = {"cloudWatchLogsLogGroup": {"logGroupArn": f"{wanted['log_group_arn']}:*"}}
    return {
        "definition": json.dumps(wanted["definition"]),
        "roleArn": wanted["role_arn"],
        "loggingConfiguration": {
            "level": wanted["log_level"],
            "includeExecutionData": wanted["log_data"],
            "destinations": [group],
        },
        "tracingConfiguration": {"enabled": wanted["tracing"]},
    }


HANDLER = StateMachineHandler()
