"""The resource policy of a function: which services may invoke it. Kept and shown, and asked by what invokes here."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shoplake_local.jobs.documents import Documents
from shoplake_local.service import ServiceError, refuse_unsupported

__all__ = ["Permissions"]

_KIND = "permissions"
_ADDED = frozenset({"FunctionName", "StatementId", "Action", "Principal", "SourceArn", "SourceAccount"})


@dataclass(frozen=True, slots=True)
class Permissions:
    """Statements of functions, by the function's name and the statement's id."""

    documents: Documents

    def add(self, function: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
        """AddPermission."""
        refuse_unsupported("Lambda's AddPermission", parameters, _ADDED)
        statement = _statement(function["FunctionArn"], parameters)
        with self.documents.transaction():
            statements = self.of(function)
            if statement["Sid"] in statements:
                message = (
                    f"The statement id ({statement['Sid']}) provided already exists. Please provide a new statement id."
                )
                raise ServiceError("ResourceConflictException", message, 409)
            self.documents.put(_KIND, function["FunctionName"], statements | {statement["Sid"]: statement})
        return {"Statement": json.dumps(statement)}

    def remove(self, function: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
        """RemovePermission."""
        refuse_unsupported("Lambda's RemovePermission", parameters, {"FunctionName", "StatementId"})
        with self.documents.transaction():
            statements = self.of(function)
            if statements.pop(parameters["StatementId"], None) is None:
                message = f"Statement {parameters['StatementId']} is not found in resource policy."
                raise ServiceError("ResourceNotFoundException", message, 404)
            self.documents.put(_KIND, function["FunctionName"], statements)
        return {}

    def shown(self, function: Mapping[str, Any]) -> dict[str, Any]:
        """GetPolicy."""
        statements = self.of(function)
        if not statements:
            raise ServiceError("ResourceNotFoundException", "The resource you requested does not exist.", 404)
        policy = {"Version": "2012-10-17", "Id": "default", "Statement": list(statements.values())}
        return {"Policy": json.dumps(policy)}

    def of(self, function: Mapping[str, Any]) -> dict[str, Any]:
        """Sid -> statement."""
        return self.documents.get(_KIND, function["FunctionName"]) or {}

    def forget(self, name: str) -> None:
        """They go with their function."""
        self.documents.delete(_KIND, name)


def _statement(function_arn: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    principal = parameters["Principal"]
    kind = "Service" if principal.endswith(".amazonaws.com") else "AWS"
    conditions: dict[str, Any] = {}
    if "SourceAccount" in parameters:
        conditions["StringEquals"] = {"AWS:SourceAccount": parameters["SourceAccount"]}
    if "SourceArn" in parameters:
        conditions["ArnLike"] = {"AWS:SourceArn": parameters["SourceArn"]}
    statement = {
        "Sid": parameters["StatementId"],
        "Effect": "Allow",
        "Principal": {kind: principal},
        "Action": parameters["Action"],
        "Resource": function_arn,
    }
    return statement | ({"Condition": conditions} if conditions else {})
