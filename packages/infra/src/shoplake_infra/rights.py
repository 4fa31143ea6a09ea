"""Rights of the person or pipeline that applies an environment, as values."""

from dataclasses import dataclass
from enum import Enum

__all__ = ["ALL", "KEYS", "SERVICE_ROLE", "USE_KEY", "Binding", "KindRights", "Right"]


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


KindRights = tuple[str, tuple[Right, ...]]
"""A kind's service in IAM, and what its handler calls."""

ALL = ("*",)
KEYS = "arn:aws:kms:{at}:key/*"
USE_KEY = Right("kms:DescribeKey kms:Decrypt kms:GenerateDataKey kms:CreateGrant", (KEYS,), Binding.OURS)
SERVICE_ROLE = Right("iam:CreateServiceLinkedRole", ("arn:aws:iam::{account}:role/aws-service-role/*",))
