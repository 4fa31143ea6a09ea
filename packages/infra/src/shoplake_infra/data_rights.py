"""What the handlers of databases and of what moves data between them call: DMS, RDS, Redshift Serverless."""

from collections.abc import Mapping

from shoplake_infra.rights import ALL, SERVICE_ROLE, USE_KEY, Binding, KindRights, Right

__all__ = ["DATA_RIGHTS"]


def _managed_password(owner: str) -> Right:
    # the service makes the secret as whoever asks it to
    actions = "CreateSecret DescribeSecret TagResource RotateSecret UpdateSecret DeleteSecret"
    arn = f"arn:aws:secretsmanager:{{at}}:secret:{owner}!*"
    return Right(" ".join(f"secretsmanager:{action}" for action in actions.split()), (arn,))


def _dms(*kinds: str) -> tuple[str, ...]:
    return tuple(f"arn:aws:dms:{{at}}:{kind}:*" for kind in kinds)  # a random word follows


def _serverless(*kinds: str) -> tuple[str, ...]:
    return tuple(f"arn:aws:redshift-serverless:{{at}}:{kind}/*" for kind in kinds)  # a random id follows


DATA_RIGHTS: Mapping[str, KindRights] = {
    "account_role": (
        "iam",
        (
            Right(
                "GetRole CreateRole TagRole ListRoleTags ListAttachedRolePolicies AttachRolePolicy",
                ("arn:aws:iam::{account}:role/dms-vpc-role", "arn:aws:iam::{account}:role/dms-cloudwatch-logs-role"),
            ),
        ),
    ),
    "dms_connection": (
        "dms",
        (
            Right("DescribeConnections", ALL),
            Right("TestConnection DeleteConnection", _dms("endpoint", "rep"), Binding.OURS),
        ),
    ),
    "dms_endpoint": (
        "dms",
        (
            Right("DescribeEndpoints", ALL),
            Right("CreateEndpoint AddTagsToResource", _dms("endpoint"), Binding.MADE),
            Right(
                "ModifyEndpoint DeleteEndpoint AddTagsToResource ListTagsForResource", _dms("endpoint"), Binding.OURS
            ),
            USE_KEY,
        ),
    ),
    "dms_instance": (
        "dms",
        (
            Right("DescribeReplicationInstances", ALL),
            Right("CreateReplicationInstance AddTagsToResource", _dms("rep", "subgrp"), Binding.MADE),
            Right(
                "CreateReplicationInstance ModifyReplicationInstance DeleteReplicationInstance AddTagsToResource"
                " ListTagsForResource",
                _dms("rep", "subgrp"),
                Binding.OURS,
            ),
            Right("ec2:DescribeVpcs ec2:DescribeSubnets ec2:DescribeSecurityGroups ec2:DescribeAvailabilityZones", ALL),
            USE_KEY,
        ),
    ),
    "dms_subnet_group": (
        "dms",
        (
            Right("DescribeReplicationSubnetGroups", ALL),
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
            Right("DescribeReplicationTasks", ALL),
            Right("CreateReplicationTask AddTagsToResource", _dms("task"), Binding.MADE),
            Right(
                "CreateReplicationTask ModifyReplicationTask DeleteReplicationTask StartReplicationTask StopReplicationTask"
                " AddTagsToResource ListTagsForResource",
                _dms("task", "rep", "endpoint"),
                Binding.OURS,
            ),
        ),
    ),
    # no kind of resource: an instance that is there is examined, whatever its name
    "existing_source": (
        "rds",
        (Right("DescribeDBInstances DescribeDBParameters", ("arn:aws:rds:{at}:db:*", "arn:aws:rds:{at}:pg:*")),),
    ),
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
            SERVICE_ROLE,
            USE_KEY,
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
    "source_preparation": (
        "lambda",
        (Right("InvokeFunction", ("arn:aws:lambda:{at}:function:{prefix}-prepare-source",)),),
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
            SERVICE_ROLE,
            USE_KEY,
        ),
    ),
    "redshift_usage_limit": (
        "redshift-serverless",
        (Right("ListUsageLimits CreateUsageLimit UpdateUsageLimit DeleteUsageLimit", ALL),),  # AWS binds it to nothing
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
                ALL,
            ),
        ),
    ),
}
