"""Connections, crawlers and jobs of Glue, which moto plays in part only: on the local AWS."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from botocore.awsrequest import AWSResponse
from shoplake_infra.applying import apply
from shoplake_infra.planning import plan, plan_destroy
from shoplake_infra.resources.bucket import bucket
from shoplake_infra.resources.glue_connection import glue_connection
from shoplake_infra.resources.glue_crawler import Recrawl, S3Target, glue_crawler
from shoplake_infra.resources.glue_database import glue_database
from shoplake_infra.resources.glue_job import Workers, glue_job
from shoplake_infra.resources.kms_key import kms_key
from shoplake_infra.resources.role import role
from shoplake_infra.resources.security_group import security_group
from shoplake_infra.resources.stored_object import content_key, stored_object
from shoplake_infra.resources.subnet import subnet
from shoplake_infra.resources.vpc import vpc

NAME = "shoplake-kinds"
SCRIPT_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"  # of nothing


@pytest.fixture(scope="module")
def parts():
    """What the three stand on, all of one name; made once."""
    tags = {"Project": "shop", "Environment": "kinds", "ManagedBy": "shoplake"}
    net = vpc(NAME, cidr="10.70.0.0/16", tags=tags)
    inside = subnet(NAME, vpc=net, cidr="10.70.0.0/24", zone="eu-central-1a", tags=tags)
    other = subnet(f"{NAME}-b", vpc=net, cidr="10.70.1.0/24", zone="eu-central-1b", tags=tags)
    group = security_group(NAME, vpc=net, description="Workers", let_in=(), tags=tags)
    read = {"Effect": "Allow", "Action": ["s3:*", "glue:*"], "Resource": ["*"]}
    actor = role(NAME, services=("glue.amazonaws.com",), statements=(read,), tags=tags)
    key = kms_key(NAME, account="000000000000", description="", tags=tags)
    place = bucket(NAME, key=key, tags=tags, tls_only=False, holds_data=False)
    script = stored_object(
        place,
        content_key("scripts", sha256=SCRIPT_SHA256, name="a.py"),
        source=lambda: b"",
        sha256=SCRIPT_SHA256,
        tags=tags,
    )
    database = replace(glue_database("kinds", description="", location="s3://x/", tags=tags), holds_data=False)
    base = (net, inside, other, group, actor, key, place, script, database)
    return SimpleNamespace(tags=tags, base=base, **dict(zip(("net", "inside", "other", "group", "actor", "key", "place", "script", "database"), base, strict=True)))  # fmt: skip


@pytest.fixture
def desired(parts, on_local):
    def made(*, zone=parts.inside, recrawl=Recrawl.EVERYTHING, workers=None, more=None):
        tags = {**parts.tags, **(more or {})}
        link = glue_connection(NAME, description="In", subnet=zone, security_group=parts.group, tags=tags)
        crawler = glue_crawler(
            NAME,
            description="Looks",
            role=parts.actor,
            database=parts.database,
            target=S3Target(url=f"s3://{NAME}/", table_level=3),
            tags=tags,
            recrawl=recrawl,
        )
        job = glue_job(
            NAME,
            description="Works",
            role=parts.actor,
            script=parts.script,
            arguments={"--a": "1"},
            tags=tags,
            workers=workers,
            connections=(link,),
        )
        return (*parts.base, link, crawler, job)

    yield made
    # the crawler has ended or is waited for
    apply(plan_destroy(made(), on_local, delete_data=True), on_local)


def paths(resources, aws):
    return [
        f"{planned.resource.kind}.{'.'.join(change.path)}"
        for planned in plan(resources, aws).changes
        for change in planned.changes
    ]


def test_each_is_made_once_and_what_was_changed_by_hand_is_set_again(on_local, calls, desired):
    glue = on_local.client("glue")
    apply(plan(desired(), on_local), on_local)
    calls.reset()
    assert paths(desired(), on_local) == []
    assert calls.writes == []

    glue.update_crawler(Name=NAME, Description="mine", SchemaChangePolicy={"DeleteBehavior": "DELETE_FROM_DATABASE"})
    job = glue.get_job(JobName=NAME)["Job"]
    update = {name: job[name] for name in ("Role", "Command", "GlueVersion", "WorkerType")}
    glue.update_job(JobName=NAME, JobUpdate={**update, "NumberOfWorkers": 5, "MaxRetries": 3})
    link = glue.get_connection(Name=NAME)["Connection"]
    wanted = {name: link[name] for name in ("Name", "ConnectionType", "ConnectionProperties")}
    place = link["PhysicalConnectionRequirements"]
    glue.update_connection(Name=NAME, ConnectionInput={**wanted, "PhysicalConnectionRequirements": place})
    assert paths(desired(), on_local) == [
        "glue_connection.description",
        "glue_crawler.description",
        "glue_crawler.schema_change_policy.DeleteBehavior",
        "glue_crawler.schema_change_policy.UpdateBehavior",
        "glue_job.arguments.--a",
        "glue_job.connections",
        "glue_job.description",
        "glue_job.retries",
        "glue_job.timeout_minutes",
        "glue_job.workers",
    ]
    apply(plan(desired(), on_local), on_local)
    assert paths(desired(), on_local) == []

    moved = desired(zone=parts_of(desired)["subnet shoplake-kinds-b"], workers=Workers(count=3), more={"Layer": "x"})
    assert paths(moved, on_local) == [
        "glue_connection.subnet",
        "glue_connection.tags.Layer",
        "glue_connection.zone",
        "glue_crawler.tags.Layer",
        "glue_job.tags.Layer",
        "glue_job.workers",
    ]
    apply(plan(moved, on_local), on_local)
    assert paths(moved, on_local) == []


def parts_of(desired):
    return {one.address: one for one in desired()}


def test_new_folders_only_forces_what_aws_forces(on_local, desired):
    apply(plan(desired(recrawl=Recrawl.NEW_FOLDERS), on_local), on_local)
    found = on_local.client("glue").get_crawler(Name=NAME)["Crawler"]
    assert found["RecrawlPolicy"] == {"RecrawlBehavior": "CRAWL_NEW_FOLDERS_ONLY"}
    assert found["SchemaChangePolicy"] == {"UpdateBehavior": "LOG", "DeleteBehavior": "LOG"}
    assert paths(desired(), on_local) == ["glue_crawler.recrawl", "glue_crawler.schema_change_policy.UpdateBehavior"]


def test_a_crawler_that_crawls_is_changed_and_deleted_after_its_crawl(on_local, desired):
    apply(plan(desired(), on_local), on_local)
    glue = on_local.client("glue")
    changed = desired(recrawl=Recrawl.NEW_FOLDERS)
    planned = plan(changed, on_local)
    glue.start_crawler(Name=NAME)
    apply(planned, on_local)
    assert glue.get_crawler(Name=NAME)["Crawler"]["LastCrawl"]["Status"] == "SUCCEEDED"
    glue.start_crawler(Name=NAME)
    apply(plan_destroy(changed, on_local, delete_data=True), on_local)
    with pytest.raises(glue.exceptions.EntityNotFoundException):
        glue.get_crawler(Name=NAME)


def test_a_role_that_glue_does_not_know_yet_is_waited_for(on_local, desired):
    message = "Service is unable to assume provided role. Please verify role's TrustPolicy"
    refusals = [2]

    def refuse(**_):
        if refusals[0] == 0:
            return None
        refusals[0] -= 1
        return AWSResponse("https://glue", 400, {}, None), {
            "Error": {"Code": "InvalidInputException", "Message": message}
        }

    on_local.session.events.register("before-call.glue.CreateCrawler", refuse)
    apply(plan(desired(), on_local), on_local)
    assert refusals == [0]
    assert paths(desired(), on_local) == []
