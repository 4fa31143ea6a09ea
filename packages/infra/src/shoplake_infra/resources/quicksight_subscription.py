"""The account's subscription to QuickSight: asked for, never made and never ended, because it costs money by the month."""

from collections.abc import Mapping

from shoplake_core.errors import ResourceError

from shoplake_infra.aws import Aws, or_none
from shoplake_infra.diff import Change
from shoplake_infra.handler import Handler, Observed
from shoplake_infra.quicksight_calls import ABSENT, quicksight
from shoplake_infra.resource import Resource

__all__ = ["HANDLER", "QuickSightSubscriptionHandler", "has_quicksight", "quicksight_subscription"]

_WANTED = "Enterprise edition"
_ENOUGH = frozenset({"ENTERPRISE", "ENTERPRISE_AND_Q"})
_NONE = frozenset({"UNSUBSCRIBED", "UNSUBSCRIBE_IN_PROGRESS"})


def quicksight_subscription(*, tags: Mapping[str, str]) -> Resource:
    """The subscription that every other kind of QuickSight needs. It is not tagged: it belongs to the account."""
    return Resource(kind="quicksight_subscription", name="account", tags=tags, properties={"edition": _WANTED})


def has_quicksight(aws: Aws) -> bool:
    """Whether the account can have dashboards: where not, leave them out of what is desired."""
    return _edition(aws) == _WANTED


class QuickSightSubscriptionHandler(Handler):
    """The one call for it."""

    kind = "quicksight_subscription"

    def observe(self, aws: Aws, resource: Resource) -> Observed | None:
        """The subscription; always as gone for a destroy."""
        edition = _edition(aws)
        if edition is None:
            return None
        attributes = {"name": resource.name}
        return Observed(properties={"edition": edition}, tags=resource.tags, attributes=attributes, ending=True)

    def create(self, aws: Aws, resource: Resource) -> None:
        """Never.

        Raises:
            ResourceError: Always: somebody who may spend the money signs up.

        """
        raise ResourceError(
            f"account {aws.account} has no {_WANTED} of QuickSight in {aws.region}, which dashboards need",
            hint="sign up in QuickSight's console (it costs by author and month), or set dashboards.enabled = false",
            address=resource.address,
        )

    def update(self, aws: Aws, resource: Resource, observed: Observed, changes: tuple[Change, ...]) -> None:
        """Never; see `create`."""
        del observed, changes
        self.create(aws, resource)

    def delete(self, aws: Aws, resource: Resource, observed: Observed) -> None:
        """Never.

        Raises:
            ResourceError: Always; no plan asks for it.

        """
        del aws, observed
        raise ResourceError(f"{resource.address} is the account's and not ended here", hint="end it by hand, if at all")


def _edition(aws: Aws) -> str | None:
    answer = or_none(quicksight(aws).describe_account_subscription, ABSENT, AwsAccountId=aws.account)
    if answer is None or answer["AccountInfo"].get("AccountSubscriptionStatus") in _NONE:
        return None
    edition = str(answer["AccountInfo"]["Edition"])
    return _WANTED if edition in _ENOUGH else edition


HANDLER = QuickSightSubscriptionHandler()
