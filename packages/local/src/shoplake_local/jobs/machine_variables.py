"""What a job may know of this machine: where Java is, and where Spark keeps the jars that it has fetched. Nothing else."""

import shutil
from collections.abc import Mapping
from pathlib import Path

__all__ = ["SPARK_JARS", "machine_variables"]

SPARK_JARS = "SHOPLAKE_SPARK_JARS"
_JAVA_HOME = "JAVA_HOME"
_IVY_FOLDER = ".ivy2.5.2"  # Spark 4's own default, below the user's home, which a job does not see


def machine_variables(environment: Mapping[str, str], *, home: Path) -> dict[str, str]:
    """The variables for jobs: JAVA_HOME, where there is a Java, and the folder of Spark's jars.

    A job's own home is empty and its PATH the system's, so that nothing of the user (keys, settings) reaches it: a Java
    that only the user's PATH names must be told, and jars fetched once must not be fetched for each run.

    Args:
        environment: The user's.
        home: The user's home.

    """
    found = {SPARK_JARS: environment.get(SPARK_JARS) or str(home / _IVY_FOLDER)}
    java_home = _java_home(environment)
    return found | ({_JAVA_HOME: str(java_home)} if java_home is not None else {})


def _java_home(environment: Mapping[str, str]) -> Path | None:
    if environment.get(_JAVA_HOME):
        return Path(environment[_JAVA_HOME]).resolve()
    program = shutil.which("java", path=environment.get("PATH"))
    if program is None:
        return None
    java_home = Path(program).resolve().parent.parent
    # some systems have a program there that only looks for a Java
    return java_home if (java_home / "lib").is_dir() and (java_home / "bin" / "java").is_file() else None
