"""What the person or pipeline that applies an environment may do: the calls of every kind's handler, on our names and tags.

Where AWS lets a right be bound to a name, it is bound to the environment's; where ids are AWS's own, to our tags; what is
left on "*" only reads, or makes what must carry our tags from the first moment. Who may write the policies of our roles
can give our roles any right: hand this policy out like an administrator's of this environment.

Sources: the Service Authorization Reference; for endpoints and functions in a VPC, the EC2 and Lambda guides.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from shoplake_core.names import ResourceNames

__all__ = ["RIGHTS", "Binding", "Right", "applier_policy", "in_managed_policies"]

_VERSION = "2012-10-17"
_MANAGED_CHARACTERS = 6_144  # white space not counted; IAM and STS quotas


class Binding(Enum):
    """What a right depends on beside the resource's ARN."""

    NAME = "nothing: the ARN holds our name, or the call only reads"
    MADE = "the call gives it our tags"
    OURS = "it has our tags"


@dataclass(frozen=True, slots=True)
class Right:
    """IAM actions on ARNs; in these, `{prefix}`, `{environment}`, `{account}`, `{at}` (region and account) are filled in."""

    actions: str
    resources: tuple[str, ...]
    binding: Binding = Binding.NAME

    def names(self, service: str) -> list[str]:
        """The actions as IAM writes them."""
        return [action if ":" in action else f"{service}:{action}" for action in self.actions.split()]


_ALL = ("*",)
_BUCKETS = "arn:aws:s3:::shoplake-{environment}-*-{account}-{region}"
_ROLES = "arn:aws:iam::{account}:role/{prefix}-*"
_KEYS = "arn:aws:kms:{at}:key/*"
_SECRETS = "arn:aws:secretsmanager:{at}:secret:shoplake/{environment}/*"
_FUNCTIONS = "arn:aws:lambda:{at}:function:{prefix}-*"
_USE_KEY = Right("kms:DescribeKey kms:Decrypt kms:GenerateDataKey kms:CreateGrant", (_KEYS,), Binding.OURS)
_USE_OBJECTS = Right("GetObject PutObject DeleteObject", (f"{_BUCKETS}/*",))


def _ec2(what: str) -> tuple[str, ...]:
    return tuple(f"arn:aws:ec2:{{at}}:{one}/*" for one in what.split())


def _catalogue(*parts: str) -> tuple[str, ...]:
    return tuple(f"arn:aws:glue:{{at}}:{part}" for part in ("catalog", *parts))


def _made(actions: str, what: str) -> Right:
    return Right(f"{actions} CreateTags", _ec2(what), Binding.MADE)


def _ours(actions: str, what: str) -> Right:
    return Right(f"{actions} CreateTags", _ec2(what), Binding.OURS)


def _managed_password(owner: str) -> Right:
    # the service makes the secret as whoever asks it to
    actions = "CreateSecret DescribeSecret TagResource RotateSecret UpdateSecret DeleteSecret"
    arn = f"arn:aws:secretsmanager:{{at}}:secret:{owner}!*"
    return Right(" ".join(f"secretsmanager:{action}" for action in actions.split()), (arn,))


def _dms(*kinds: str) -> tuple[str, ...]:
    return tuple(f"arn:aws:dms:{{at}}:{kind}:*" for kind in kinds)  # a random word follows


def _serverless(*kinds: str) -> tuple[str, ...]:
    return tuple(f"arn:aws:redshift-serverless:{{at}}:{kind}/*" for kind in kinds)  # a random id follows


_SERVICE_ROLE = Right("iam:CreateServiceLinkedRole", ("arn:aws:iam::{account}:role/aws-service-role/*",))

