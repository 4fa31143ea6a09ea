"""Glue databases: the name under which a layer's tables are found."""

from collections.abc import Mapping

from shoplake_infra.aws import Aws, or_none
from shoplake_infra.diff import Change, touches
from shoplake_infra.handler import Handler, Observed
from shoplake_infra.resource import Resource

__all__ = ["HANDLER", "GlueDatabaseHandler", "glue_database"]


def glue_database(
    name: str, *, description: str, location: str, tags: Mapping[str, str], depends_on: tuple[str, ...] = ()
) -> Resource:
    """A database whose tables lie under the URL `location`; its tables are data: they say which files are the truth."""
    properties = {"description": description, "location": location}
    return Resource(
        kind="glue_database", name=name, tags=tags, properties=properties, depends_on=depends_on, holds_data=True
    )


class GlueDatabaseHandler(Handler):
    """All calls for databases; tables belong to crawler and jobs."""

    kind = "glue_database"

    def observe(self, aws: Aws, resource: Resource) -> Observed | None:
        """The database without its tables."""
        glue, arn = aws.client("glue"), _arn(aws, resource)
        answer = or_none(glue.get_database, {"EntityNotFoundException"}, Name=resource.name)
        if answer is None:
            return None
        return Observed(
            properties={
                "description": answer["Database"].get("Description", ""),
                "location": answer["Database"].get("LocationUri", ""),
            },
            tags=glue.get_tags(ResourceArn=arn)["Tags"],
            attributes={"arn": arn, "name": resource.name},
        )

    def create(self, aws: Aws, resource: Resource) -> None:
        """The database with its tags."""
        aws.client("glue").create_database(DatabaseInput=_input(resource), Tags=dict(resource.tags))

    def update(self, aws: Aws, resource: Resource, observed: Observed, changes: tuple[Change, ...]) -> None:
        """Set what differs."""
        if touches(changes, *resource.properties):
            aws.client("glue").update_database(Name=resource.name, DatabaseInput=_input(resource))
        if touches(changes, "tags"):
            arn = observed.attributes["arn"]
            aws.client("glue").tag_resource(ResourceArn=arn, TagsToAdd=dict(resource.tags))

    def delete(self, aws: Aws, resource: Resource, observed: Observed) -> None:  # noqa: ARG002 - the port's signature
        """Delete it with its tables; their files are the bucket's."""
        aws.client("glue").delete_database(Name=resource.name)


def _arn(aws: Aws, resource: Resource) -> str:
    return f"arn:aws:glue:{aws.region}:{aws.account}:database/{resource.name}"


def _input(resource: Resource) -> dict[str, str]:
    wanted = resource.properties
    return {"Name": resource.name, "Description": wanted["description"], "LocationUri": wanted["location"]}


HANDLER = GlueDatabaseHandler()
