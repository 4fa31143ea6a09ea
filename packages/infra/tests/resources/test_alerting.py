"""Topic, log group, alarm, schedule: each made, read back, changed by hand, set again, destroyed."""

import pytest
from shoplake_infra.applying import apply
from shoplake_infra.planning import plan, plan_destroy
from shoplake_infra.resources.alarm import Metric, alarm
from shoplake_infra.resources.kms_key import kms_key
from shoplake_infra.resources.log_group import log_group
from shoplake_infra.resources.role import role
from shoplake_infra.resources.schedule import Target, schedule
from shoplake_infra.resources.schedule_group import schedule_group
from shoplake_infra.resources.topic import topic

MACHINE = "arn:aws:states:eu-central-1:123456789012:stateMachine:shoplake-dev"


@pytest.fixture
def desired(tags):
    services = ("cloudwatch.amazonaws.com",)
    key = kms_key("shoplake-dev", account="123456789012", description="", tags=tags, services=services)
    alerts = topic("shoplake-dev-alerts", key=key, emails=("ops@example.com",), tags=tags)
    logs = log_group("/aws/lambda/shoplake-dev-run-lock", retention_days=30, tags=tags)
    failed = alarm(
        "shoplake-dev-failed",
        description="a run failed",
        metric=Metric(namespace="AWS/States", name="ExecutionsFailed", dimensions={"StateMachineArn": MACHINE}),
        topic=alerts,
        tags=tags,
    )
    group = schedule_group("shoplake-dev", tags=tags)
    starter = role("shoplake-dev-scheduler", services=("scheduler.amazonaws.com",), statements=(), tags=tags)
    nightly = schedule(
        "shoplake-dev",
        group=group,
        expression="cron(0 3 * * ? *)",
        time_zone="Europe/Berlin",
        target=Target(arn=MACHINE, role=starter, input='{"rebuild": false}'),
        enabled=True,
        tags=tags,
    )
    return (nightly, group, starter, failed, logs, alerts, key)


def changed(desired, aws):
    return {
        planned.resource.kind: [".".join(change.path) for change in planned.changes]
        for planned in plan(desired, aws).changes
    }


def test_all_are_as_desired_after_one_apply(aws, calls, desired):
    apply(plan(desired, aws), aws)
    calls.reset()
    assert changed(desired, aws) == {}
    assert calls.writes == []


def test_what_was_changed_by_hand_is_set_again(aws, desired):
    apply(plan(desired, aws), aws)
    sns, topic_arn = aws.client("sns"), "arn:aws:sns:eu-central-1:123456789012:shoplake-dev-alerts"
    sns.subscribe(TopicArn=topic_arn, Protocol="email", Endpoint="stranger@example.com")
    sns.set_topic_attributes(TopicArn=topic_arn, AttributeName="KmsMasterKeyId", AttributeValue="alias/aws/sns")
    aws.client("logs").delete_retention_policy(logGroupName="/aws/lambda/shoplake-dev-run-lock")
    cloudwatch = aws.client("cloudwatch")
    kept = cloudwatch.describe_alarms()["MetricAlarms"][0]
    wanted = {name: kept[name] for name in ("AlarmName", "MetricName", "Namespace", "ComparisonOperator", "Dimensions")}
    cloudwatch.put_metric_alarm(**wanted, Statistic="Sum", Period=60, EvaluationPeriods=3, Threshold=1.0)
    scheduler = aws.client("scheduler")
    now = scheduler.get_schedule(Name="shoplake-dev", GroupName="shoplake-dev")
    scheduler.update_schedule(
        Name="shoplake-dev",
        GroupName="shoplake-dev",
        ScheduleExpression="rate(1 hour)",
        FlexibleTimeWindow={"Mode": "OFF"},
        State="DISABLED",
        Target={"Arn": now["Target"]["Arn"], "RoleArn": now["Target"]["RoleArn"]},
    )
    found = changed(desired, aws)
    assert found["topic"] == ["emails", "kms_key"]
    assert found["log_group"] == ["retention_days"]
    assert {"actions", "description", "period_seconds", "periods"} <= set(found["alarm"])
    assert found["schedule"] == ["enabled", "expression", "input", "time_zone"]
    apply(plan(desired, aws), aws)
    assert changed(desired, aws) == {}
    assert len(sns.list_subscriptions_by_topic(TopicArn=topic_arn)["Subscriptions"]) == 1


def test_tags_taken_away_in_part_are_set_again(aws, desired, tags):
    apply(plan(desired, aws), aws)
    from dataclasses import replace

    more = tuple(replace(resource, tags={**resource.tags, "Layer": "gold"}) for resource in desired)
    kinds = {"topic", "log_group", "alarm", "schedule_group", "schedule", "role", "kms_key"}
    assert changed(more, aws) == {kind: ["tags.Layer"] for kind in kinds}
    apply(plan(more, aws), aws)
    assert changed(more, aws) == {}


def test_a_destroy_takes_all_of_them(aws, desired):
    apply(plan(desired, aws), aws)
    planned = plan_destroy(desired, aws)
    assert len(planned.changes) == len(desired)
    apply(planned, aws)
    assert aws.client("sns").list_topics()["Topics"] == []
    assert aws.client("logs").describe_log_groups()["logGroups"] == []
    assert aws.client("cloudwatch").describe_alarms()["MetricAlarms"] == []
    assert aws.client("scheduler").list_schedules()["Schedules"] == []
    assert plan_destroy(desired, aws).changes == ()
