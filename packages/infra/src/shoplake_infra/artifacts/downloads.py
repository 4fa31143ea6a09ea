"""Wheels of other people's distributions for another platform than this one, fetched by pip and kept."""

import importlib.util
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from importlib.metadata import Distribution
from pathlib import Path

from shoplake_core.errors import ConfigError, ResourceError

from shoplake_infra.artifacts.distributions import Member, canonical_name
from shoplake_infra.artifacts.platforms import TargetPlatform

__all__ = ["downloaded_wheels", "unpacked_members"]

_TIMEOUT_SECONDS = 900.0
_ERROR_CHARACTERS = 2_000
# newest first; the newest glibc that Lambda and Glue surely have (theirs is 2.34)
_MANYLINUX = ("_2_28", "_2_27", "_2_26", "_2_24", "_2_17", "2014", "_2_12", "2010", "_2_5", "1")


def downloaded_wheels(needed: Mapping[str, Distribution], folder: Path, at: TargetPlatform) -> dict[str, Path]:
    """A wheel of each distribution in the version that is installed here, by canonical name.

    Args:
        needed: Canonical name -> installed distribution.
        folder: Keeps what was fetched.
        at: What the wheels are for; Linux.

    Raises:
        ConfigError: There is no pip here, or no wheel of that version for that platform.
        ResourceError: The package index did not answer in time.

    """
    place = folder / f"{at.system}-{at.machine}-cp{at.python[0]}{at.python[1]}"
    pins = {name: f"{name}=={found.version}" for name, found in needed.items()}
    missing = [pin for pin in pins.values() if not list((place / pin).glob("*.whl"))]
    if missing:
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place) as scratch:
            _download(missing, Path(scratch), at)
            for wheel in Path(scratch).glob("*.whl"):
                name, version = wheel.name.split("-")[:2]
                kept = place / f"{canonical_name(name)}=={version}"
                kept.mkdir(exist_ok=True)
                wheel.replace(kept / wheel.name)
    found = {name: sorted((place / pin).glob("*.whl")) for name, pin in pins.items()}
    absent = sorted(pins[name] for name, wheels in found.items() if not wheels)
    if absent:
        raise ConfigError(f"pip did not bring {', '.join(absent)}", hint=f"delete {place} and try again")
    return {name: wheels[0] for name, wheels in found.items()}


def _pip() -> list[str]:
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    command = shutil.which("pip3") or shutil.which("pip")
    if command is None:
        raise ConfigError(
            "wheels for AWS's machines are fetched by pip, and there is none here",
            hint=f"install it: {sys.executable} -m ensurepip",
        )
    return [command]


def _download(pins: list[str], folder: Path, at: TargetPlatform) -> None:
    platforms = [f"--platform=manylinux{version}_{at.machine}" for version in _MANYLINUX]
    command = [
        *_pip(),
        "download",
        "--quiet",
        "--disable-pip-version-check",
        "--no-input",
        "--no-deps",
        "--only-binary=:all:",
        "--implementation=cp",
        f"--python-version={at.python[0]}.{at.python[1]}",
        *platforms,
        f"--dest={folder}",
        *pins,
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise ResourceError(
            f"pip did not bring {len(pins)} wheels within {_TIMEOUT_SECONDS:.0f} s",
            hint="check the network, then again",
        ) from error
    if done.returncode != 0:
        raise ConfigError(
            f"pip could not bring the wheels for AWS's machines:\n{done.stderr.strip()[-_ERROR_CHARACTERS:]}",
            hint="check that the package index can be reached and has these versions for them",
        )


def unpacked_members(wheel: Path, folder: Path) -> tuple[Member, ...]:
    """The wheel's files as an installation would lay them, unpacked once below `folder`."""
    place = folder / wheel.name
    if not place.exists():
        with tempfile.TemporaryDirectory(dir=_made(folder)) as scratch:
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(scratch)
            Path(scratch).rename(place)
            Path(scratch).mkdir()  # for the context to delete
    members = []
    for path in place.rglob("*"):
        name = path.relative_to(place).as_posix()
        first, _, rest = name.partition("/")
        if first.endswith(".data"):
            kind, _, name = rest.partition("/")
            if kind not in {"purelib", "platlib"}:
                continue
        if path.is_file() and not name.endswith((".dist-info/RECORD", ".dist-info/WHEEL")):
            members.append(Member(name, path))
    return tuple(sorted(members))


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
