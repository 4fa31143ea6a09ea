"""What a run records in the warehouse has the columns that the dashboard for operators reads."""

import re

from shoplake_dashboards.operational import operational_contracts
from shoplake_warehouse.ddl import create_loads_table
from shoplake_warehouse.run_records import create_run_tables


def test_each_operational_contract_is_a_table_of_the_warehouse():
    made = {}
    for statement in (*create_run_tables(), create_loads_table()):
        if match := re.match(r"CREATE TABLE IF NOT EXISTS shoplake\.(\w+) \(", statement):
            made[match[1]] = re.findall(r'^  "(\w+)" ', statement, re.MULTILINE)
    contracts = {name: list(contract.column_names) for name, contract in operational_contracts().items()}
    assert {name: sorted(columns) for name, columns in made.items()} == {
        name: sorted(columns) for name, columns in contracts.items()
    }
