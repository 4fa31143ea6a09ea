"""What a request is called in a policy: its action, and the ARNs that it is about where the request names them."""

from collections.abc import Mapping
from typing import Any

from botocore.model import OperationModel

__all__ = ["action_of", "resources_of"]

# Where a policy's prefix is not the name under which a service is signed (Service Authorization Reference).
_PREFIXES = {"monitoring": "cloudwatch", "tagging": "tag"}
_ACTIONS = {
    "lambda:Invoke": "lambda:InvokeFunction",
    "lambda:InvokeAsync": "lambda:InvokeFunction",
    "sns:PublishBatch": "sns:Publish",
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
}
# Parameter of a request -> the resource's part of the ARN, by policy prefix.
_NAMED: Mapping[str, Mapping[str, str]] = {
    "glue": {"JobName": "job/{}", "CrawlerName": "crawler/{}", "ConnectionName": "connection/{}"},
    "lambda": {"FunctionName": "function:{}"},
    "logs": {"logGroupName": "log-group:{}:log-stream:{logStreamName}"},
    "quicksight": {"DataSetId": "dataset/{}"},
    # AWS puts six characters behind the name that no policy can know
    "secretsmanager": {"SecretId": "secret:{}-000000"},
}
_NAMED_BY_OPERATION: Mapping[str, tuple[str, str]] = {
    "glue:GetJob": ("JobName", "job/{}"),
    "glue:StartCrawler": ("Name", "crawler/{}"),
    "glue:StopCrawler": ("Name", "crawler/{}"),
    "glue:GetCrawler": ("Name", "crawler/{}"),
    "glue:GetConnection": ("Name", "connection/{}"),
    "glue:GetDatabase": ("Name", "database/{}"),
    "glue:UpdateDatabase": ("Name", "database/{}"),
    "glue:DeleteDatabase": ("Name", "database/{}"),
    "quicksight:CreateIngestion": ("IngestionId", "dataset/{DataSetId}/ingestion/{}"),
    "quicksight:DescribeIngestion": ("IngestionId", "dataset/{DataSetId}/ingestion/{}"),
    "quicksight:CancelIngestion": ("IngestionId", "dataset/{DataSetId}/ingestion/{}"),
    "quicksight:ListIngestions": ("DataSetId", "dataset/{}/ingestion/*"),
}
_CATALOGUE_PARTS = ("database/", "table/")


def action_of(operation: OperationModel) -> str:
    """The action as a policy names it, such as "lambda:InvokeFunction"."""
    action = f"{_prefix(operation)}:{operation.name}"
    return _ACTIONS.get(action, action)


def resources_of(
    operation: OperationModel, parameters: Mapping[str, Any], *, account: str, region: str
) -> list[str] | None:
    """The ARNs that the request names; None where it names none that can be told from the request alone."""
    prefix = _prefix(operation)
    start = f"arn:aws:{prefix}:{region}:{account}:"
    arns = [
        value
        for name, value in parameters.items()
        if isinstance(value, str) and value.startswith(f"arn:aws:{prefix}:") and name != "RoleArn"
    ]
    if arns:
        return arns
    if prefix == "sts" and "RoleArn" in parameters:
        return [parameters["RoleArn"]]
    if prefix == "glue" and "DatabaseName" in parameters:
        return _catalogue_arns(start, parameters)
    named = _NAMED.get(prefix, {})
    by_operation = _NAMED_BY_OPERATION.get(f"{prefix}:{operation.name}")
    for parameter, form in [by_operation] if by_operation else named.items():
        if isinstance(parameters.get(parameter), str):
            beside = {name: parameters.get(name, "") for name in ("logStreamName", "DataSetId")}
            arn = start + form.format(parameters[parameter], **beside)
            above = [f"{start}catalog"] if form.startswith(_CATALOGUE_PARTS) else []
            return [*above, arn]
    return None


def _catalogue_arns(start: str, parameters: Mapping[str, Any]) -> list[str]:
    # Glue asks for the whole path: the catalogue, the database and the table
    database = parameters["DatabaseName"]
    table = parameters.get("TableName") or parameters.get("Name") or parameters.get("TableInput", {}).get("Name")
    arns = [f"{start}catalog", f"{start}database/{database}"]
    return [*arns, f"{start}table/{database}/{table}"] if table else arns


def _prefix(operation: OperationModel) -> str:
    metadata = operation.service_model.metadata
    signing = str(metadata.get("signingName", metadata["endpointPrefix"]))
    return _PREFIXES.get(signing, signing)
