"""Where shipped code runs, and which modules are there without being shipped."""

import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["AWS_PLATFORM", "GLUE_PROVIDES", "LAMBDA_PROVIDES", "Target", "TargetPlatform", "this_platform"]

# the runtimes for Python hold the SDK and its dependencies:
# https://docs.aws.amazon.com/lambda/latest/dg/python-package.html
# Its dependencies are left to it only together with it
# (a newer urllib3 beside an older botocore breaks both), and whatever else needs one of them finds it there
LAMBDA_PROVIDES = frozenset({"boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3"})

# Glue for Spark is Spark itself and the SDK; the versions of its other modules (pyarrow, numpy) are told for each
# version of Glue in its guide and are older than ours, so ours are shipped and win
# https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-python-libraries.html#glue-modules-provided
GLUE_PROVIDES = LAMBDA_PROVIDES | {"pyspark", "py4j"}


class Target(StrEnum):
    """Which AWS runs the code.

    On a laptop functions and jobs are processes of this installation, so our own code is shipped and nothing else: all
    other modules are there, compiled. To an account everything is shipped, for its machines.
    """

    LOCAL = "local"
    AWS = "aws"


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetPlatform:
    """One Python on one kind of machine.

    Attributes:
        python: Major and minor version.
        system: As `sys.platform`.
        machine: As `platform.machine()`.

    """

    python: tuple[int, int]
    system: str
    machine: str

    @property
    def markers(self) -> Mapping[str, str]:
        """Values of PEP 508's environment markers there."""
        version = ".".join(map(str, self.python))
        return {
            "implementation_name": "cpython",
            "implementation_version": f"{version}.0",
            "os_name": "posix",
            "platform_machine": self.machine,
            "platform_python_implementation": "CPython",
            "platform_system": {"linux": "Linux", "darwin": "Darwin"}.get(self.system, self.system),
            "python_full_version": f"{version}.0",
            "python_version": version,
            "sys_platform": self.system,
            "extra": "",
        }


# Lambda's python3.13 and Glue 6.0: Python 3.13 on Amazon Linux 2023, whose glibc is 2.34
AWS_PLATFORM = TargetPlatform(python=(3, 13), system="linux", machine="x86_64")


def this_platform() -> TargetPlatform:
    """What this process runs on."""
    return TargetPlatform(
        python=(sys.version_info.major, sys.version_info.minor), system=sys.platform, machine=platform.machine()
    )
