"""SNS topics and who hears of them by e-mail."""

from collections.abc import Mapping
from typing import Any

from shoplake_infra.aws import Aws, or_none
from shoplake_infra.diff import Change, touches
from shoplake_infra.handler import Handler, Observed
from shoplake_infra.resource import Ref, Resource
from shoplake_infra.tags import tag_list, tag_mapping

__all__ = ["HANDLER", "TopicHandler", "topic"]


def topic(name: str, *, key: Resource, emails: tuple[str, ...], tags: Mapping[str, str]) -> Resource:
    """A topic encrypted with `key`; every address has to confirm its subscription once."""
    properties = {"kms_key": Ref(key, "arn"), "emails": sorted(emails)}
    return Resource(kind="topic", name=name, tags=tags, properties=properties)


class TopicHandler(Handler):
    """All calls for topics and their e-mail subscriptions."""

    kind = "topic"

    def observe(self, aws: Aws, resource: Resource) -> Observed | None:
        """The topic and its e-mail addresses, confirmed or asked."""
        sns, arn = aws.client("sns"), _arn(aws, resource)
        answer = or_none(sns.get_topic_attributes, {"NotFound"}, TopicArn=arn)
        if answer is None:
            return None
        wanted = resource.properties["emails"]
        return Observed(
            properties={
                "kms_key": answer["Attributes"].get("KmsMasterKeyId", ""),
                # one that was asked and has not confirmed cannot be taken away: AWS forgets it in three days
                "emails": sorted(
                    email for email, subscription in _emails(sns, arn) if email in wanted or _is_arn(subscription)
                ),
            },
            tags=tag_mapping(sns.list_tags_for_resource(ResourceArn=arn)["Tags"]),
            attributes={"arn": arn, "name": resource.name},
        )

    def create(self, aws: Aws, resource: Resource) -> None:
        """The topic with its tags, then its subscriptions."""
        sns = aws.client("sns")
        sns.create_topic(
            Name=resource.name,
            Attributes={"KmsMasterKeyId": resource.properties["kms_key"]},
            Tags=tag_list(resource.tags),
        )
        for email in resource.properties["emails"]:
            sns.subscribe(TopicArn=_arn(aws, resource), Protocol="email", Endpoint=email)

    def update(self, aws: Aws, resource: Resource, observed: Observed, changes: tuple[Change, ...]) -> None:
        """Set what differs."""
        sns, arn, wanted = aws.client("sns"), _arn(aws, resource), resource.properties
        if touches(changes, "kms_key"):
            sns.set_topic_attributes(TopicArn=arn, AttributeName="KmsMasterKeyId", AttributeValue=wanted["kms_key"])
        for email in wanted["emails"]:
            if email not in observed.properties["emails"]:
                sns.subscribe(TopicArn=arn, Protocol="email", Endpoint=email)
        for email, subscription in _emails(sns, arn):
            if email not in wanted["emails"] and _is_arn(subscription):
                sns.unsubscribe(SubscriptionArn=subscription)
        if touches(changes, "tags"):
            sns.tag_resource(ResourceArn=arn, Tags=tag_list(resource.tags))

    def delete(self, aws: Aws, resource: Resource, observed: Observed) -> None:  # noqa: ARG002 - the port's signature
        """Delete it with its subscriptions."""
        aws.client("sns").delete_topic(TopicArn=_arn(aws, resource))


def _arn(aws: Aws, resource: Resource) -> str:
    return f"arn:aws:sns:{aws.region}:{aws.account}:{resource.name}"


def _is_arn(subscription: str) -> bool:
    return subscription.startswith("arn:")  # else "PendingConfirmation"


def _emails(sns: Any, arn: str) -> list[tuple[str, str]]:
    pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=arn)
    return [
        (subscription["Endpoint"], subscription["SubscriptionArn"])
        for page in pages
        for subscription in page["Subscriptions"]
        if subscription["Protocol"] == "email"
    ]


HANDLER = TopicHandler()
