"""Tags of whatever has an ARN in DMS."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from shoplake_local.dms.faults import invalid, not_found
from shoplake_local.dms.registry import Kind, Registry
from shoplake_local.jobs.operations import Operation

__all__ = ["TagOperations"]


@dataclass(frozen=True, slots=True)
class TagOperations:
    """Kept beside the resources, by ARN."""

    registry: Registry

    def operations(self) -> dict[str, Operation]:
        """By their names on AWS."""
        return {
            "AddTagsToResource": self._add,
            "ListTagsForResource": self._list,
            "RemoveTagsFromResource": self._remove,
        }

    def put(self, arn: str, tags: Iterable[Mapping[str, str]]) -> None:
        """Keep these tags beside those that are there."""
        new = {tag["Key"]: tag.get("Value", "") for tag in tags}
        self.registry.documents.put("tags", arn, self._of(arn) | new)

    def _of(self, arn: str) -> dict[str, str]:
        return self.registry.documents.get("tags", arn) or {}

    def _known(self, arn: str) -> str:
        parts = arn.split(":")
        kind = next((kind for kind in Kind if len(parts) > 5 and kind.word == parts[5]), None)
        if kind is None or self.registry.find(kind, arn) is None:
            raise not_found(f"{arn} not found.")
        return arn

    def _add(self, parameters: dict[str, Any]) -> dict[str, Any]:
        with self.registry.transaction():
            self.put(self._known(parameters["ResourceArn"]), parameters["Tags"])
        return {}

    def _list(self, parameters: dict[str, Any]) -> dict[str, Any]:
        if ("ResourceArn" in parameters) == ("ResourceArnList" in parameters):
            raise invalid("Either ResourceArn or ResourceArnList must be given.")
        arns = parameters.get("ResourceArnList", [parameters.get("ResourceArn")])
        with self.registry.transaction():
            tags = [
                {"Key": key, "Value": value, "ResourceArn": arn}
                for arn in arns
                for key, value in sorted(self._of(self._known(arn)).items())
            ]
        return {"TagList": tags}

    def _remove(self, parameters: dict[str, Any]) -> dict[str, Any]:
        with self.registry.transaction():
            arn = self._known(parameters["ResourceArn"])
            left = {key: value for key, value in self._of(arn).items() if key not in parameters["TagKeys"]}
            self.registry.documents.put("tags", arn, left)
        return {}
