"""What the handlers of QuickSight call. Every id of ours begins with the environment's prefix, so rights are bound to it."""

from collections.abc import Mapping

from shoplake_infra.rights import ALL, KindRights, Right

__all__ = ["DASHBOARD_RIGHTS"]

_TAGS = "ListTagsForResource TagResource"


def _ours(kind: str, *below: str) -> tuple[str, ...]:
    return tuple(f"arn:aws:quicksight:{{at}}:{kind}/{{prefix}}{rest}" for rest in ("-*", *below))


DASHBOARD_RIGHTS: Mapping[str, KindRights] = {
    "quicksight_dashboard": (
        "quicksight",
        (
            Right(
                "DescribeDashboard CreateDashboard UpdateDashboard DeleteDashboard UpdateDashboardPublishedVersion"
                f" DescribeDashboardPermissions UpdateDashboardPermissions {_TAGS}",
                _ours("dashboard"),
            ),
            Right("PassDataSet", _ours("dataset")),
            Right("DescribeTheme", _ours("theme", "")),
        ),
    ),
    "quicksight_data_set": (
        "quicksight",
        (
            Right(
                "DescribeDataSet CreateDataSet UpdateDataSet DeleteDataSet DescribeDataSetRefreshProperties"
                f" PutDataSetRefreshProperties DeleteDataSetRefreshProperties {_TAGS}",
                _ours("dataset"),
            ),
            Right("PassDataSource", _ours("datasource")),
        ),
    ),
    "quicksight_data_source": (
        "quicksight",
        (
            Right(
                f"DescribeDataSource CreateDataSource UpdateDataSource DeleteDataSource {_TAGS}", _ours("datasource")
            ),
            Right("DescribeVPCConnection", _ours("vpcConnection", "")),
        ),
    ),
    "quicksight_group": (
        "quicksight",
        (
            Right(
                "DescribeGroup CreateGroup UpdateGroup DeleteGroup",
                ("arn:aws:quicksight:{at}:group/default/{prefix}-*",),
            ),
        ),
    ),
    "quicksight_reader_group": ("quicksight", (Right("DescribeGroup", ("arn:aws:quicksight:{at}:group/default/*",)),)),
    "quicksight_secret_access": (
        "iam",
        (
            Right(
                "GetRole CreateRole TagRole GetRolePolicy PutRolePolicy DeleteRolePolicy",
                ("arn:aws:iam::{account}:role/service-role/aws-quicksight-secretsmanager-role-v0",),
            ),
        ),
    ),
    "quicksight_subscription": ("quicksight", (Right("DescribeAccountSubscription", ALL),)),
    "quicksight_theme": (
        "quicksight",
        (Right(f"DescribeTheme CreateTheme UpdateTheme DeleteTheme {_TAGS}", _ours("theme", "")),),
    ),
    "quicksight_vpc_connection": (
        "quicksight",
        (
            Right(
                f"DescribeVPCConnection CreateVPCConnection UpdateVPCConnection DeleteVPCConnection {_TAGS}",
                _ours("vpcConnection", ""),
            ),
            Right("ec2:DescribeVpcs ec2:DescribeSubnets ec2:DescribeSecurityGroups", ALL),
        ),
    ),
}
"""Kind of resource -> its service in IAM, and its handler's rights."""
