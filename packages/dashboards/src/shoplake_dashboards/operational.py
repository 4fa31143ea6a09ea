"""The tables of the schema `shoplake` as contracts, so that a dashboard for operators is checked like any other."""

from functools import cache
from importlib import resources

from shoplake_core.contract_files import parse_table_contract
from shoplake_core.contracts import Layer, TableContract

from shoplake_dashboards.sql import OPERATIONAL

__all__ = ["operational_contracts"]


@cache
def operational_contracts() -> dict[str, TableContract]:
    """Contracts of `loads`, which the loading procedure writes, and of `runs`, `run_tables` and `run_checks`, which a run
    writes when it ends. Where one of these is not in the warehouse yet, its tiles say so.
    """
    folder = resources.files("shoplake_dashboards").joinpath("operations")
    found = {}
    for name in OPERATIONAL:
        path = f"operations/{name}.toml"
        text = folder.joinpath(f"{name}.toml").read_text("utf-8")
        found[name] = parse_table_contract(text, name=name, layer=Layer.GOLD, where=path)
    return found
