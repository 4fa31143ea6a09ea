"""A small shop in all its layers: a real MySQL, bronze files as DMS writes them, Iceberg tables, and the warehouse."""

import hashlib
import io
import json
import time
import uuid
from datetime import UTC, datetime
from decimal import Decimal

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from pyiceberg.exceptions import NoSuchTableError
from shoplake_core.bronze import COMMITTED_AT_FORMAT, EpochRecord, LoadFile
from shoplake_core.clock import SystemClock
from shoplake_core.contract_files import parse_table_contract
from shoplake_core.contracts import Layer
from shoplake_core.masking import MaskingKey
from shoplake_core.names import ResourceNames
from shoplake_core.sequences import BinlogPosition, sequence_at
from shoplake_engines.object_store_aws import create_buckets
from shoplake_engines.testing import mysql_server  # noqa: F401
from shoplake_local.testing import local_aws, object_store, postgres_server  # noqa: F401
from shoplake_mysql.connections import connect, execute
from shoplake_mysql.lineage import ensure_lineage
from shoplake_mysql.rows import read_batches
from shoplake_mysql.server_facts import read_binlog_position
from shoplake_mysql.tables import read_table_shape
from shoplake_reconciliation.contract_rules import cleaned
from shoplake_reconciliation.objects_aws import AwsTargets
from shoplake_reconciliation.reconciler import reconcile
from shoplake_reconciliation.request import ReconcileRequest
from shoplake_reconciliation.source_side import ALL_RANGES, read_source
from shoplake_reconciliation.stored_types import stored_schema

LINEAGE_DIGITS = "2026112500000000"

MYSQL_TABLES = {
    "orders": "order_id bigint unsigned PRIMARY KEY, customer_id bigint unsigned NOT NULL, status varchar(20) NOT NULL, "
    "total decimal(12,2) NOT NULL, note text, is_test tinyint(1) NOT NULL DEFAULT 0, placed_at datetime(6) NOT NULL, "
    "updated_at timestamp(6) NOT NULL",
    "order_items": "order_id bigint unsigned, line_no smallint unsigned, quantity smallint unsigned NOT NULL, "
    "unit_price decimal(12,4) NOT NULL, PRIMARY KEY (order_id, line_no)",
    "refunds": "refund_id bigint unsigned PRIMARY KEY, order_id bigint unsigned NOT NULL, amount decimal(12,2) NOT NULL",
    "tags": "tag varchar(20) COLLATE utf8mb4_unicode_ci PRIMARY KEY, weight double, day date",
}

SILVER = {
    "orders": """
grain = "one row per order"
key = ["order_id"]
[columns.order_id]
type = "uint64"
[columns.customer_id]
type = "uint64"
[columns.status]
type = "string(20)"
trim = true
case = "lower"
accepted = ["pending", "paid", "shipped"]
[columns.total]
type = "decimal(12,2)"
minimum = "0"
[columns.note]
type = "text"
nullable = true
pii = "note"
trim = true
blank_is_null = true
[columns.is_test]
type = "boolean"
[columns.placed_at]
type = "datetime"
[columns.updated_at]
type = "timestamp"
""",
    "order_items": """
grain = "one row per line"
key = ["order_id", "line_no"]
[columns.order_id]
type = "uint64"
[columns.line_no]
type = "uint16"
[columns.quantity]
type = "uint16"
minimum = "1"
[columns.unit_price]
type = "decimal(12,4)"
""",
    "refunds": """
grain = "one row per refund"
key = ["refund_id"]
[columns.refund_id]
type = "uint64"
[columns.order_id]
type = "uint64"
[columns.amount]
type = "decimal(12,2)"
""",
    "tags": """
grain = "one row per tag"
key = ["tag"]
[columns.tag]
type = "string(20)"
[columns.weight]
type = "float64"
nullable = true
[columns.day]
type = "date"
nullable = true
""",
}

GOLD = {
    "fct_order": """
grain = "one row per order"
key = ["order_id"]
reads = ["orders"]
scope = ["order_id"]
[[reconciles]]
source = "orders"
sums = { total = "total" }
[columns.order_id]
type = "uint64"
[columns.total]
type = "decimal(14,2)"
""",
    "fct_event": """
grain = "one row per event"
key = ["event_id"]
reads = ["orders", "order_items", "refunds"]
scope = ["order_id"]
[[reconciles]]
source = "order_items"
where = { event_type = "sale" }
sums = { quantity = "quantity", unit_price = "source_amount" }
parents = { order_id = "orders" }
[[reconciles]]
source = "refunds"
where = { event_type = "return" }
sums = { amount = "source_amount" }
parents = { order_id = "orders" }
[columns.event_id]
type = "string(60)"
[columns.event_type]
type = "string(20)"
[columns.order_id]
type = "uint64"
[columns.line_no]
type = "uint16"
[columns.quantity]
type = "int32"
[columns.source_amount]
type = "decimal(14,4)"
""",
}

