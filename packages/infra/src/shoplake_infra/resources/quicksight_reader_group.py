"""QuickSight groups that somebody else keeps, such as those of a company's directory: asked for, never made or ended."""

from collections.abc import Mapping

from shoplake_core.errors import ResourceError

from shoplake_infra.aws import Aws, or_none
from shoplake_infra.diff import Change
from shoplake_infra.handler import Handler, Observed
from shoplake_infra.quicksight_calls import ABSENT, quicksight
from shoplake_infra.resource import Resource

__all__ = ["HANDLER", "QuickSightReaderGroupHandler", "quicksight_reader_group"]

_NAMESPACE = "default"


def quicksight_reader_group(name: str, *, tags: Mapping[str, str], depends_on: tuple[str, ...] = ()) -> Resource:
    """A group of the namespace "default" that is there."""
    return Resource(kind="quicksight_reader_group", name=name, tags=tags, properties={}, depends_on=depends_on)


class QuickSightReaderGroupHandler(Handler):
    """The one call for them."""

    kind = "quicksight_reader_group"

    def observe(self, aws: Aws, resource: Resource) -> Observed | None:
        """The group; always as gone for a destroy."""
        names = {"AwsAccountId": aws.account, "Namespace": _NAMESPACE, "GroupName": resource.name}
        answer = or_none(quicksight(aws).describe_group, ABSENT, **names)
        if answer is None:
            return None
        attributes = {"arn": answer["Group"]["Arn"], "name": resource.name}
        return Observed(properties={}, tags=resource.tags, attributes=attributes, ending=True)

    def create(self, aws: Aws, resource: Resource) -> None:
        """Never.

        Raises:
            ResourceError: Always: who is in it is not for us to decide.

        """
        raise ResourceError(
            f'account {aws.account} has no QuickSight group "{resource.name}" to show dashboards to',
            hint="make it in QuickSight, or mend dashboards.readers",
            address=resource.address,
        )

    def update(self, aws: Aws, resource: Resource, observed: Observed, changes: tuple[Change, ...]) -> None:
        """Never: nothing of it is compared."""
        del aws, resource, observed, changes

    def delete(self, aws: Aws, resource: Resource, observed: Observed) -> None:
        """Never.

        Raises:
            ResourceError: Always; no plan asks for it.

        """
        del aws, observed
        raise ResourceError(f"{resource.address} is somebody else's", hint="delete it by hand, if at all")


HANDLER = QuickSightReaderGroupHandler()
