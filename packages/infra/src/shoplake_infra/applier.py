"""What the person or pipeline that applies an environment may do: the calls of every kind's handler, on our names and tags.

Where AWS lets a right be bound to a name, it is bound to the environment's; where ids are AWS's own, to our tags; what is
left on "*" only reads, or makes what must carry our tags from the first moment. Who may write the policies of our roles
can give our roles any right: hand this policy out like an administrator's of this environment.

Sources: the Service Authorization Reference; for endpoints and functions in a VPC, the EC2 and Lambda guides.
"""

import json
from collections.abc import Mapping
from typing import Any

from shoplake_core.names import ResourceNames

from shoplake_infra.dashboard_rights import DASHBOARD_RIGHTS
from shoplake_infra.data_rights import DATA_RIGHTS
from shoplake_infra.rights import ALL, KEYS, USE_KEY, Binding, KindRights, Right

__all__ = ["RIGHTS", "applier_policy", "in_managed_policies"]

_VERSION = "2012-10-17"
_MANAGED_CHARACTERS = 6_144  # white space not counted; IAM and STS quotas
_BUCKETS = "arn:aws:s3:::shoplake-{environment}-*-{account}-{region}"
_ROLES = "arn:aws:iam::{account}:role/{prefix}-*"
_SECRETS = "arn:aws:secretsmanager:{at}:secret:shoplake/{environment}/*"
_FUNCTIONS = "arn:aws:lambda:{at}:function:{prefix}-*"
_USE_OBJECTS = Right("GetObject PutObject DeleteObject", (f"{_BUCKETS}/*",))


def _ec2(what: str) -> tuple[str, ...]:
    return tuple(f"arn:aws:ec2:{{at}}:{one}/*" for one in what.split())


def _catalogue(*parts: str) -> tuple[str, ...]:
    return tuple(f"arn:aws:glue:{{at}}:{part}" for part in ("catalog", *parts))


def _made(actions: str, what: str) -> Right:
    return Right(f"{actions} CreateTags", _ec2(what), Binding.MADE)


def _ours(actions: str, what: str) -> Right:
    return Right(f"{actions} CreateTags", _ec2(what), Binding.OURS)