ORDER_FIELDS = [pa.field("_sequence", pa.string()), pa.field("_committed_at", pa.timestamp("us", "UTC"))]


def contract(texts, name, layer):
    return parse_table_contract(texts[name], name=name, layer=layer, where=f"{name}.toml")


class SharedBuckets(ResourceNames):
    """Databases of its own and buckets of the session: SeaweedFS keeps volumes for each bucket."""

    def _bucket(self, what):
        return f"reconciliation-{what}"


class Shop:
    """One environment: everything is written as the pipeline would, and may be tampered with."""

    def __init__(self, mysql, aws, *, names_type=SharedBuckets):
        self.environment = f"t{uuid.uuid4().hex[:8]}"
        self.schema = self.environment
        self.mysql, self.aws = mysql, aws
        self.names = names_type(self.environment, "000000000000", aws.object_store.region)
        self.key = MaskingKey(b"reconciliation-tests-masking-key")
        self.silver = {name: contract(SILVER, name, Layer.SILVER) for name in SILVER}
        self.gold = {name: contract(GOLD, name, Layer.GOLD) for name in GOLD}
        self.targets = AwsTargets(aws.endpoint, aws.object_store)
        create_buckets(aws.object_store, self.names.buckets)
        self.s3 = aws.client("s3")
        for database in (self.names.silver_database, self.names.gold_database):
            self.targets.catalog.create_namespace(database)
        self.connection = connect(mysql)
        self.lineage = ensure_lineage(self.connection)
        execute(self.connection, f"CREATE DATABASE {self.schema} CHARACTER SET utf8mb4")
        for name, columns in MYSQL_TABLES.items():
            execute(self.connection, f"CREATE TABLE {self.schema}.{name} ({columns})")
        self.log = {name: [] for name in SILVER}  # (order, bronze row as a one-row table)
        self.records = {name: [] for name in SILVER}
        self.consumed_files = {name: {} for name in SILVER}
        self.written_files = {name: {} for name in SILVER}
        self.files = 0
        self.warehouse_batch = {}

    # MySQL and bronze

    def sql(self, statement):
        execute(self.connection, statement.replace("@", f"{self.schema}."))

    def rows(self, table, where=""):
        shape = read_table_shape(self.connection, self.schema, table)
        batches = list(read_batches(self.connection, shape, where=where))
        return pa.Table.from_batches(batches, schema=shape.arrow_schema)

    def position(self):
        return read_binlog_position(self.connection)

    def put(self, bucket, key, body):
        return self.s3.put_object(Bucket=bucket, Key=key, Body=body)["ETag"].strip('"')

    def _bronze(self, rows, operation, sequence, committed_at):
        count = rows.num_rows
        table = rows.add_column(0, "Op", pa.array([operation] * count, pa.string()))
        return (
            table.append_column("_committed_at", pa.array([committed_at] * count, pa.string()))
            .append_column("_sequence", pa.array([sequence] * count, pa.string()))
            .append_column("_stream_position", pa.array([str(self.position())] * count, pa.string()))
        )

    @staticmethod
    def _parquet(table):
        sink = io.BytesIO()
        pq.write_table(table, sink, version="1.0", compression="none")
        return sink.getvalue()

    def load(self, *tables):
        """A full load of the tables."""
        for table in tables:
            started = SystemClock().now().strftime(COMMITTED_AT_FORMAT)
            floor = sequence_at(LINEAGE_DIGITS, self.position())
            rows = self._bronze(self.rows(table), "I", None, started)
            name = f"LOAD{len(self.records[table]) + 1:08X}.parquet"
            etag = self.put(self.names.bronze_bucket, f"{self.schema}/{table}/{name}", self._parquet(rows))
            record = EpochRecord(
                schema=self.schema,
                table=table,
                epoch="".join(c for c in started if c.isdigit()),
                started_at=started,
                engine="shoplake",
                lineage=self.lineage,
                stream_position=str(self.position()),
                sequence_floor=floor,
                change_margin_seconds=0,
                rows=rows.num_rows,
                files=(LoadFile(name, etag, rows.num_rows),) if rows.num_rows else (),
            )
            self.put(self.names.bronze_bucket, record.key, record.to_json().encode())
            self.records[table].append(record)
            epoch = len(self.records[table]) - 1
            self.log[table] += [((epoch, 0, ""), rows.slice(i, 1)) for i in range(rows.num_rows)]

    def change(self, operation, table, where, statement, *, in_bronze=True, tamper=None):
        """One committed change of MySQL, and the bronze file that tells of it."""
        before = self.position()
        old = self.rows(table, where) if operation == "D" else None
        self.sql(statement)
        rows = old if old is not None else self.rows(table, where)
        if not in_bronze:
            return
        place = BinlogPosition(before.file_number, before.offset + 1, before.file)
        sequence = sequence_at(LINEAGE_DIGITS, place)
        committed = SystemClock().now().strftime(COMMITTED_AT_FORMAT)
        rows = self._bronze(rows, operation, sequence, committed)
        self.write_changes(table, tamper(rows) if tamper else rows)

    def write_changes(self, table, rows):
        self.files += 1
        name = f"20261125-{self.files:09d}.parquet"
        key = f"{self.schema}/{table}/{name}"
        self.written_files[table][name] = self.put(self.names.bronze_bucket, key, self._parquet(rows))
        epoch = len(self.records[table]) - 1
        for i in range(rows.num_rows):
            self.log[table].append(((epoch, 1, rows["_sequence"][i].as_py()), rows.slice(i, 1)))

    # silver

    def _stored(self, table):
        """Silver and tombstones after everything in bronze, one change at a time."""
        rules = self.silver[table]
        live, tombstones = {}, []
        names = list(rules.key)
        newest_load = max((order[0] for order, _ in self.log[table]), default=0)
        for order, row in sorted(self.log[table], key=lambda item: item[0]):
            if order[0] < newest_load:
                continue
            result = cleaned(row, rules, self.key)
            values = result.rows.to_pylist()[0]
            key = tuple(values[name] for name in names)
            committed = datetime.strptime(row["_committed_at"][0].as_py(), COMMITTED_AT_FORMAT).replace(tzinfo=UTC)
            technical = {"_sequence": row["_sequence"][0].as_py(), "_committed_at": committed}
            live.pop(key, None)
            if row["Op"][0].as_py() == "D" or result.refused[0]:
                reason = "deleted" if row["Op"][0].as_py() == "D" else "quarantined"
                tombstones.append({name: values[name] for name in names} | {"reason": reason} | technical)
            else:
                live[key] = values | technical
        schema = stored_schema(rules)
        keys = [schema.field(name) for name in names]
        return (
            pa.Table.from_pylist(list(live.values()), pa.schema([*schema, *ORDER_FIELDS])),
            pa.Table.from_pylist(tombstones, pa.schema([*keys, pa.field("reason", pa.string()), *ORDER_FIELDS])),
        )

    def write_iceberg(self, layer, table, rows, properties):
        database = {"silver": self.names.silver_database, "gold": self.names.gold_database}[layer]
        bucket = {"silver": self.names.silver_bucket, "gold": self.names.gold_bucket}[layer]
        catalog = self.targets.catalog
        try:
            iceberg = catalog.load_table((database, table))
        except NoSuchTableError:
            location = f"s3://{bucket}/{self.environment}/{uuid.uuid4().hex[:4]}-{table}"
            iceberg = catalog.create_table((database, table), rows.schema, location=location)
        snapshot = iceberg.metadata.current_snapshot()
        held = snapshot is not None and snapshot.summary.additional_properties.get("total-records") != "0"
        write = iceberg.overwrite if held else iceberg.append
        write(rows, snapshot_properties=properties)

    def batch(self, layer, table):
        database = {"silver": self.names.silver_database, "gold": self.names.gold_database}[layer]
        try:
            snapshot = self.targets.catalog.load_table((database, table)).metadata.current_snapshot()
        except NoSuchTableError:
            return 0
        return int(snapshot.summary.additional_properties["shoplake.batch"]) if snapshot else 0

    def run_silver(self, *tables, tamper=None):
        """Bronze to silver; `tamper(rows)` changes what is written."""
        for table in tables or SILVER:
            rows, tombstones = self._stored(table)
            rows = tamper(rows) if tamper else rows
            files = dict(self.written_files[table])
            data = {
                "schema_version": 1,
                "watermark": max(files, default=""),
                "files": files,
                "epochs": [record.epoch for record in self.records[table]],
            }
            body = json.dumps(data).encode()
            number = self.batch("silver", table) + 1
            key = f"{self.environment}/_consumed/{table}/{number}-{uuid.uuid4().hex}.json"
            self.put(self.names.silver_bucket, key, body)
            properties = {
                "shoplake.batch": str(number),
                "shoplake.consumed": f"s3://{self.names.silver_bucket}/{key}",
                "shoplake.consumed-sha256": hashlib.sha256(body).hexdigest(),
            }
            self.newest_properties = properties
            self.write_iceberg("silver", f"{table}__tombstones", tombstones, {"shoplake.batch": str(number)})
            self.write_iceberg("silver", table, rows, properties)

    def silver_rows(self, table):
        return self.targets.catalog.load_table((self.names.silver_database, table)).scan().to_arrow()

    # gold and warehouse

    def gold_rows(self, table):
        orders = self.silver_rows("orders")
        if table == "fct_order":
            schema = stored_schema(self.gold[table])
            return orders.select(["order_id", "total"]).cast(schema)
        present = set(orders["order_id"].to_pylist())
        events = [
            {
                "event_id": f"sale-{r['order_id']}-{r['line_no']}",
                "event_type": "sale",
                "order_id": r["order_id"],
                "line_no": r["line_no"],
                "quantity": r["quantity"],
                "source_amount": r["unit_price"],
            }
            for r in self.silver_rows("order_items").to_pylist()
        ]
        events += [
            {
                "event_id": f"return-{r['refund_id']}",
                "event_type": "return",
                "order_id": r["order_id"],
                "line_no": 1,
                "quantity": -1,
                "source_amount": r["amount"],
            }
            for r in self.silver_rows("refunds").to_pylist()
        ]
        events = [event for event in events if event["order_id"] in present]
        return pa.Table.from_pylist(events, stored_schema(self.gold[table]))

    def run_gold(self, *tables, tamper=None):
        """Silver to gold; `tamper(rows)` changes what is written."""
        for table in tables or GOLD:
            rows = self.gold_rows(table)
            rows = tamper(rows) if tamper else rows
            reads = {name: self.batch("silver", name) for name in self.gold[table].reads}
            number = self.batch("gold", table) + 1
            properties = {"shoplake.batch": str(number), "shoplake.reads": json.dumps(reads)}
            self.write_iceberg("gold", table, rows, properties)

    def postgres(self, *statements):
        at = self.aws.warehouse
        with psycopg.connect(
            host=at.host, port=at.port, user=at.user, password=at.password, dbname=at.database, autocommit=True
        ) as connection:
            for statement in statements:
                connection.execute(statement)

    def run_warehouse(self):
        """Gold to the warehouse; `warehouse` then runs the test's own statements on it."""
        self.postgres(
            "DROP SCHEMA IF EXISTS gold CASCADE",
            "DROP SCHEMA IF EXISTS shoplake CASCADE",
            "CREATE SCHEMA gold",
            "CREATE SCHEMA shoplake",
            "CREATE TABLE shoplake.loads (table_name varchar(256), batch bigint, run_id varchar(256), loaded_at timestamp)",
            "CREATE TABLE gold.fct_order (order_id numeric(20,0), total numeric(14,2))",
            "CREATE TABLE gold.fct_event (event_id varchar(240), event_type varchar(80), order_id numeric(20,0), "
            "line_no int, quantity int, source_amount numeric(14,4))",
        )
        at = self.aws.warehouse
        with psycopg.connect(
            host=at.host, port=at.port, user=at.user, password=at.password, dbname=at.database
        ) as connection:
            for table in GOLD:
                rows = self.targets.catalog.load_table((self.names.gold_database, table)).scan().to_arrow()
                with connection.cursor() as cursor, cursor.copy(f"COPY gold.{table} FROM STDIN") as copy:
                    for row in rows.to_pylist():
                        copy.write_row(list(row.values()))
                connection.execute(
                    "INSERT INTO shoplake.loads VALUES (%s, %s, 'run', now())", (table, self.batch("gold", table))
                )

    def query(self, sql):
        """One SELECT through the Redshift Data API."""
        client = self.aws.client("redshift-data")
        target = {"WorkgroupName": "shoplake-dev", "Database": self.aws.warehouse.database}
        statement = client.execute_statement(Sql=sql, **target)["Id"]
        deadline = time.monotonic() + 30
        while True:
            described = client.describe_statement(Id=statement)
            if described["Status"] in {"FINISHED", "FAILED", "ABORTED"}:
                break
            assert time.monotonic() < deadline, described
        assert described["Status"] == "FINISHED", described
        request, rows = {"Id": statement}, []
        while True:
            page = client.get_statement_result(**request)
            rows += [[None if cell.get("isNull") else next(iter(cell.values())) for cell in r] for r in page["Records"]]
            if not page.get("NextToken"):
                return [c["label"] for c in page["ColumnMetadata"]], rows
            request["NextToken"] = page["NextToken"]

    # the proof

    def reconcile(self, *tables, warehouse=False, gold=False, share=ALL_RANGES, range_rows=5, during=None):
        """The report; `during` is called where the real caller waits for bronze."""
        chosen = {name: self.silver[name] for name in (tables or SILVER)}
        request = ReconcileRequest(
            names=self.names,
            schema=self.schema,
            silver=chosen,
            parents=self.silver,
            gold=self.gold if gold or warehouse else {},
            glue=self.aws.endpoint,
            object_store=self.aws.object_store,
            query_warehouse=self.query if warehouse else None,
        )
        self.waited_for = []

        def wait(position):
            self.waited_for.append(position)
            if during:
                during()

        return reconcile(
            request,
            read_source=lambda: read_source(
                self.mysql,
                list(chosen.values()),
                schema=self.schema,
                masking_key=self.key,
                share=share,
                range_rows=range_rows,
            ),
            wait_until_bronze_holds=wait,
            masking_key=self.key,
        )

    def fill(self, orders=12):
        """Some orders with lines and refunds: order 7 breaks a rule, so that its lines are orphans."""
        for n in range(1, orders + 1):
            status = "'stolen'" if n == 7 else "' Paid '"
            note = "NULL" if n % 3 else f"' call 0170-{n} '"
            self.sql(
                f"INSERT INTO @orders VALUES ({n}, {n % 4}, {status}, {n}.10, {note}, {n % 2}, "
                f"'2026-01-{n % 28 + 1:02d} 10:00:00.000001', '2026-01-{n % 28 + 1:02d} 10:00:00')"
            )
            for line in (1, 2):
                self.sql(f"INSERT INTO @order_items VALUES ({n}, {line}, {line}, {n}.{line}234)")
            if n % 3 == 1:
                self.sql(f"INSERT INTO @refunds VALUES ({100 + n}, {n}, 0.{n:02d})")
        for tag in ("Blue", "ärmel", "zebra", "apple", "Öl"):
            self.sql(f"INSERT INTO @tags VALUES ('{tag}', {len(tag)}.1, '2026-02-0{len(tag)}')")
        self.load(*SILVER)


