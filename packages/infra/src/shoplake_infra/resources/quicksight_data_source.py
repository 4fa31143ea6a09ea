"""QuickSight data sources: the warehouse by host and port, with a login that lies in a secret.

Redshift Serverless has no member of its own in this API: a workgroup is a host. Credentials are sent with each update,
because without them it is refused: https://github.com/hashicorp/terraform-provider-aws/issues/34103
"""

from collections.abc import Mapping
from typing import Any

from shoplake_infra.aws import Aws
from shoplake_infra.diff import Change, touches
from shoplake_infra.handler import Handler, Observed
from shoplake_infra.quicksight_calls import (
    add_tags,
    described,
    failure,
    quicksight,
    state_of,
    tags_of,
    wait_at_rest,
)
from shoplake_infra.resource import Ref, Resource
from shoplake_infra.resting import AVAILABLE
from shoplake_infra.tags import tag_list

__all__ = ["HANDLER", "QuickSightDataSourceHandler", "quicksight_data_source"]


def quicksight_data_source(
    name: str,
    *,
    workgroup: Resource,
    database: str,
    secret: Ref,
    vpc_connection: Resource,
    tags: Mapping[str, str],
    depends_on: tuple[str, ...] = (),
) -> Resource:
    """The workgroup's database, by TLS through the VPC connection; `secret` is the ARN of its user's login."""
    return Resource(
        kind="quicksight_data_source",
        name=name,
        tags=tags,
        depends_on=depends_on,
        properties={
            "host": Ref(workgroup, "host"),
            "port": Ref(workgroup, "port"),
            "database": database,
            "secret": secret,
            "vpc_connection": Ref(vpc_connection, "arn"),
            "tls": True,
            "state": AVAILABLE,
        },
    )


class QuickSightDataSourceHandler(Handler):
    """All calls for data sources."""

    kind = "quicksight_data_source"
    timeout_seconds = 600.0

    def observe(self, aws: Aws, resource: Resource) -> Observed | None:
        """The data source."""
        found = _described(aws, resource)
        if found is None:
            return None
        redshift = found.get("DataSourceParameters", {}).get("RedshiftParameters", {})
        return Observed(
            properties={
                "host": redshift.get("Host", ""),
                "port": str(redshift.get("Port", "")),
                "database": redshift.get("Database", ""),
                "secret": found.get("SecretArn", ""),
                "vpc_connection": found.get("VpcConnectionProperties", {}).get("VpcConnectionArn", ""),
                "tls": not found.get("SslProperties", {}).get("DisableSsl", False),
                "state": state_of(found["Status"]),
            },
            tags=tags_of(aws, found["Arn"]),
            attributes={"arn": found["Arn"], "name": resource.name},
        )

    def create(self, aws: Aws, resource: Resource) -> None:
        """The data source with its tags."""
        quicksight(aws).create_data_source(**_parameters(aws, resource), Type="REDSHIFT", Tags=tag_list(resource.tags))

    def update(self, aws: Aws, resource: Resource, observed: Observed, changes: tuple[Change, ...]) -> None:
        """Send all of it again, credentials too."""
        if touches(changes, *resource.properties):
            wait_at_rest(self, aws, resource, lambda: _status(aws, resource))
            quicksight(aws).update_data_source(**_parameters(aws, resource))
        if touches(changes, "tags"):
            add_tags(aws, observed.attributes["arn"], tag_list(resource.tags))

    def delete(self, aws: Aws, resource: Resource, observed: Observed) -> None:
        """Delete it; its data sets are gone already."""
        del observed
        quicksight(aws).delete_data_source(AwsAccountId=aws.account, DataSourceId=resource.name)

    def settled(self, aws: Aws, resource: Resource) -> bool:
        """Whether QuickSight could connect.

        Raises:
            ResourceError: It could not.

        """
        found = _described(aws, resource)
        state = state_of(found["Status"]) if found else ""
        if found is not None and state.endswith("_failed"):
            error = found.get("ErrorInfo", {})
            hint = "check the secret, its rights and the security groups, then apply again"
            reasons = [f"{error.get('Type', 'UNKNOWN')}: {error.get('Message', 'no message')}"]
            raise failure(resource, state, reasons, hint=hint)
        return state == AVAILABLE


def _described(aws: Aws, resource: Resource) -> Mapping[str, Any] | None:
    return described(
        quicksight(aws).describe_data_source, "DataSource", AwsAccountId=aws.account, DataSourceId=resource.name
    )


def _status(aws: Aws, resource: Resource) -> str | None:
    found = _described(aws, resource)
    return str(found["Status"]) if found else None


def _parameters(aws: Aws, resource: Resource) -> dict[str, Any]:
    wanted = resource.properties
    redshift = {"Host": wanted["host"], "Port": int(wanted["port"]), "Database": wanted["database"]}
    return {
        "AwsAccountId": aws.account,
        "DataSourceId": resource.name,
        "Name": resource.name,
        "DataSourceParameters": {"RedshiftParameters": redshift},
        "Credentials": {"SecretArn": wanted["secret"]},
        "VpcConnectionProperties": {"VpcConnectionArn": wanted["vpc_connection"]},
        "SslProperties": {"DisableSsl": not wanted["tls"]},
    }


HANDLER = QuickSightDataSourceHandler()
