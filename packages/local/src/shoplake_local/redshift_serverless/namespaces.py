"""Operations on namespaces: a database, the roles that its COPY may use, and who administers it."""

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shoplake_core.endpoints import WarehouseEndpoint

from shoplake_local.redshift_serverless.admin_secret_aws import AdminSecrets
from shoplake_local.redshift_serverless.databases import create_database, drop_database
from shoplake_local.redshift_serverless.records import AVAILABLE, Records, conflict, invalid, tags_from
from shoplake_local.service import UnsupportedOperationError, refuse_unsupported

__all__ = ["Namespaces"]

_KIND = "Namespace"
_DATABASE = "database"
_DEFAULT_DATABASE = "dev"
_STEM_LENGTH = 54
_DATABASE_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")  # 63 bytes are PostgreSQL's limit, one less than Redshift's
_ROLE = re.compile(r"arn:aws:iam::\d{12}:role/[\w+=,.@/-]+")
_ADMIN = ("adminUsername", "manageAdminPassword", "adminPasswordSecretKmsKeyId")
_SETTINGS = ("defaultIamRoleArn", "iamRoles", "kmsKeyId", "logExports")
_LOGS = frozenset({"userlog", "connectionlog", "useractivitylog"})
# UpdateNamespace changes one thing a call, as its documentation says; these belong together
_TOGETHER = (
    frozenset({"iamRoles", "defaultIamRoleArn"}),
    frozenset({"kmsKeyId"}),
    frozenset({"logExports"}),
    frozenset(_ADMIN),
)


@dataclass(frozen=True, slots=True)
class Namespaces:
    """The operations.

    Attributes:
        records: Where namespaces are kept.
        warehouse: The PostgreSQL that holds their databases; its user is the administrator of each.
        secrets: Where an administrator's managed password is kept.

    """

    records: Records
    warehouse: WarehouseEndpoint
    secrets: AdminSecrets

    def create(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """CreateNamespace: the database is there when this returns."""
        supported = {"namespaceName", "dbName", "tags", *_ADMIN, *_SETTINGS}
        refuse_unsupported("Redshift Serverless's CreateNamespace", parameters, supported)
        name, database = parameters["namespaceName"], parameters.get("dbName", _DEFAULT_DATABASE)
        if not _DATABASE_NAME.fullmatch(database):
            raise invalid(f'dbName "{database}" must be lower-case letters, digits and underscores, a letter first.')
        tags, identifier = tags_from(parameters.get("tags", [])), str(uuid.uuid4())
        namespace = {
            "namespaceArn": self.records.arn("namespace", identifier),
            "namespaceId": identifier,
            "namespaceName": name,
            "dbName": database,
            "creationDate": self.records.now(),
            "iamRoles": [],
            "logExports": [],
            "kmsKeyId": "AWS_OWNED_KMS_KEY",
            "adminUsername": self.warehouse.user,
            "status": AVAILABLE,
        } | {setting: parameters[setting] for setting in _SETTINGS if setting in parameters}
        self._check(namespace, parameters)
        with self.records.documents.transaction():
            others = [other["namespaceName"] for other in self.records.all(_KIND)]
            if name in others:
                raise conflict(f"Namespace {name} already exists.")
            # two namespaces may call their databases alike; in one PostgreSQL the second needs another name
            taken = {self.database_of(other) for other in others}
            kept_as = f"{database[:_STEM_LENGTH]}_{identifier[:8]}" if database in taken else database
            create_database(self.warehouse, kept_as)
            self.records.documents.put(_DATABASE, name, {"name": kept_as})
            namespace |= self._managed(name, parameters)
            self.records.documents.put("tags", namespace["namespaceArn"], tags)
            self.records.documents.put(_KIND, name, namespace)
        return {"namespace": namespace}

    def update(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """UpdateNamespace: one thing a call, as on AWS."""
        refuse_unsupported("Redshift Serverless's UpdateNamespace", parameters, {"namespaceName", *_ADMIN, *_SETTINGS})
        name = parameters["namespaceName"]
        changed = set(parameters) - {"namespaceName"}
        if not any(changed and changed <= group for group in _TOGETHER):
            raise invalid(f"One setting of a namespace can be updated at a time; these are {sorted(changed)}.")
        with self.records.documents.transaction():
            namespace = self.records.idle(_KIND, name)
            namespace |= {setting: parameters[setting] for setting in _SETTINGS if setting in parameters}
            self._check(namespace, parameters)
            namespace |= self._managed(name, parameters)
            return {"namespace": self.records.changing(_KIND, name, namespace, "MODIFYING")}

    def get(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """GetNamespace."""
        return {"namespace": self.records.get(_KIND, parameters["namespaceName"])}

    def delete(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """DeleteNamespace: with the database."""
        refuse_unsupported("Redshift Serverless's DeleteNamespace", parameters, {"namespaceName"})
        name = parameters["namespaceName"]
        with self.records.documents.transaction():
            namespace = self.records.idle(_KIND, name)
            used_by = [w["workgroupName"] for w in self.records.all("Workgroup") if w["namespaceName"] == name]
            if used_by:
                raise conflict(f"Namespace {name} is associated with the workgroup {used_by[0]}: delete that first.")
            database = self.database_of(name)
            if database != self.warehouse.database:  # that one was there before any namespace
                drop_database(self.warehouse, database)
            if "adminPasswordSecretArn" in namespace:
                self.secrets.forget(namespace["adminPasswordSecretArn"])
            return {"namespace": self.records.changing(_KIND, name, namespace, "DELETING")}

    def database_of(self, name: str) -> str:
        """The name in PostgreSQL of a namespace's database."""
        return str((self.records.documents.get(_DATABASE, name) or {})["name"])

    def _check(self, namespace: Mapping[str, Any], parameters: Mapping[str, Any]) -> None:
        for role in (*namespace["iamRoles"], *filter(None, [namespace.get("defaultIamRoleArn")])):
            if not _ROLE.fullmatch(role):
                raise invalid(f"{role} is no ARN of an IAM role.")
        default = namespace.get("defaultIamRoleArn")
        if default and default not in namespace["iamRoles"]:
            raise invalid(f"The default role {default} must be one of iamRoles.")
        unknown = sorted(set(namespace["logExports"]) - _LOGS)
        if unknown:
            raise invalid(f"logExports: {unknown[0]} is none of {', '.join(sorted(_LOGS))}.")
        user = parameters.get("adminUsername", self.warehouse.user)
        if user != self.warehouse.user:
            raise UnsupportedOperationError(f'administrator "{user}" of a namespace: it is "{self.warehouse.user}"')
        if "adminPasswordSecretKmsKeyId" in parameters and not parameters.get("manageAdminPassword"):
            raise invalid("adminPasswordSecretKmsKeyId needs manageAdminPassword.")

    def _managed(self, name: str, parameters: Mapping[str, Any]) -> dict[str, str]:
        if not parameters.get("manageAdminPassword"):
            return {}
        login = json.dumps({"username": self.warehouse.user, "password": self.warehouse.password})
        key = parameters.get("adminPasswordSecretKmsKeyId", "")
        arn = self.secrets.keep(f"redshift!{name}-{self.warehouse.user}", login, key=key)
        return {"adminPasswordSecretArn": arn} | ({"adminPasswordSecretKmsKeyId": key} if key else {})
