"""Glue crawlers over one S3 target."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from shoplake_infra.aws import Aws, or_none
from shoplake_infra.diff import Change, touches
from shoplake_infra.handler import Handler, Observed
from shoplake_infra.new_roles import once_role_is_known
from shoplake_infra.resource import Ref, Resource
from shoplake_infra.waiting import wait_until

__all__ = ["HANDLER", "GlueCrawlerHandler", "Recrawl", "S3Target", "glue_crawler"]


class Recrawl(StrEnum):
    """What a crawl after the first one looks at.

    NEW_FOLDERS is for partitions of a schema that never changes: AWS then allows no behaviour but LOG, writes no schema
    change and adds no table after the first crawl (Glue developer guide, "Incremental crawls").
    """

    EVERYTHING = "CRAWL_EVERYTHING"
    NEW_FOLDERS = "CRAWL_NEW_FOLDERS_ONLY"


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Target:
    """Where a crawler looks, and how it makes tables of what it finds.

    Attributes:
        url: `s3://bucket/` or a folder in it.
        table_level: How deep a table's folder lies, the bucket being level 1.
        table_prefix: What the folder's name gets put before it.

    """

    url: str
    table_level: int
    table_prefix: str = ""


def glue_crawler(
    name: str,
    *,
    description: str,
    role: Resource,
    database: Resource,
    target: S3Target,
    tags: Mapping[str, str],
    recrawl: Recrawl = Recrawl.EVERYTHING,
) -> Resource:
    """A crawler that is started by call only, and deletes nothing from the catalogue: a missing file is not a missing table.

    Files of one folder are one table, whatever folders lie between: what differs in their columns is joined.
    """
    incremental = recrawl is Recrawl.NEW_FOLDERS
    return Resource(
        kind="glue_crawler",
        name=name,
        tags=tags,
        properties={
            "description": description,
            "role_arn": Ref(role, "arn"),
            "database": Ref(database, "name"),
            "url": target.url,
            "table_prefix": target.table_prefix,
            "recrawl": recrawl.value,
            "schema_change_policy": {
                "UpdateBehavior": "LOG" if incremental else "UPDATE_IN_DATABASE",
                "DeleteBehavior": "LOG",
            },
            "configuration": {
                "Version": 1.0,
                "Grouping": {
                    "TableGroupingPolicy": "CombineCompatibleSchemas",
                    "TableLevelConfiguration": target.table_level,
                },
            },
        },
    )


class GlueCrawlerHandler(Handler):
    """All calls for crawlers. One that runs is waited for: AWS changes and deletes only those at rest."""

    kind = "glue_crawler"
    timeout_seconds = 1800.0  # a crawl of a large bronze

    def observe(self, aws: Aws, resource: Resource) -> Observed | None:
        """The crawler without its crawls."""
        glue, arn = aws.client("glue"), _arn(aws, resource)
        answer = or_none(glue.get_crawler, {"EntityNotFoundException"}, Name=resource.name)
        if answer is None:
            return None
        found = answer["Crawler"]
        targets = [target for targets in found["Targets"].values() for target in targets]
        return Observed(
            properties={
                "description": found.get("Description", ""),
                "role_arn": _role_arn(aws, found["Role"]),
                "database": found.get("DatabaseName", ""),
                "url": targets[0]["Path"] if len(targets) == 1 and "Path" in targets[0] else json.dumps(targets),
                "table_prefix": found.get("TablePrefix", ""),
                "recrawl": found.get("RecrawlPolicy", {}).get("RecrawlBehavior", ""),
                "schema_change_policy": found.get("SchemaChangePolicy", {}),
                "configuration": json.loads(found.get("Configuration") or "{}"),
            },
            tags=glue.get_tags(ResourceArn=arn)["Tags"],
            attributes={"arn": arn, "name": resource.name},
        )

    def create(self, aws: Aws, resource: Resource) -> None:
        """The crawler with its tags; a role that Glue does not know everywhere yet is waited for."""
        glue = aws.client("glue")
        _once_role_is_known(
            aws, resource, lambda: glue.create_crawler(**_parameters(resource), Tags=dict(resource.tags))
        )

    def update(self, aws: Aws, resource: Resource, observed: Observed, changes: tuple[Change, ...]) -> None:
        """Set what differs, once no crawl runs."""
        glue = aws.client("glue")
        if touches(changes, *resource.properties):
            self._rest(aws, resource)
            _once_role_is_known(aws, resource, lambda: glue.update_crawler(**_parameters(resource)))
        if touches(changes, "tags"):
            glue.tag_resource(ResourceArn=observed.attributes["arn"], TagsToAdd=dict(resource.tags))

    def delete(self, aws: Aws, resource: Resource, observed: Observed) -> None:  # noqa: ARG002 - the port's signature
        """Delete it, once no crawl runs; what it put into the catalogue stays."""
        self._rest(aws, resource)
        aws.client("glue").delete_crawler(Name=resource.name)

    def _rest(self, aws: Aws, resource: Resource) -> None:
        glue = aws.client("glue")
        wait_until(
            lambda: glue.get_crawler(Name=resource.name)["Crawler"]["State"] == "READY",
            clock=aws.clock,
            timeout_seconds=self.timeout_seconds,
            address=resource.address,
            what="end its crawl",
        )


def _arn(aws: Aws, resource: Resource) -> str:
    return f"arn:aws:glue:{aws.region}:{aws.account}:crawler/{resource.name}"


def _parameters(resource: Resource) -> dict[str, Any]:
    wanted = resource.properties
    # an empty prefix is AWS's own default, and a server that knows none can be told of none
    prefix = {"TablePrefix": wanted["table_prefix"]} if wanted["table_prefix"] else {}
    return {
        "Name": resource.name,
        "Description": wanted["description"],
        "Role": wanted["role_arn"],
        "DatabaseName": wanted["database"],
        "Targets": {"S3Targets": [{"Path": wanted["url"]}]},
        "RecrawlPolicy": {"RecrawlBehavior": wanted["recrawl"]},
        "SchemaChangePolicy": wanted["schema_change_policy"],
        "Configuration": json.dumps(wanted["configuration"], sort_keys=True),
        **prefix,
    }


def _role_arn(aws: Aws, role: str) -> str:
    """Glue answers the role as it was given, by name or by ARN."""
    return role if role.startswith("arn:") else f"arn:aws:iam::{aws.account}:role/{role}"


def _once_role_is_known(aws: Aws, resource: Resource, call: Callable[[], Any]) -> None:
    once_role_is_known(aws, resource, call, code="InvalidInputException", words="unable to assume")


HANDLER = GlueCrawlerHandler()
