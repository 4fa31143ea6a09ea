"""The files of a first project, from a schema's tables."""

import re
from collections.abc import Iterable, Mapping

from shoplake.scaffold.contract_texts import CarriedTable, gold_contract, gold_name, gold_select, silver_contract

__all__ = ["project_files"]

_CONFIG = """\
# {schema}, from MySQL to dashboards. `shoplake doctor` checks it against the source.

[project]
name = "{name}"
environment = "dev"
region = "eu-central-1"

[source]
schema = "{schema}"

[store]
time_zone = "{time_zone}" # decides which day a sale belongs to
currency = "EUR"            # what amounts are summed in

[replication]
flush_interval_seconds = 1.0 # longest wait of a change; DMS's own default is 60
"""
_IGNORED = """\
.shoplake/
"""


def project_files(schema: str, tables: Iterable[CarriedTable], *, time_zone: str, gold: bool) -> Mapping[str, str]:
    """Path in the project -> text: `shoplake.toml`, a silver contract a table, and a gold model a table where wanted.

    Args:
        schema: The MySQL schema.
        tables: What is carried of it.
        time_zone: IANA name of the store's time zone.
        gold: Whether each table gets a gold model that carries it to the warehouse.

    """
    name = re.sub(r"[^a-z0-9]+", "-", schema.lower()).strip("-")[:20] or "shop"
    files = {"shoplake.toml": _CONFIG.format(schema=schema, name=name, time_zone=time_zone), ".gitignore": _IGNORED}
    for table in tables:
        files[f"contracts/silver/{table.name}.toml"] = silver_contract(table)
        if gold:
            files[f"contracts/gold/{gold_name(table)}.toml"] = gold_contract(table)
            files[f"gold/{gold_name(table)}.sql"] = gold_select(table)
    return files