RIGHTS: Mapping[str, KindRights] = {
    "alarm": (
        "cloudwatch",
        (
            Right("DescribeAlarms", ALL),
            Right(
                "PutMetricAlarm DeleteAlarms ListTagsForResource TagResource",
                ("arn:aws:cloudwatch:{at}:alarm:{prefix}-*",),
            ),
        ),
    ),
    "bucket": (
        "s3",
        (
            Right(
                "CreateBucket DeleteBucket ListBucket ListBucketVersions ListBucketMultipartUploads TagResource"
                " GetBucketTagging PutBucketTagging GetBucketVersioning PutBucketVersioning GetBucketPolicy PutBucketPolicy"
                " DeleteBucketPolicy GetEncryptionConfiguration PutEncryptionConfiguration GetLifecycleConfiguration"
                " PutLifecycleConfiguration GetBucketPublicAccessBlock PutBucketPublicAccessBlock",
                (_BUCKETS,),
            ),
            Right("DeleteObject DeleteObjectVersion AbortMultipartUpload", (f"{_BUCKETS}/*",)),
        ),
    ),
    "function": (
        "lambda",
        (
            Right(
                "GetFunction GetFunctionConfiguration GetPolicy CreateFunction UpdateFunctionCode"
                " UpdateFunctionConfiguration DeleteFunction AddPermission RemovePermission TagResource ListTags",
                (_FUNCTIONS,),
            ),
            _USE_OBJECTS,
            Right("ec2:DescribeVpcs ec2:DescribeSubnets ec2:DescribeSecurityGroups", ALL),
        ),
    ),
    "glue_connection": (
        "glue",
        (
            Right(
                "GetConnection CreateConnection UpdateConnection DeleteConnection GetTags TagResource",
                _catalogue("connection/{prefix}-*"),
            ),
        ),
    ),
    "glue_crawler": (
        "glue",
        (
            Right(
                "GetCrawler CreateCrawler UpdateCrawler DeleteCrawler GetTags TagResource",
                ("arn:aws:glue:{at}:crawler/{prefix}-*",),
            ),
        ),
    ),
    "glue_database": (
        "glue",
        (
            Right(
                "GetDatabase CreateDatabase UpdateDatabase DeleteDatabase DeleteTable GetTags TagResource",
                _catalogue("database/{databases}_*", "table/{databases}_*/*", "userDefinedFunction/{databases}_*/*"),
            ),
        ),
    ),
    "glue_job": (
        "glue",
        (Right("GetJob CreateJob UpdateJob DeleteJob GetTags TagResource", ("arn:aws:glue:{at}:job/{prefix}-*",)),),
    ),
    "kms_key": (
        "kms",
        (
            Right("ListKeys ListAliases", ALL),
            Right("CreateKey TagResource", ALL, Binding.MADE),
            Right("CreateAlias", ("arn:aws:kms:{at}:alias/{prefix}",)),
            Right("DescribeKey ListResourceTags", (KEYS,)),  # one whose alias was never made is found by its tags
            Right(
                "CreateAlias GetKeyPolicy PutKeyPolicy GetKeyRotationStatus EnableKeyRotation EnableKey TagResource"
                " UpdateKeyDescription ScheduleKeyDeletion CancelKeyDeletion",
                (KEYS,),
                Binding.OURS,
            ),
            USE_KEY,
        ),
    ),
    "log_group": (
        "logs",
        (
            Right("DescribeLogGroups", ("arn:aws:logs:{at}:log-group:*",)),
            Right(
                "CreateLogGroup DeleteLogGroup PutRetentionPolicy ListTagsForResource TagResource",
                tuple(
                    f"arn:aws:logs:{{at}}:log-group:/aws/{what}*"
                    for what in ("lambda/{prefix}-", "vendedlogs/states/{prefix}")
                ),
            ),
        ),
    ),
    "object": ("s3", (_USE_OBJECTS,)),
    "role": (
        "iam",
        (
            Right(
                "GetRole CreateRole DeleteRole UpdateAssumeRolePolicy ListRolePolicies GetRolePolicy PutRolePolicy"
                " DeleteRolePolicy ListAttachedRolePolicies AttachRolePolicy DetachRolePolicy ListRoleTags TagRole PassRole",
                (_ROLES,),
            ),
        ),
    ),
    "route_table": (
        "ec2",
        (
            Right("DescribeRouteTables", ALL),
            _made("CreateRouteTable", "route-table"),
            _ours(
                "CreateRouteTable DeleteRouteTable DeleteRoute AssociateRouteTable DisassociateRouteTable",
                "route-table subnet vpc",
            ),
        ),
    ),
    "schedule": (
        "scheduler",
        (
            Right(
                "GetSchedule CreateSchedule UpdateSchedule DeleteSchedule",
                ("arn:aws:scheduler:{at}:schedule/{prefix}/*",),
            ),
            Right("GetScheduleGroup ListTagsForResource", ("arn:aws:scheduler:{at}:schedule-group/{prefix}",)),
        ),
    ),
    "schedule_group": (
        "scheduler",
        (
            Right(
                "GetScheduleGroup CreateScheduleGroup DeleteScheduleGroup ListTagsForResource TagResource",
                ("arn:aws:scheduler:{at}:schedule-group/{prefix}",),
            ),
            Right("DeleteSchedule", ("arn:aws:scheduler:{at}:schedule/{prefix}/*",)),
        ),
    ),
    "secret": (
        "secretsmanager",
        (
            Right(
                "DescribeSecret CreateSecret PutSecretValue UpdateSecret DeleteSecret RestoreSecret TagResource RotateSecret"
                " CancelRotateSecret",
                (_SECRETS,),
            ),
            Right("lambda:InvokeFunction", ("arn:aws:lambda:{at}:function:{prefix}-rotate-source-secret",)),
            USE_KEY,
        ),
    ),
    "security_group": (
        "ec2",
        (
            Right("DescribeSecurityGroups", ALL),
            _made("CreateSecurityGroup", "security-group"),
            _ours(
                "CreateSecurityGroup DeleteSecurityGroup AuthorizeSecurityGroupIngress RevokeSecurityGroupIngress",
                "security-group vpc",
            ),
            Right("AuthorizeSecurityGroupIngress", _ec2("security-group-rule")),  # a rule has no tags of its own
        ),
    ),
    "state_machine": (
        "states",
        (
            Right(
                "DescribeStateMachine CreateStateMachine UpdateStateMachine DeleteStateMachine ListTagsForResource"
                " TagResource",
                ("arn:aws:states:{at}:stateMachine:{prefix}",),
            ),
        ),
    ),
    "subnet": (
        "ec2",
        (
            Right("DescribeSubnets", ALL),
            _made("CreateSubnet", "subnet"),
            _ours("CreateSubnet DeleteSubnet ModifySubnetAttribute", "subnet vpc"),
        ),
    ),
    "topic": (
        "sns",
        (
            Right(
                "GetTopicAttributes SetTopicAttributes CreateTopic DeleteTopic ListSubscriptionsByTopic Subscribe"
                " ListTagsForResource TagResource",
                ("arn:aws:sns:{at}:{prefix}-*",),
            ),
            Right("Unsubscribe", ALL),  # AWS binds it to nothing
        ),
    ),
    "vpc": (
        "ec2",
        (
            Right("DescribeVpcs DescribeVpcAttribute", ALL),
            _made("CreateVpc", "vpc"),
            _ours("DeleteVpc ModifyVpcAttribute", "vpc"),
        ),
    ),
    "vpc_endpoint": (
        "ec2",
        (
            Right("DescribeVpcEndpoints", ALL),
            _made("CreateVpcEndpoint", "vpc-endpoint"),
            _ours(
                "CreateVpcEndpoint ModifyVpcEndpoint DeleteVpcEndpoints",
                "vpc-endpoint vpc subnet security-group route-table",
            ),
        ),
    ),
    **DATA_RIGHTS,
    **DASHBOARD_RIGHTS,
}
"""Kind of resource -> its service in IAM, and its handler's rights."""