RIGHTS: Mapping[str, tuple[str, tuple[Right, ...]]] = {
    "account_role": (
        "iam",
        (
            Right(
                "GetRole CreateRole TagRole ListRoleTags ListAttachedRolePolicies AttachRolePolicy",
                ("arn:aws:iam::{account}:role/dms-vpc-role", "arn:aws:iam::{account}:role/dms-cloudwatch-logs-role"),
            ),
        ),
    ),
    "alarm": (
        "cloudwatch",
        (
            Right("DescribeAlarms", _ALL),
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
    "dms_connection": (
        "dms",
        (
            Right("DescribeConnections", _ALL),
            Right("TestConnection DeleteConnection", _dms("endpoint", "rep"), Binding.OURS),
        ),
    ),
    "dms_endpoint": (
        "dms",
        (
            Right("DescribeEndpoints", _ALL),
            Right("CreateEndpoint AddTagsToResource", _dms("endpoint"), Binding.MADE),
            Right(
                "ModifyEndpoint DeleteEndpoint AddTagsToResource ListTagsForResource", _dms("endpoint"), Binding.OURS
            ),
            _USE_KEY,
        ),
    ),
    "dms_instance": (
        "dms",
        (
            Right("DescribeReplicationInstances", _ALL),
            Right("CreateReplicationInstance AddTagsToResource", _dms("rep", "subgrp"), Binding.MADE),
            Right(
                "CreateReplicationInstance ModifyReplicationInstance DeleteReplicationInstance AddTagsToResource"
                " ListTagsForResource",
                _dms("rep", "subgrp"),
                Binding.OURS,
            ),
            Right(
                "ec2:DescribeVpcs ec2:DescribeSubnets ec2:DescribeSecurityGroups ec2:DescribeAvailabilityZones", _ALL
            ),
            _USE_KEY,
        ),
    ),
    "dms_subnet_group": (
        "dms",
        (
            Right("DescribeReplicationSubnetGroups", _ALL),
            Right("CreateReplicationSubnetGroup AddTagsToResource", _dms("subgrp"), Binding.MADE),
            Right(
                "ModifyReplicationSubnetGroup DeleteReplicationSubnetGroup AddTagsToResource ListTagsForResource",
                _dms("subgrp"),
                Binding.OURS,
            ),
        ),
    ),
    "dms_task": (
        "dms",
        (
            Right("DescribeReplicationTasks", _ALL),
            Right("CreateReplicationTask AddTagsToResource", _dms("task"), Binding.MADE),
            Right(
                "CreateReplicationTask ModifyReplicationTask DeleteReplicationTask StartReplicationTask StopReplicationTask"
                " AddTagsToResource ListTagsForResource",
                _dms("task", "rep", "endpoint"),
                Binding.OURS,
            ),
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
            Right("ec2:DescribeVpcs ec2:DescribeSubnets ec2:DescribeSecurityGroups", _ALL),
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
                _catalogue(
                    "database/{environment}_*", "table/{environment}_*/*", "userDefinedFunction/{environment}_*/*"
                ),
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
            Right("ListKeys ListAliases", _ALL),
            Right("CreateKey TagResource", _ALL, Binding.MADE),
            Right("CreateAlias", ("arn:aws:kms:{at}:alias/{prefix}",)),
            Right("DescribeKey ListResourceTags", (_KEYS,)),  # one whose alias was never made is found by its tags
            Right(
                "CreateAlias GetKeyPolicy PutKeyPolicy GetKeyRotationStatus EnableKeyRotation EnableKey TagResource"
                " UpdateKeyDescription ScheduleKeyDeletion CancelKeyDeletion",
                (_KEYS,),
                Binding.OURS,
            ),
            _USE_KEY,
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
    "rds_instance": (
        "rds",
        (
            Right(
                "DescribeDBInstances CreateDBInstance ModifyDBInstance DeleteDBInstance StartDBInstance AddTagsToResource"
                " ListTagsForResource",
                (
                    *(f"arn:aws:rds:{{at}}:{what}:{{prefix}}-source" for what in ("db", "pg", "subgrp")),
                    "arn:aws:rds:{at}:og:default:*",
                ),
            ),
            _managed_password("rds"),
            _SERVICE_ROLE,
            _USE_KEY,
        ),
    ),
    "rds_parameter_group": (
        "rds",
        (
            Right(
                "DescribeDBParameterGroups DescribeDBParameters CreateDBParameterGroup ModifyDBParameterGroup"
                " ResetDBParameterGroup DeleteDBParameterGroup AddTagsToResource ListTagsForResource",
                ("arn:aws:rds:{at}:pg:{prefix}-source",),
            ),
        ),
    ),
    "rds_subnet_group": (
        "rds",
        (
            Right(
                "DescribeDBSubnetGroups CreateDBSubnetGroup ModifyDBSubnetGroup DeleteDBSubnetGroup AddTagsToResource"
                " ListTagsForResource",
                ("arn:aws:rds:{at}:subgrp:{prefix}-source",),
            ),
        ),
    ),
    "redshift_namespace": (
        "redshift-serverless",
        (
            Right("CreateNamespace TagResource", _serverless("namespace"), Binding.MADE),
            Right(
                "GetNamespace UpdateNamespace DeleteNamespace ListTagsForResource TagResource",
                _serverless("namespace"),
                Binding.OURS,
            ),
            Right("GetNamespace", _serverless("namespace")),  # so that one of somebody else's is told from none
            _managed_password("redshift"),
            _SERVICE_ROLE,
            _USE_KEY,
        ),
    ),
    "redshift_usage_limit": (
        "redshift-serverless",
        (Right("ListUsageLimits CreateUsageLimit UpdateUsageLimit DeleteUsageLimit", _ALL),),  # AWS binds it to nothing
    ),
    "redshift_workgroup": (
        "redshift-serverless",
        (
            Right("CreateWorkgroup TagResource", _serverless("workgroup"), Binding.MADE),
            Right(
                "CreateWorkgroup GetWorkgroup UpdateWorkgroup DeleteWorkgroup ListTagsForResource TagResource",
                _serverless("workgroup", "namespace"),
                Binding.OURS,
            ),
            Right("GetWorkgroup", _serverless("workgroup")),
            Right(
                "ec2:DescribeVpcAttribute ec2:DescribeVpcs ec2:DescribeSubnets ec2:DescribeSecurityGroups"
                " ec2:DescribeAddresses ec2:DescribeInternetGateways ec2:DescribeAvailabilityZones"
                " ec2:DescribeAccountAttributes",
                _ALL,
            ),
        ),
    ),
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
            Right("DescribeRouteTables", _ALL),
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
            _USE_KEY,
        ),
    ),
    "security_group": (
        "ec2",
        (
            Right("DescribeSecurityGroups", _ALL),
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
            Right("DescribeSubnets", _ALL),
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
            Right("Unsubscribe", _ALL),  # AWS binds it to nothing
        ),
    ),
    "vpc": (
        "ec2",
        (
            Right("DescribeVpcs DescribeVpcAttribute", _ALL),
            _made("CreateVpc", "vpc"),
            _ours("DeleteVpc ModifyVpcAttribute", "vpc"),
        ),
    ),
    "vpc_endpoint": (
        "ec2",
        (
            Right("DescribeVpcEndpoints", _ALL),
            _made("CreateVpcEndpoint", "vpc-endpoint"),
            _ours(
                "CreateVpcEndpoint ModifyVpcEndpoint DeleteVpcEndpoints",
                "vpc-endpoint vpc subnet security-group route-table",
            ),
        ),
    ),
}
"""Kind of resource -> its service in IAM, and its handler's rights."""


def applier_policy(names: ResourceNames) -> Mapping[str, Any]:
    """The IAM policy document for who applies and destroys this environment."""
    fields = {
        "prefix": names.prefix,
        "environment": names.environment,
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
