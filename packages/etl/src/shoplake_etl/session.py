"""The Spark session: what must hold on a laptop and on Glue alike, and what a laptop needs on top."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pyspark
from pyspark.sql import SparkSession
from shoplake_core.errors import ResourceError

from shoplake_etl.layout import CATALOG

__all__ = ["JAR_EXCLUDES", "JAR_PACKAGES", "LocalSpark", "glue_conf", "local_conf", "shared_conf", "start_session"]

JAR_PACKAGES = (
    "org.apache.iceberg:iceberg-spark-runtime-4.1_2.13:1.11.0",
    "org.apache.iceberg:iceberg-aws-bundle:1.11.0",
    "org.apache.hadoop:hadoop-aws:3.4.2",
    "software.amazon.awssdk:s3-transfer-manager:2.44.4",  # equal to the SDK inside iceberg-aws-bundle
)
# hadoop-aws asks for the whole AWS SDK (600 MB); iceberg-aws-bundle has all of it but the transfer manager
JAR_EXCLUDES = (
    "software.amazon.awssdk:[a-rt-z]*",
    "software.amazon.awssdk:s3",
    "software.amazon.awssdk:s[a-z]*",
)
_RESOLVED_JARS = (
    "org.apache.hadoop_hadoop-aws-3.4.2.jar",
    "org.apache.iceberg_iceberg-aws-bundle-1.11.0.jar",
    "org.apache.iceberg_iceberg-spark-runtime-4.1_2.13-1.11.0.jar",
    "org.wildfly.openssl_wildfly-openssl-2.1.4.Final.jar",
    "software.amazon.awssdk_s3-transfer-manager-2.44.4.jar",
    "software.amazon.s3.analyticsaccelerator_analyticsaccelerator-s3-1.2.1.jar",
)
_CLASS_ARCHIVE = "shoplake-spark-4.1.1-classes-{environment}.jsa"
_SPARK_JARS = Path(pyspark.__file__).parent / "jars"
_ICEBERG = "org.apache.iceberg.spark"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalSpark:
    """What only a laptop needs.

    Attributes:
        s3_url: The object store; it is reached with the credentials of the environment.
        glue_url: The catalogue.
        region: For signatures.
        cores: Threads that run tasks.
        memory: The Java heap, as in "2g".
        ivy_folder: Where Spark keeps resolved jars: found there, they are put on the class path, which saves 4 s a start.
        keep_classes: Whether this JVM, where there is no archive of loaded classes beside the jars yet, writes one as it
            ends (250 MB, once for each Python environment: Java takes an archive only for the very jars that it was made
            of). Later starts map it: a third of the CPU time of a whole small job was class loading.

    """

    s3_url: str
    glue_url: str
    region: str
    cores: int
    memory: str
    ivy_folder: Path
    keep_classes: bool = False


def shared_conf(warehouse: str) -> dict[str, str]:
    """Settings for every target.

    ANSI is on: a sum that overflows is an error, never a null revenue. Cleaning itself uses no expression that can raise.
    Old dates are read and written as they stand (proleptic Gregorian), not refused and not moved.
    """
    catalog = f"spark.sql.catalog.{CATALOG}"
    return {
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.ansi.enabled": "true",
        "spark.sql.caseSensitive": "false",
        "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
        "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
        "spark.sql.parquet.int96RebaseModeInRead": "CORRECTED",
        "spark.sql.parquet.int96RebaseModeInWrite": "CORRECTED",
        "spark.sql.sources.parallelPartitionDiscovery.threshold": "10000",  # the list of files is known: no job to list them
        "spark.hadoop.mapreduce.fileoutputcommitter.algorithm.version": "2",
        "spark.hadoop.mapreduce.fileoutputcommitter.marksuccessfuljobs": "false",
        "spark.scheduler.mode": "FAIR",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.extensions": f"{_ICEBERG}.extensions.IcebergSparkSessionExtensions",
        catalog: f"{_ICEBERG}.SparkCatalog",
        f"{catalog}.type": "glue",
        f"{catalog}.io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
        f"{catalog}.warehouse": warehouse,
        f"{catalog}.cache-enabled": "false",  # each session has a catalogue: a cache would show it what was
    }


def glue_conf(warehouse: str) -> dict[str, str]:
    """Settings on AWS Glue."""
    return shared_conf(warehouse)


def _jars(ivy_folder: Path) -> dict[str, str]:
    jars = [ivy_folder / "jars" / name for name in _RESOLVED_JARS]
    if all(jar.is_file() for jar in jars):
        return {"spark.driver.extraClassPath": ":".join(str(jar) for jar in jars)}
    return {
        "spark.jars.packages": ",".join(JAR_PACKAGES),
        "spark.jars.excludes": ",".join(JAR_EXCLUDES),
        "spark.jars.ivy": str(ivy_folder),
    }


def _class_archive(ivy_folder: Path) -> Path:
    environment = sha256(str(_SPARK_JARS).encode()).hexdigest()[:12]
    return ivy_folder / _CLASS_ARCHIVE.format(environment=environment)


def _is_usable(archive: Path) -> bool:
    """Whether it is there and not of jars that have been installed anew since, which Java would pass over."""
    return archive.is_file() and archive.stat().st_mtime >= _SPARK_JARS.stat().st_mtime


def _java_options(local: LocalSpark, *, jars_on_class_path: bool) -> str:
    # Jobs last seconds: the second compiler and a parallel collector cost more than they bring
    options = ["-Duser.timezone=UTC", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]
    # with one tier Java reserves 48 MB for compiled code: a dozen models fill it, then nothing is compiled any more, and
    # at last a method handle finds no room and ends the JVM (exit code 50)
    options.append("-XX:ReservedCodeCacheSize=256m")
    archive = _class_archive(local.ivy_folder)
    if jars_on_class_path and _is_usable(archive):
        options.append(f"-XX:SharedArchiveFile={archive}")
    elif jars_on_class_path and local.keep_classes:
        options.append(f"-XX:ArchiveClassesAtExit={archive}")
    # A heap that is full ends the process at once, by a code of its own; what the JVM says of a crash goes to the job's log
    options += ["-XX:+ExitOnOutOfMemoryError", "-XX:+ErrorFileToStderr"]
    # An archive of another Java is passed over; without a word, for stdout belongs to the summary
    return " ".join([*options, "-Xlog:disable"])


def local_conf(local: LocalSpark, warehouse: str) -> dict[str, str]:
    """Settings on a laptop: one process, loopback only, small. No credentials: the conf stands in the process list."""
    catalog = f"spark.sql.catalog.{CATALOG}"
    jars = _jars(local.ivy_folder)
    return {
        **shared_conf(warehouse),
        **jars,
        "spark.master": f"local[{local.cores}]",
        "spark.driver.memory": local.memory,
        "spark.driver.extraJavaOptions": _java_options(local, jars_on_class_path="spark.driver.extraClassPath" in jars),
        # Many small queries, each run once: compiling them costs more than interpreting a shop's rows
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        # with so few partitions there is nothing to adapt, and every stage would be planned twice: a tenth of a job's time
        "spark.sql.adaptive.enabled": "false",
        # Planning is most of a small job's time: no filters guessed from filters, and no plans told to a page nobody opens
        "spark.sql.constraintPropagation.enabled": "false",
        "spark.sql.ui.explainMode": "simple",
        "spark.python.sql.dataFrameDebugging.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.sql.shuffle.partitions": str(local.cores),
        "spark.log.level": "ERROR",
        "spark.hadoop.fs.s3.impl": "org.apache.hadoop.fs.s3a.S3AFileSystem",
        "spark.hadoop.fs.s3a.endpoint": local.s3_url,
        "spark.hadoop.fs.s3a.path.style.access": "true",
        "spark.hadoop.fs.s3a.endpoint.region": local.region,
        "spark.hadoop.fs.s3a.connection.ssl.enabled": str(local.s3_url.startswith("https")).lower(),
        f"{catalog}.s3.endpoint": local.s3_url,
        f"{catalog}.s3.path-style-access": "true",
        f"{catalog}.client.region": local.region,
        f"{catalog}.glue.endpoint": local.glue_url,
    }


def start_session(application: str, conf: Mapping[str, str]) -> SparkSession:
    """The application's session.

    Raises:
        ResourceError: Spark does not start: no Java, or the jars cannot be had.

    """
    builder = SparkSession.builder.appName(application)
    for name, value in conf.items():
        builder = builder.config(name, value)
    try:
        return builder.getOrCreate()
    except Exception as error:  # pyspark raises RuntimeError and several of its own
        raise ResourceError(
            f"Spark does not start: {type(error).__name__}",
            hint="Java 17 or later must be on the path, and the first start fetches six jars; see Spark's lines above",
        ) from error
