"""One submit, patient polling, error 1023 repeated whole, every other error final. The API is scripted here; loading
against the real local API is in test_loading_gold.py."""

from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from shoplake_core.clock import SkipClock
from shoplake_core.errors import CredentialError, ResourceError
from shoplake_warehouse.data_api_aws import DataApi, Session, query
from shoplake_warehouse.errors import WarehouseStatementError

CONFLICT = (
    "ERROR: 1023 Detail: Serializable isolation violation on table - 125763, transactions forming the cycle are: 1, 2"
)


def client_error(code):
    return ClientError({"Error": {"Code": code, "Message": "said the service"}}, "DescribeStatement")


class ScriptedApi:
    """Answers each submitted statement by its script: statuses, errors and exceptions, in order."""

    def __init__(self, *scripts, submits=()):
        self.scripts, self.submits = list(scripts), list(submits)
        self.tokens: list[str] = []
        self.started: dict[str, list] = {}
        self.cancelled: list[str] = []

    def batch_execute_statement(self, **request):
        assert (request["WorkgroupName"], request["Database"]) == ("w-1", "dev")
        self.tokens.append(request["ClientToken"])
        outcome = self.submits.pop(0) if self.submits else None
        if outcome is not None:
            raise outcome
        identifier = f"id-{len(self.started)}"
        self.started[identifier] = list(self.scripts.pop(0))
        return {"Id": identifier}

    def describe_statement(self, Id):  # noqa: N803 - boto3's name
        script = self.started[Id]
        step = script.pop(0) if len(script) > 1 else script[0]
        if isinstance(step, Exception):
            raise step
        return (
            {"Id": Id, "Status": "FAILED", "Error": step[1]} if isinstance(step, tuple) else {"Id": Id, "Status": step}
        )

    def cancel_statement(self, Id):  # noqa: N803 - boto3's name
        self.cancelled.append(Id)
        return {"Status": True}


def api_of(client, **session):
    clock = SkipClock(datetime(2024, 1, 1, tzinfo=UTC))
    numbers = iter(range(100))
    return DataApi(
        client, Session(workgroup="w-1", database="dev", **session), clock, new_token=lambda: f"token-{next(numbers)}"
    )


def test_a_throttled_status_call_is_not_a_failed_statement():
    throttled = client_error("ThrottlingException")
    client = ScriptedApi([throttled, throttled, "STARTED", "FINISHED"])
    assert api_of(client).run_together(["SELECT 1"]) == "id-0"
    assert client.tokens == ["token-0"]


def test_a_lost_connection_while_polling_is_not_a_failed_statement():
    client = ScriptedApi([EndpointConnectionError(endpoint_url="https://x"), "FINISHED"])
    assert api_of(client).run_together(["SELECT 1"]) == "id-0"
    assert len(client.tokens) == 1


@pytest.mark.parametrize(
    "lost",
    [
        EndpointConnectionError(endpoint_url="https://x"),
        client_error("ThrottlingException"),
        client_error("ActiveStatementsExceededException"),
    ],
    ids=["connection", "throttled", "too-many-active"],
)
def test_a_lost_submit_is_repeated_with_the_same_token(lost):
    client = ScriptedApi(["FINISHED"], submits=[lost, lost])
    api_of(client).run_together(["SELECT 1"])
    assert client.tokens == ["token-0"] * 3


def test_error_1023_repeats_the_whole_transaction_with_a_growing_delay_and_a_new_token():
    client = ScriptedApi([("FAILED", CONFLICT)], [("FAILED", CONFLICT)], ["FINISHED"])
    api = api_of(client)
    assert api.run_together(["SELECT 1"]) == "id-2"
    assert client.tokens == ["token-0", "token-1", "token-2"]
    assert api.clock.monotonic_seconds() >= 2 + 4


def test_error_1023_has_a_cap():
    client = ScriptedApi(*([[("FAILED", CONFLICT)]] * 9))
    with pytest.raises(WarehouseStatementError, match=r"after 5 attempts.*1023") as caught:
        api_of(client).run_together(["SELECT 1"])
    assert caught.value.attempts == len(client.tokens) == 5


def test_every_other_error_is_final_and_shows_the_statement():
    client = ScriptedApi([("FAILED", 'ERROR: relation "gold.x" does not exist')])
    with pytest.raises(WarehouseStatementError) as caught:
        api_of(client).run_together(["SELECT 1", "INSERT INTO gold.x VALUES (10231)"])
    assert 'relation "gold.x" does not exist' in str(caught.value)
    assert "INSERT INTO gold.x" in str(caught.value)
    assert len(client.tokens) == 1


def test_a_number_that_holds_1023_is_no_conflict():
    client = ScriptedApi([("FAILED", "ERROR: shoplake: fct_order: batch 1023 does not follow the loaded batch 1")])
    with pytest.raises(WarehouseStatementError):
        api_of(client).run_together(["SELECT 1"])
    assert len(client.tokens) == 1


def test_a_statement_that_takes_too_long_is_cancelled():
    client = ScriptedApi(["STARTED"])
    with pytest.raises(WarehouseStatementError, match="still STARTED after 60 s, so it was cancelled"):
        api_of(client, timeout_seconds=60.0).run_together(["SELECT 1"])
    assert client.cancelled == ["id-0"]


def test_a_statement_that_ends_while_it_is_cancelled_has_happened():
    client = ScriptedApi(["STARTED"])

    def too_late(Id):  # noqa: N803 - boto3's name
        client.started[Id] = ["FINISHED"]
        raise client_error("ValidationException")

    client.cancel_statement = too_late
    assert api_of(client, timeout_seconds=60.0).run_together(["SELECT 1"]) == "id-0"


def test_an_api_that_stays_away_is_named():
    client = ScriptedApi([EndpointConnectionError(endpoint_url="https://x")])
    with pytest.raises(ResourceError, match="cannot be reached"):
        api_of(client).run_together(["SELECT 1"])


def test_a_refused_caller_is_a_matter_of_credentials():
    client = ScriptedApi(submits=[client_error("AccessDeniedException")])
    with pytest.raises(CredentialError, match="refused the caller"):
        api_of(client).run_together(["SELECT 1"])


def test_a_wrong_request_is_not_repeated():
    client = ScriptedApi(submits=[client_error("ValidationException")])
    with pytest.raises(WarehouseStatementError, match="ValidationException"):
        api_of(client).run_together(["SELECT 1"])
    assert len(client.tokens) == 1


def test_a_query_reads_every_page(warehouse):
    warehouse.rows("SELECT 1")
    session = Session(workgroup="shoplake-dev", database=warehouse.database)
    union = " UNION ALL ".join(f"SELECT {n} AS d" for n in range(10))
    sql = f"WITH t AS ({union}) SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d AS n FROM t a, t b, t c, t e WHERE e.d < 2 ORDER BY 1"
    result = query(warehouse.client, sql, session=session, clock=SkipClock(datetime(2024, 1, 1, tzinfo=UTC)))
    assert result.columns == ("n",)
    assert result.rows == tuple((n,) for n in range(2000))
    assert warehouse.client.count("get_statement_result") == 3