def applier_policy(names: ResourceNames) -> Mapping[str, Any]:
    """The IAM policy document for who applies and destroys this environment."""
    fields = {
        "prefix": names.prefix,
        "environment": names.environment,
        "databases": names.databases,
        "account": names.account,
        "region": names.region,
        "at": f"{names.region}:{names.account}",
    }
    by_place: dict[tuple[Binding, tuple[str, ...]], set[str]] = {}
    for service, rights in RIGHTS.values():
        for right in rights:
            place = (right.binding, tuple(resource.format(**fields) for resource in right.resources))
            by_place.setdefault(place, set()).update(right.names(service))
    statements = []
    for (binding, resources), actions in sorted(by_place.items(), key=lambda item: (item[0][0].name, item[0][1])):
        statement: dict[str, Any] = {"Effect": "Allow", "Action": sorted(actions), "Resource": list(resources)}
        statements.append(statement | _condition(binding, names.environment))
    return {"Version": _VERSION, "Statement": statements}


def in_managed_policies(policy: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """The same statements as several documents, each small enough for a managed policy; a role takes ten of these."""
    documents: list[list[Any]] = []
    room = 0
    for statement in policy["Statement"]:
        size = len(json.dumps(statement, separators=(",", ":"))) + 1
        if size > room:
            documents.append([])
            room = _MANAGED_CHARACTERS - len(json.dumps({"Version": _VERSION, "Statement": []}))
        documents[-1].append(statement)
        room -= size
    return tuple({"Version": _VERSION, "Statement": statements} for statements in documents)


def _condition(binding: Binding, environment: str) -> dict[str, Any]:
    if binding is Binding.NAME:
        return {}
    key = "aws:RequestTag" if binding is Binding.MADE else "aws:ResourceTag"
    return {"Condition": {"StringEquals": {f"{key}/Environment": environment, f"{key}/ManagedBy": "shoplake"}}}
