"""QuickSight's account: whether it is subscribed, and its groups. Users are people, and there are none here."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from shoplake_local.quicksight.records import RESOURCES, SETTLING, Records, answered, exists, not_found
from shoplake_local.service import ServiceError, UnsupportedOperationError, refuse_unsupported

__all__ = ["Account", "Groups"]

_NAMESPACE = "default"
_SUBSCRIPTION = "subscription"
_PROTECTED = "TerminationProtectionEnabled"
_GOES_ALONG = (
    *("Group", "Ingestion", "RefreshSchedule", "DataSetRefreshProperties"),
    *("ThemeVersion", "DashboardVersion", "DashboardVersionDefinition", "published"),
    *("tags", "permissions", SETTLING),
)
_SIGNUP = ("AwsAccountId", "AccountName", "Edition", "AuthenticationMethod", "NotificationEmail")


@dataclass(frozen=True, slots=True)
class Account:
    """The subscription: none until CreateAccountSubscription is called, as in a new account."""

    records: Records

    def subscribe(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """CreateAccountSubscription: done when it returns; on AWS it begins to cost money."""
        refuse_unsupported("QuickSight's CreateAccountSubscription", parameters, _SIGNUP)
        if parameters["AuthenticationMethod"] != "IAM_ONLY":
            raise UnsupportedOperationError(f"authentication of QuickSight by {parameters['AuthenticationMethod']}")
        with self.records.documents.transaction():
            if self.subscription() is not None:
                raise exists("The account subscription of", self.records.account)
            kept = {name: parameters[name] for name in _SIGNUP} | {"Edition": parameters.get("Edition", "ENTERPRISE")}
            self.records.documents.put(_SUBSCRIPTION, self.records.account, kept)
        signup = {"IAMUser": True, "accountName": parameters["AccountName"], "directoryType": "IAM_ONLY"}
        return answered(SignupResponse=signup)

    def describe(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """DescribeAccountSubscription."""
        kept = self._subscribed(parameters)
        return answered(
            AccountInfo={
                "AccountName": kept["AccountName"],
                "Edition": kept["Edition"],
                "NotificationEmail": kept["NotificationEmail"],
                "AuthenticationType": kept["AuthenticationMethod"],
                "AccountSubscriptionStatus": "ACCOUNT_CREATED",
            }
        )

    def settings(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """DescribeAccountSettings."""
        kept = self._subscribed(parameters)
        return answered(
            AccountSettings={
                "AccountName": kept["AccountName"],
                "Edition": kept["Edition"],
                "DefaultNamespace": _NAMESPACE,
                "NotificationEmail": kept["NotificationEmail"],
                "PublicSharingEnabled": False,
                "TerminationProtectionEnabled": kept.get(_PROTECTED, True),
            }
        )

    def change_settings(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """UpdateAccountSettings: whether the subscription is protected."""
        supported = {"AwsAccountId", "DefaultNamespace", _PROTECTED}
        refuse_unsupported("QuickSight's UpdateAccountSettings", parameters, supported)
        if parameters["DefaultNamespace"] != _NAMESPACE:
            raise not_found("Namespace", parameters["DefaultNamespace"])
        with self.records.documents.transaction():
            kept = self._subscribed(parameters)
            kept |= {name: parameters[name] for name in (_PROTECTED,) if name in parameters}
            self.records.documents.put(_SUBSCRIPTION, self.records.account, kept)
        return answered()

    def unsubscribe(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """DeleteAccountSubscription: all that the account has of QuickSight goes with it."""
        with self.records.documents.transaction():
            if self._subscribed(parameters).get(_PROTECTED, True):
                message = "Termination protection is on: turn it off by UpdateAccountSettings first."
                raise ServiceError("PreconditionNotMetException", message)
            for kind in (*RESOURCES, *_GOES_ALONG, _SUBSCRIPTION):
                for key in self.records.documents.keys(kind):
                    self.records.documents.delete(kind, key)
        return answered()

    def subscription(self) -> dict[str, Any] | None:
        """What the account is subscribed to, or None."""
        return self.records.documents.get(_SUBSCRIPTION, self.records.account)

    def check(self, known_errors: Collection[str], *, operation: str) -> None:
        """Pass where the account is subscribed; the two refusals are those that callers of AWS report.

        Raises:
            ServiceError: UnsupportedUserEditionException where the operation's model has it.

        """
        if self.subscription() is not None:
            return
        account = self.records.account
        if "UnsupportedUserEditionException" in known_errors:
            message = f"Account {account} is not subscribed for QuickSight"
            raise ServiceError("UnsupportedUserEditionException", message, 403)
        if "ResourceNotFoundException" in known_errors:
            message = f"Account {account} is not signed up with QuickSight with namespace {_NAMESPACE}"
            raise ServiceError("ResourceNotFoundException", message, 404)
        raise ServiceError("AccessDeniedException", f"{operation}: account {account} has no QuickSight", 403)

    def _subscribed(self, parameters: dict[str, Any]) -> dict[str, Any]:
        kept = self.subscription()
        if kept is None or parameters["AwsAccountId"] != self.records.account:
            raise not_found("The account subscription of", parameters["AwsAccountId"])
        return kept


@dataclass(frozen=True, slots=True)
class Groups:
    """Groups of the namespace "default"."""

    records: Records

    def create(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """CreateGroup."""
        key, name = self._key(parameters), parameters["GroupName"]
        group = {
            "Arn": f"arn:aws:quicksight:{self.records.region}:{self.records.account}:group/{key}",
            "GroupName": name,
            "PrincipalId": f"group/{name}",
        } | ({"Description": parameters["Description"]} if "Description" in parameters else {})
        with self.records.documents.transaction():
            if self.records.find("Group", key) is not None:
                raise exists("Group", name)
            self.records.documents.put("Group", key, group)
        return answered(201, Group=group)

    def update(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """UpdateGroup: its description."""
        with self.records.documents.transaction():
            key = self._key(parameters)
            group = self.records.get("Group", key)
            group |= {"Description": parameters["Description"]} if "Description" in parameters else {}
            self.records.documents.put("Group", key, group)
        return answered(Group=group)

    def describe(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """DescribeGroup."""
        return answered(Group=self.records.get("Group", self._key(parameters)))

    def delete(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """DeleteGroup: what was granted to it is revoked."""
        with self.records.documents.transaction():
            key = self._key(parameters)
            group = self.records.get("Group", key)
            self.records.documents.delete("Group", key)
            for arn in self.records.documents.keys("permissions"):
                kept = self.records.documents.get("permissions", arn) or {}
                if kept.pop(group["Arn"], None) is not None:
                    self.records.documents.put("permissions", arn, kept)
        return answered()

    def listing(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """ListGroups."""
        self._key(parameters | {"GroupName": ""})
        page, following = self.records.listed(parameters, self.records.all("Group"), key=lambda one: one["GroupName"])
        return answered(GroupList=page, **following)

    def _key(self, parameters: dict[str, Any]) -> str:
        if parameters["Namespace"] != _NAMESPACE:
            raise not_found("Namespace", parameters["Namespace"])
        return f"{_NAMESPACE}/{parameters['GroupName']}"
