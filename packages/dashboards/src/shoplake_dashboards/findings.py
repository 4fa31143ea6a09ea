"""The faults of one dashboard file, gathered so that all are reported at once, each with its path and the next step."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from shoplake_core.errors import ConfigError
from shoplake_core.suggestions import did_you_mean

__all__ = ["Findings"]


@dataclass(slots=True)
class Findings:
    """Faults of the file `where`."""

    where: str
    faults: list[str] = field(default_factory=list)

    def add(self, path: str, fault: str) -> None:
        """One more fault, at a path such as `sheets[0].visuals[2].value`."""
        self.faults.append(f"{path}: {fault}")

    def known(self, path: str, given: Iterable[str], known: Iterable[str]) -> None:
        """A fault for each given field that is not known."""
        names = list(known)
        for name in given:
            if name not in names:
                self.add(f"{path}.{name}" if path else name, f"unknown field{did_you_mean(name, names)}")

    def raise_if_any(self) -> None:
        """Nothing, where nothing was found.

        Raises:
            ConfigError: Listing every fault.

        """
        if self.faults:
            lines = "\n".join(f"  - {fault}" for fault in self.faults)
            raise ConfigError(
                f"{self.where} is not a valid dashboard:\n{lines}",
                hint=f"edit {self.where}",
                file=self.where,
                faults=tuple(self.faults),
            )
