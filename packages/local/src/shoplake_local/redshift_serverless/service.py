"""The operations of `redshift-serverless`, and what a workgroup means for the Data API.

Only what Shoplake provisions: no snapshots, endpoints, custom domains, reservations or scheduled actions.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from shoplake_core.clock import Clock
from shoplake_core.endpoints import AwsEndpoint, WarehouseEndpoint

from shoplake_local.glue.requests import next_token, token_key
from shoplake_local.jobs.documents import Documents
from shoplake_local.redshift.target import Target
from shoplake_local.redshift_serverless.admin_secret_aws import AdminSecrets
from shoplake_local.redshift_serverless.namespaces import Namespaces
from shoplake_local.redshift_serverless.records import AVAILABLE, Records, invalid
from shoplake_local.redshift_serverless.usage_limits import UsageLimits
from shoplake_local.redshift_serverless.workgroups import Workgroups
from shoplake_local.service import ServiceError, UnsupportedOperationError, refuse_unsupported

__all__ = ["RedshiftServerlessService"]

_LARGEST_PAGE = 100
_CREDENTIALS_SECONDS = 900
_LONGEST_CREDENTIALS_SECONDS = 3600


class RedshiftServerlessService:
    """Namespaces, workgroups, usage limits and tags.

    Args:
        path: The file; what it holds is on disk before an answer leaves.
        warehouse: The PostgreSQL that plays Redshift.
        front: Where Secrets Manager is, for administrators' passwords.
        account: The account.
        clock: Time.

    """

    service_name = "redshift-serverless"

    def __init__(
        self, path: Path, warehouse: WarehouseEndpoint, *, front: AwsEndpoint, account: str, clock: Clock
    ) -> None:
        self._documents = Documents(path, "redshift-serverless")
        self._warehouse = warehouse
        self._records = Records(self._documents, clock, account, front.region)
        self._namespaces = namespaces = Namespaces(self._records, warehouse, AdminSecrets(front))
        workgroups = Workgroups(self._records, warehouse)
        limits = UsageLimits(self._records)
        self._operations: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "CreateNamespace": namespaces.create,
            "UpdateNamespace": namespaces.update,
            "GetNamespace": namespaces.get,
            "DeleteNamespace": namespaces.delete,
            "ListNamespaces": lambda p: self._listed(p, "Namespace", "namespaceName"),
            "CreateWorkgroup": workgroups.create,
            "UpdateWorkgroup": workgroups.update,
            "GetWorkgroup": workgroups.get,
            "DeleteWorkgroup": workgroups.delete,
            "ListWorkgroups": lambda p: self._listed(p, "Workgroup", "workgroupName"),
            "CreateUsageLimit": limits.create,
            "UpdateUsageLimit": limits.update,
            "GetUsageLimit": limits.get,
            "DeleteUsageLimit": limits.delete,
            "ListUsageLimits": lambda p: self._listed(p, "UsageLimit", "usageLimitId"),
            "TagResource": self._records.tag,
            "UntagResource": self._records.untag,
            "ListTagsForResource": self._records.tags,
            "GetCredentials": self._credentials,
        }

    def call(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """The answer of one operation; see `Service`."""
        handler = self._operations.get(operation)
        if handler is None:
            raise UnsupportedOperationError(f"operation {operation} of redshift-serverless")
        return handler(parameters)

    def close(self) -> None:
        """Close the file."""
        self._documents.close()

    def target(self, workgroup: str) -> Target | None:
        """What a statement for that workgroup (its name or ARN) runs on; None while there is no namespace at all.

        Raises:
            ServiceError: There are namespaces, and no workgroup of that name.

        """
        # a laptop whose run goes by direct calls has none, and its one database answers to any workgroup's name
        namespaces = {namespace["namespaceName"]: namespace for namespace in self._records.all("Namespace")}
        if not namespaces:
            return None
        for found in self._records.all("Workgroup"):
            if workgroup in {found["workgroupName"], found["workgroupArn"]}:
                if found["status"] not in {AVAILABLE, "MODIFYING"}:
                    raise invalid(f"The workgroup {workgroup} is {found['status']}.")
                namespace = namespaces[found["namespaceName"]]
                roles = tuple(namespace["iamRoles"])
                return Target(
                    database=namespace["dbName"],
                    kept_as=self._namespaces.database_of(namespace["namespaceName"]),
                    roles=roles,
                    default_role=namespace.get("defaultIamRoleArn", ""),
                )
        raise invalid(f"Redshift endpoint doesn't exist in this region: no workgroup is named {workgroup}.")

    def _credentials(self, parameters: dict[str, Any]) -> dict[str, Any]:
        refuse_unsupported(
            "Redshift Serverless's GetCredentials", parameters, {"workgroupName", "dbName", "durationSeconds"}
        )
        workgroup = self._records.get("Workgroup", parameters.get("workgroupName", ""))
        namespace = self._records.get("Namespace", workgroup["namespaceName"])
        if parameters.get("dbName", namespace["dbName"]) != namespace["dbName"]:
            raise invalid(f'database "{parameters["dbName"]}" is not of the workgroup {workgroup["workgroupName"]}')
        seconds = parameters.get("durationSeconds", _CREDENTIALS_SECONDS)
        if not _CREDENTIALS_SECONDS <= seconds <= _LONGEST_CREDENTIALS_SECONDS:
            raise invalid("durationSeconds must be 900 to 3600.")
        ends_at = self._records.now() + timedelta(seconds=seconds)
        return {
            "dbUser": self._warehouse.user,
            "dbPassword": self._warehouse.password,
            "expiration": ends_at,
            "nextRefreshTime": ends_at,
        }

    def _listed(self, parameters: dict[str, Any], kind: str, key: str) -> dict[str, Any]:
        paging = {"maxResults", "nextToken"}
        filters = {"resourceArn", "usageType"} if kind == "UsageLimit" else set()
        refuse_unsupported(f"Redshift Serverless's List{kind}s", parameters, paging | filters)
        size = min(parameters.get("maxResults", _LARGEST_PAGE), _LARGEST_PAGE)
        try:
            after = token_key({"NextToken": parameters.get("nextToken", "")})
        except ServiceError as error:
            raise ServiceError("InvalidPaginationException", error.message) from None
        wanted = {name: parameters[name] for name in filters if name in parameters}
        left = [one for one in self._records.all(kind) if one[key] > after and wanted.items() <= one.items()]
        # the model knows no empty list of limits, so the member is left out
        answer: dict[str, Any] = {f"{kind[0].lower()}{kind[1:]}s": left[:size]} if left or kind != "UsageLimit" else {}
        return answer | ({"nextToken": next_token(left[size - 1][key])} if len(left) > size else {})