@pytest.fixture(scope="session")
def new_shop():
    """Makes shops: `new_shop(mysql_endpoint, local_aws)`."""
    return Shop


@pytest.fixture
def empty_shop(mysql_server, local_aws):  # noqa: F811
    """The shop's tables, empty and not loaded."""
    shop = Shop(mysql_server.endpoint, local_aws)
    yield shop
    shop.connection.close()


@pytest.fixture
def shop(empty_shop):
    """A filled shop whose silver has consumed everything of `orders`."""
    empty_shop.fill()
    empty_shop.run_silver("orders")
    return empty_shop


def changed(column, value, where):
    """A tampering: `column` of the rows whose columns equal `where` gets `value` added (or set, for texts)."""

    def apply(rows):
        mask = None
        for name, wanted in where.items():
            same = pc.equal(rows[name], pa.scalar(wanted, rows.schema.field(name).type))
            mask = same if mask is None else pc.and_(mask, same)
        kind = rows.schema.field(column).type
        if isinstance(value, Decimal):
            other = pc.add(rows[column], pa.scalar(value, kind)).cast(kind)
        else:
            other = pa.scalar(value, kind)
        place = rows.column_names.index(column)
        return rows.set_column(place, rows.schema.field(column), pc.if_else(mask, other, rows[column]))

    return apply


def without(**where):
    """A tampering: the rows whose columns equal `where` are gone."""

    def apply(rows):
        keep = [not all(row[name] == value for name, value in where.items()) for row in rows.to_pylist()]
        return rows.filter(pa.array(keep))

    return apply


def doubled(values, **where):
    """A tampering: a copy of the row whose columns equal `where`, with other `values`."""

    def apply(rows):
        (row,) = [row for row in rows.to_pylist() if all(row[name] == value for name, value in where.items())]
        return pa.concat_tables([rows, pa.Table.from_pylist([row | values], rows.schema)])

    return apply


@pytest.fixture(scope="session")
def tampering():
    """changed, without, doubled."""

    class Tampering:
        pass

    Tampering.changed, Tampering.without, Tampering.doubled = map(staticmethod, (changed, without, doubled))
    return Tampering
