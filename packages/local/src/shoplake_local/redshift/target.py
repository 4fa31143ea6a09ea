"""What a workgroup's name stands for: the database of its namespace, and the roles that COPY may read S3 with."""

from dataclasses import dataclass

from shoplake_local.redshift.refusals import NotLocalError, RedshiftRefusalError

__all__ = ["Target"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a statement runs.

    Attributes:
        database: The one database of the namespace.
        kept_as: Its name in PostgreSQL.
        roles: ARNs of the roles associated with it.
        default_role: The one that `IAM_ROLE default` means; "" for none.

    """

    database: str
    kept_as: str
    roles: tuple[str, ...]
    default_role: str

    def copying_role(self, named: str) -> str:
        """The ARN of the role that a COPY reads with, given what its IAM_ROLE says.

        Raises:
            RedshiftRefusalError: None is the default, or it is not the namespace's.
            NotLocalError: A chain of roles.

        """
        if "," in named:
            raise NotLocalError("COPY with a chain of roles")
        if named == "default" and not self.default_role:
            raise RedshiftRefusalError("The default IAM role is not set", "set the namespace's defaultIamRoleArn")
        role = self.default_role if named == "default" else named
        if role not in self.roles:
            raise RedshiftRefusalError(
                f"The requested role {role} is not associated to cluster", "add it to the namespace's iamRoles"
            )
        return role
