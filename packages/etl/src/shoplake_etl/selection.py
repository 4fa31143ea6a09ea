"""Which tables of a project a run takes."""

from collections.abc import Mapping, Sequence

from shoplake_core.contracts import TableContract
from shoplake_core.errors import ConfigError
from shoplake_core.suggestions import did_you_mean

__all__ = ["selected_contracts"]


def selected_contracts(contracts: Mapping[str, TableContract], names: Sequence[str]) -> dict[str, TableContract]:
    """The contracts of those names; all for none.

    Raises:
        ConfigError: A name has no contract.

    """
    for name in names:
        if name not in contracts:
            raise ConfigError(
                f'no table "{name}"{did_you_mean(name, contracts)}', hint=f"known: {', '.join(contracts)}"
            )
    return {name: contract for name, contract in contracts.items() if not names or name in names}
