"""The whole proof: MySQL = silver + quarantine, silver = gold = warehouse, at one cut, while the shop keeps selling.

The order of the steps is what makes it exact:
1. silver, gold and the warehouse's batches are pinned as they stand;
2. MySQL is read in one snapshot, the cut: it is later than everything that silver has consumed;
3. bronze is waited for until it holds everything up to the cut;
4. silver and the changes between what it consumed and the cut must give MySQL at the cut, key by key.
"""

from collections.abc import Callable

from shoplake_core.contracts import TableContract
from shoplake_core.errors import DataError
from shoplake_core.masking import MaskingKey

from shoplake_reconciliation.cut import BY_TIME, EXACT
from shoplake_reconciliation.findings import Finding, FindingKind
from shoplake_reconciliation.gold_proof import GoldProver
from shoplake_reconciliation.gold_side_aws import GoldTable, open_gold
from shoplake_reconciliation.objects_aws import AwsTargets
from shoplake_reconciliation.report import Cut, LayerNumbers, ReconcileReport, TableReport
from shoplake_reconciliation.request import ReadSource, ReconcileRequest, WaitUntilBronzeHolds
from shoplake_reconciliation.silver_proof import SilverProof, proved_silver
from shoplake_reconciliation.silver_side_aws import SilverTable, open_silver
from shoplake_reconciliation.source_side import SourceReading

__all__ = ["reconcile"]


def _say_nothing(_: str) -> None:
    """Progress that nobody follows."""


def reconcile(
    request: ReconcileRequest,
    *,
    read_source: ReadSource,
    wait_until_bronze_holds: WaitUntilBronzeHolds,
    masking_key: MaskingKey,
    progress: Callable[[str], None] = _say_nothing,
) -> ReconcileReport:
    """The report of one reconciliation; it says by `agree` whether the numbers do.

    Args:
        request: What to prove, and where.
        read_source: Reads MySQL at the cut, as `source_side.read_source` does: directly, or in a Lambda near it.
        wait_until_bronze_holds: Called with the cut's binlog position after the snapshot is closed; returns when
            bronze holds every change up to it (commit a marker row and wait for it), or raises.
        masking_key: The masking key.
        progress: Called with a line for each step.

    Raises:
        ContractError: MySQL or a gold contract does not have the shape that is said of it.
        ResourceError: A layer cannot be read.

    """
    targets = AwsTargets(request.glue, request.object_store)
    contracts = {**request.parents, **request.silver}
    silver: dict[str, SilverTable] = {}
    for name, contract in contracts.items():
        if (silver_table := open_silver(targets, request.names, contract)) is not None:
            silver[name] = silver_table
    gold: dict[str, GoldTable] = {}
    for name, contract in request.gold.items():
        if (gold_table := open_gold(targets, request.names, contract)) is not None:
            gold[name] = gold_table
    progress("reading MySQL in one snapshot")
    reading = read_source()
    progress(f"waiting until bronze holds {reading.position}")
    wait_until_bronze_holds(reading.position)
    run = _Run(request, reading, silver, gold, masking_key)
    tables, proofs = [], []
    for contract in request.silver.values():
        progress(f"comparing {contract.name}")
        report, proof = run.table(contract)
        tables.append(report)
        if proof is not None:
            proofs.append(proof)
    sequences = [proof.sequence for proof in proofs if proof.sequence]
    by_time = any(proof.promise == BY_TIME for proof in proofs)
    cut = Cut(reading.position, reading.taken_at, max(sequences, default=""), BY_TIME if by_time else EXACT)
    return ReconcileReport(cut, tuple(tables))


def _unproven(contract: TableContract, expected_in: str, found_in: str, error: DataError) -> Finding:
    return Finding(
        kind=FindingKind.UNPROVEN,
        table=contract.name,
        expected_in=expected_in,
        found_in=found_in,
        message=f"{error.message}: {error.hint}" if error.hint else error.message,
    )


class _Run:
    """One reconciliation after the cut was taken."""

    def __init__(
        self,
        request: ReconcileRequest,
        reading: SourceReading,
        silver: dict[str, SilverTable],
        gold: dict[str, GoldTable],
        masking_key: MaskingKey,
    ) -> None:
        self._request, self._reading, self._silver = request, reading, silver
        self._masking_key = masking_key
        self._prover = GoldProver(silver, gold, request.query_warehouse)

    def table(self, contract: TableContract) -> tuple[TableReport, SilverProof | None]:
        """One source table through all layers."""
        source = self._reading.tables[contract.name]
        checked, of = len(source.ranges.checked), source.ranges.count
        table = self._silver.get(contract.name)
        if table is None:
            missing = Finding(
                kind=FindingKind.MISSING,
                table=contract.name,
                expected_in="mysql",
                found_in="silver",
                expected_rows=source.rows,
                message=f"silver table {self._request.names.silver_database}.{contract.name} is not there: run the pipeline",
            )
            mysql = {"mysql": LayerNumbers(source.rows, source.side.sums)}
            return TableReport(
                table=contract.name, layers=mysql, ranges_checked=checked, ranges=of, findings=(missing,)
            ), None
        try:
            proof = proved_silver(table, self._request.names, self._request.schema, self._reading, self._masking_key)
        except DataError as error:  # one table's fault must not hide what the others hold
            finding = _unproven(contract, "mysql", "silver", error)
            return TableReport(
                table=contract.name,
                layers={"mysql": LayerNumbers(source.rows, source.side.sums)},
                ranges_checked=checked,
                ranges=of,
                findings=(finding,),
            ), None
        layers = {"mysql": proof.mysql, "silver": proof.silver}
        findings, orphans = list(proof.findings), 0
        notes: list[str] = []
        for gold in self._request.gold.values():
            for reconciles in gold.reconciles:
                if reconciles.source != contract.name:
                    continue
                try:
                    result = self._prover.proved(contract, gold, reconciles)
                except DataError as error:
                    findings.append(_unproven(contract, "silver", "gold", error))
                    continue
                findings += result.findings
                notes += result.notes
                orphans = max(orphans, result.orphans)  # two gold tables of one source leave out the same rows
                layers = {**result.layers, **layers}
        order = [name for name in ("mysql", "silver", "gold", "warehouse") if name in layers]
        report = TableReport(
            table=contract.name,
            rows_in_flight=proof.keys_in_flight,
            rows_in_quarantine=proof.keys_in_quarantine,
            orphans=orphans,
            layers={name: layers[name] for name in order},
            silver_at_cut=proof.silver_at_cut,
            findings=tuple(findings),
            notes=tuple(notes),
            ranges_checked=checked,
            ranges=of,
        )
        return report, proof
