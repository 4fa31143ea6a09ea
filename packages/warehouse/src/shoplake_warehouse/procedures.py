"""`shoplake.load_<table>`: brings one batch from staging into its gold table, once.

Written in the PL/pgSQL that Redshift and PostgreSQL both run: no TRUNCATE (on Redshift it commits), no MERGE (Redshift's
has no branch for deletes beside updates), no alias on a DELETE's target, variables filled by SELECT INTO.
"""

from shoplake_core.contracts import TableContract

from shoplake_warehouse.ddl import (
    GOLD_SCHEMA,
    LOADS_TABLE,
    OPERATION_COLUMN,
    STAGING_SCHEMA,
    STATE_SCHEMA,
    quoted,
    quoted_names,
    table_name,
)

__all__ = ["call_load_procedure", "create_load_procedure", "load_procedure_name"]


def load_procedure_name(table: str) -> str:
    """`shoplake."load_<table>"`."""
    return table_name(STATE_SCHEMA, f"load_{table}")


def call_load_procedure(table: str, *, batch: int, full: bool, run_id_literal: str) -> str:
    """The CALL of one batch; `run_id_literal` is a quoted SQL text."""
    return f"CALL {load_procedure_name(table)}({batch}, {'TRUE' if full else 'FALSE'}, {run_id_literal})"


def create_load_procedure(contract: TableContract) -> str:
    """The statement that makes or replaces the procedure of that table.

    What it does, inside the caller's transaction: nothing where `shoplake.loads` has the batch; an exception where the
    batch neither follows the newest one nor is full, is older than it, or where staging holds an unknown operation or
    one key twice; else it deletes the keys in staging (every row, when full), inserts the `I` rows and records the batch.
    """
    gold, staging = table_name(GOLD_SCHEMA, contract.name), table_name(STAGING_SCHEMA, contract.name)
    keys, columns = quoted_names(contract.key), quoted_names(contract.column_names)
    same_key = " AND ".join(f"{quoted(contract.name)}.{quoted(k)} = incoming.{quoted(k)}" for k in contract.key)
    operation, name = quoted(OPERATION_COLUMN), contract.name
    return f"""CREATE OR REPLACE PROCEDURE {load_procedure_name(contract.name)}(p_batch BIGINT, p_full BOOLEAN, p_run_id VARCHAR(256))
AS $$
DECLARE
  v_loaded BIGINT;
  v_newest BIGINT;
  v_wrong BIGINT;
BEGIN
  SELECT COUNT(*) INTO v_loaded FROM {LOADS_TABLE} WHERE "table_name" = '{name}' AND "batch" = p_batch;
  IF v_loaded > 0 THEN
    RETURN;
  END IF;
  SELECT COALESCE(MAX("batch"), 0) INTO v_newest FROM {LOADS_TABLE} WHERE "table_name" = '{name}';
  IF p_batch < v_newest THEN
    RAISE EXCEPTION 'shoplake: {name}: batch % is older than the loaded batch %', p_batch, v_newest;
  END IF;
  IF NOT p_full AND p_batch <> v_newest + 1 THEN
    RAISE EXCEPTION 'shoplake: {name}: batch % does not follow the loaded batch % and is not full', p_batch, v_newest;
  END IF;
  SELECT COUNT(*) INTO v_wrong FROM {staging} WHERE {operation} IS NULL OR {operation} NOT IN ('I', 'D');
  IF v_wrong > 0 THEN
    RAISE EXCEPTION 'shoplake: {name}: % rows of batch % are neither I nor D', v_wrong, p_batch;
  END IF;
  SELECT COUNT(*) INTO v_wrong FROM (
    SELECT {keys} FROM {staging} WHERE {operation} = 'I' GROUP BY {keys} HAVING COUNT(*) > 1
  ) AS doubled;
  IF v_wrong > 0 THEN
    RAISE EXCEPTION 'shoplake: {name}: % keys of batch % come twice', v_wrong, p_batch;
  END IF;
  IF p_full THEN
    DELETE FROM {gold};
  ELSE
    DELETE FROM {gold} USING {staging} AS incoming WHERE {same_key};
  END IF;
  INSERT INTO {gold} ({columns}) SELECT {columns} FROM {staging} WHERE {operation} = 'I';
  INSERT INTO {LOADS_TABLE} ("table_name", "batch", "run_id", "loaded_at") VALUES ('{name}', p_batch, p_run_id, GETDATE());
END;
$$ LANGUAGE plpgsql"""
