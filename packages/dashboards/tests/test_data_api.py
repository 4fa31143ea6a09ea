"""Every query goes through the Redshift Data API of the local AWS, which lets through only what Redshift would run."""

from collections.abc import Mapping
from typing import Any

import pytest
from shoplake_dashboards.page_state import page_state_from_url
from shoplake_dashboards.reads import page_reads
from shoplake_dashboards.sql import queries
from small_gold import TODAY

# In the environment of this package alone there is no local AWS; in the one that CI runs everything in there is.
redshift = pytest.importorskip("shoplake_local.redshift.service", reason="shoplake-local is not installed here")

URLS = {
    "sales_performance": "?f.channel=web&f.channel=app&drill.by_category=Socks+%26+tights",
    "inventory": "?period=last_7_days",
}


@pytest.fixture(scope="module")
def data_api(gold, tmp_path_factory):
    service = redshift.RedshiftDataService(gold, object_store=None, state_folder=tmp_path_factory.mktemp("redshift"))
    yield service
    service.close()


def _plain(field: Mapping[str, Any]) -> Any:
    ((kind, value),) = field.items()
    return None if kind == "isNull" else value


@pytest.mark.parametrize("name", ["customer_behaviour", "inventory", "pipeline_health", "sales_performance"])
def test_the_data_api_gives_the_same_rows(name, dashboards, contracts, run, gold, data_api):
    dashboard = dashboards[name]
    state = page_state_from_url(dashboard, URLS.get(name, ""), today=TODAY)
    target = {"WorkgroupName": "shoplake-dev", "Database": gold.database}
    together = [read.query for read in page_reads(dashboard, state, contracts=contracts) if len(read.parts) > 1]
    for query in (*queries(dashboard, state, contracts=contracts), *together):
        parameters = [{"name": key, "value": value} for key, value in query.parameters.items()]
        request = {"Sql": query.sql} | ({"Parameters": parameters} if parameters else {})
        answer = data_api.call("ExecuteStatement", request | target)
        described = data_api.call("DescribeStatement", {"Id": answer["Id"], "WaitTimeSeconds": 30})
        assert described["Status"] == "FINISHED", (query.sql, described.get("Error"))
        records = data_api.call("GetStatementResult", {"Id": answer["Id"]})["Records"]
        assert len(records) == len(run(query)), query.sql
        for record, row in zip(records, run(query), strict=True):
            for found, expected in zip(map(_plain, record), row.values(), strict=True):
                if isinstance(expected, str | int | float) or expected is None:
                    assert found == expected
