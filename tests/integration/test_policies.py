"""Each role's policy holds the actions that its code calls, and no other: compared with the calls that were recorded."""

import fnmatch
import json
import urllib.request

# Action -> why no call of it is recorded here. What stands here and is called after all fails the test, too.
NOT_RECORDED = {
    "s3:*": "roles go to the object store itself, which holds them to their policies",
    "kms:*": "keys are used by S3, Secrets Manager and SNS on behalf of the caller",
    "logs:*": "written by Lambda, Glue and Step Functions themselves",
    "xray:*": "written by Step Functions itself",
    "ec2:*": "network interfaces are made by Lambda and Glue themselves",
    "cloudwatch:PutMetricData": "written by Glue itself",
    "glue:GetConnection": "read by Glue itself",
    "redshift-serverless:GetCredentials": "asked by the Data API itself",
    "secretsmanager:DescribeSecret": "asked by DMS, and by a rotation",
    "secretsmanager:PutSecretValue": "a rotation",
    "secretsmanager:UpdateSecretVersionStage": "a rotation",
    "glue:BatchStopJobRun": "a run that is stopped while a job runs",
    "glue:GetJobRuns": "AWS's page on the integration wants it; the local engine needs the one run alone",
    "glue:*Partition*": "AWS's crawler, for tables with partitions",
    "glue:GetTables": "AWS's crawler",
    "glue:UpdateTable": "a crawl that finds a table changed",
    "glue:GetDatabase": "AWS's crawler",
    "states:DescribeExecution": "a run that finds the lock held",
    "redshift-data:CancelStatement": "a load that takes too long",
    "glue:DeleteTable": "a gold model whose shape has changed is made anew",
    "states:StartExecution": "the schedule",
    "sns:Publish": "a run that fails",
}


def policy_actions(iam, role):
    """Every action that the role's inline and attached policies allow."""
    found = set()
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        for statement in document["Statement"]:
            actions = statement["Action"]
            found |= set(actions if isinstance(actions, list) else [actions])
    return found


def test_every_role_is_allowed_what_it_calls_and_nothing_else(running_shop, inside):
    behind = inside(running_shop)
    with urllib.request.urlopen(f"{behind.laptop.control.url}/_shoplake/recorded-actions", timeout=30) as answer:
        recorded = json.load(answer)
    refused = [entry for entry in recorded if not entry["allowed"]]
    assert refused == [], "our own code asks for nothing that its role may not do"
    called = {}
    for entry in recorded:
        called.setdefault(entry["role_arn"].rpartition("/")[2], set()).add(entry["action"])
    iam = behind.cloud.aws.client("iam")
    surplus = {}
    for role in iam.list_roles()["Roles"]:
        name = role["RoleName"]
        if not name.startswith(behind.names.prefix):
            continue
        unused = {
            action
            for action in policy_actions(iam, name) - called.get(name, set())
            if not any(fnmatch.fnmatchcase(action, pattern) for pattern in NOT_RECORDED)
        }
        if unused:
            surplus[name] = sorted(unused)
    assert surplus == {}, "rights that nothing uses"
    assert {action for actions in called.values() for action in actions} >= {
        "lambda:InvokeFunction",
        "glue:StartJobRun",
        "redshift-data:BatchExecuteStatement",
        "dms:StartReplicationTask",
    }
