"""A warehouse that does not answer is told soon, once, and in words."""

import re
import time

import boto3
import pytest
from shoplake.console_warehouse import ConsoleWarehouse
from shoplake_core.clock import SystemClock
from shoplake_core.endpoints import WarehouseEndpoint
from shoplake_core.errors import ResourceError
from shoplake_dashboards.sql import Query
from shoplake_local.redshift.service import RedshiftDataService

QUERIES = [Query(tile=f"tile_{n}", role="main", sql=f"SELECT {n} AS n") for n in range(40)]


class InProcess:
    """The local Redshift Data API in this process, with boto3's method names."""

    def __init__(self, service):
        self.service, self.calls = service, 0

    def __getattr__(self, method):
        operation = re.sub(r"(?:^|_)(\w)", lambda match: match.group(1).upper(), method)

        def call(**request):
            self.calls += 1
            return self.service.call(operation, request)

        return call


def errors_of(warehouse):
    answer = warehouse.asked(QUERIES)
    found = []
    for query in QUERIES:
        with pytest.raises(ResourceError) as caught:
            answer(query)
        found.append(caught.value)
    return found


def test_a_warehouse_behind_the_data_api_that_is_down(tmp_path):
    down = WarehouseEndpoint(host="127.0.0.1", port=1, user="admin", password="secret-word", database="shop")
    service = RedshiftDataService(down, object_store=None, state_folder=tmp_path)
    client = InProcess(service)
    try:
        errors = errors_of(ConsoleWarehouse(client, "shoplake-dev", "shop", SystemClock()))
    finally:
        service.close()
    assert client.calls < 3 * len(QUERIES), "those that were not asked yet are not asked any more"
    assert errors[-1].message.startswith('the warehouse does not answer: connection to server at "127.0.0.1", port 1')
    assert "shoplake up" in errors[-1].hint
    assert "secret-word" not in str(errors)


def test_a_data_api_that_is_down():
    client = boto3.client(
        "redshift-data",
        endpoint_url="http://127.0.0.1:9",
        region_name="eu-central-1",
        aws_access_key_id="AKIAEXAMPLE",
        aws_secret_access_key="secret",
        config=boto3.session.Config(retries={"total_max_attempts": 1}),
    )
    began = time.monotonic()
    errors = errors_of(ConsoleWarehouse(client, "shoplake-dev", "shop", SystemClock()))
    assert time.monotonic() - began < 10, "the Data API's own patience would be half a minute a statement"
    assert all("the warehouse cannot be asked" in error.message for error in errors)


def test_a_statement_that_is_refused_says_what_a_run_would_mend(local_aws):
    warehouse = ConsoleWarehouse(
        local_aws.client("redshift-data"), "shoplake-dev", local_aws.warehouse.database, SystemClock()
    )
    with pytest.raises(ResourceError) as caught:
        warehouse.rows("SELECT 1 AS n FROM gold.nowhere", what="a tile")
    assert caught.value.message.startswith("the warehouse refused the query of a tile: ")
    assert "\n" not in caught.value.message, "the statement is not for who reads a page"
    assert caught.value.hint == "a run makes the warehouse and its tables as the contracts say: shoplake run"
    nowhere = ConsoleWarehouse(local_aws.client("redshift-data"), "shoplake-dev", "not_made_yet", SystemClock())
    with pytest.raises(ResourceError) as caught:
        nowhere.rows("SELECT 1 AS n", what="a tile")
    assert 'database "not_made_yet" does not exist' in caught.value.message
    assert "shoplake run" in caught.value.hint
    (row,) = warehouse.rows("SELECT CAST(:word AS varchar(20)) AS w", {"word": "');--"}, what="a word")
    assert row == {"w": "');--"}
