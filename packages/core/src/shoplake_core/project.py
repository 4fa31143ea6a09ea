"""A user's project as one value: its configuration, its contracts and its gold SQL, from a folder or from the JSON bundle
that a job is given. The bundle holds the files' own text, so both ways run through the same reader.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from shoplake_core.config import ProjectConfig, parse_project_config
from shoplake_core.contract_files import parse_table_contract
from shoplake_core.contracts import Layer, TableContract
from shoplake_core.errors import ConfigError, ContractError
from shoplake_core.metrics import METRICS_FILE_NAME, Metric, parse_metrics
from shoplake_core.suggestions import did_you_mean

__all__ = ["CONFIG_FILE_NAME", "Project", "project_from_bundle", "project_from_files", "project_from_folder"]

CONFIG_FILE_NAME = "shoplake.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A user's project.

    Attributes:
        config: What `shoplake.toml` says.
        silver: Silver contracts by name.
        gold: Gold contracts by name, each after all that it reads.
        gold_sql: Gold model name -> its SELECT.
        metrics: What `metrics.toml` says, by name; empty where the project has none.
        files: Path in the project -> text, of everything above.

    """

    config: ProjectConfig
    silver: Mapping[str, TableContract]
    gold: Mapping[str, TableContract]
    gold_sql: Mapping[str, str]
    metrics: Mapping[str, Metric]
    files: Mapping[str, str]

    def bundle(self) -> str:
        """JSON that `project_from_bundle` reads; equal projects give equal text."""
        document = {"schema_version": 1, "environment": self.config.environment, "files": dict(self.files)}
        return json.dumps(document, sort_keys=True)


def _in_reading_order(gold: Mapping[str, TableContract]) -> dict[str, TableContract]:
    graph = {name: [r for r in contract.reads if r in gold] for name, contract in sorted(gold.items())}
    try:
        return {name: gold[name] for name in TopologicalSorter(graph).static_order()}
    except CycleError as error:
        raise ContractError(
            f"gold models read each other in a circle: {' -> '.join(error.args[1])}", hint="remove one `reads`"
        ) from error


def project_from_files(files: Mapping[str, str], *, environment: str = "") -> Project:
    """The project whose files (path -> text) are given, as one environment sees it; "" for the one that they name.

    Raises:
        ConfigError: `shoplake.toml` is missing or wrong, or names a table without contract.
        ContractError: A contract is wrong, reads an unknown table, or has no SQL.

    """
    if CONFIG_FILE_NAME not in files:
        raise ConfigError(f"no {CONFIG_FILE_NAME} in the project", hint="run it in a project folder, or pass --project")
    config = parse_project_config(files[CONFIG_FILE_NAME], where=CONFIG_FILE_NAME, environment=environment)
    contracts: dict[Layer, dict[str, TableContract]] = {Layer.SILVER: {}, Layer.GOLD: {}}
    for path, text in sorted(files.items()):
        for layer in Layer:
            if path.startswith(f"contracts/{layer.value}/"):
                name = Path(path).stem
                contracts[layer][name] = parse_table_contract(text, name=name, layer=layer, where=path)
    silver, gold = contracts[Layer.SILVER], contracts[Layer.GOLD]
    if not silver:
        raise ConfigError("the project has no contracts/silver/*.toml", hint="write one contract a source table")
    for name in config.tables:
        if name not in silver:
            raise ConfigError(
                f'{CONFIG_FILE_NAME}: tables names "{name}", which has no contract{did_you_mean(name, silver)}',
                hint=f"write contracts/silver/{name}.toml, or take it out of [tables] include",
                table=name,
            )
    if config.tables:
        silver = {name: silver[name] for name in config.tables}
    sql: dict[str, str] = {}
    for name, contract in gold.items():
        for read in contract.reads:
            if read not in silver and read not in gold:
                raise ContractError(
                    f'contracts/gold/{name}.toml: reads unknown table "{read}"{did_you_mean(read, [*silver, *gold])}',
                    hint="name a silver or gold table of this project",
                )
        path = f"gold/{name}.sql"
        if path not in files:
            raise ContractError(f"gold model {name} has a contract and no {path}", hint=f"write {path}")
        sql[name] = files[path]
    metrics = (
        parse_metrics(files[METRICS_FILE_NAME], gold, where=METRICS_FILE_NAME) if METRICS_FILE_NAME in files else {}
    )
    return Project(
        config=config, silver=silver, gold=_in_reading_order(gold), gold_sql=sql, metrics=metrics, files=dict(files)
    )


def project_from_folder(folder: Path, *, environment: str = "") -> Project:
    """The project in `folder` (the one that holds `shoplake.toml`), as one environment sees it."""
    paths = [
        folder / CONFIG_FILE_NAME,
        folder / METRICS_FILE_NAME,
        *folder.glob("contracts/*/*.toml"),
        *folder.glob("gold/*.sql"),
    ]
    return project_from_files(
        {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in sorted(paths) if path.is_file()},
        environment=environment,
    )


def project_from_bundle(text: str) -> Project:
    """The project that `Project.bundle` wrote."""
    document = json.loads(text)
    return project_from_files(document["files"], environment=document.get("environment", ""))
