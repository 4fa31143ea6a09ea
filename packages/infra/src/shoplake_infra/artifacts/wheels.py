"""Wheels of installed distributions, built anew with the same bytes every time."""

import hashlib
from email.parser import HeaderParser
from importlib.metadata import Distribution
from pathlib import Path

from shoplake_core.errors import ConfigError

from shoplake_infra.artifacts.archives import write_wheel
from shoplake_infra.artifacts.distributions import (
    canonical_name,
    is_ours,
    members_of,
    metadata_folder,
)
from shoplake_infra.artifacts.stored_file import StoredFile, stored_file

__all__ = ["content_hash", "wheel_of"]

_GENERATOR = "shoplake"
_FORMAT = "1"  # counted up when these modules write other bytes for equal content


def content_hash(of: Distribution) -> str:
    """SHA-256, as hex, over what is shipped of it: our own files' content, for others the record of theirs."""
    digest = hashlib.sha256(f"{_FORMAT} {of.metadata['Name']} {of.version}\n".encode())
    if not is_ours(canonical_name(of.metadata["Name"])):
        digest.update((of.read_text("RECORD") or "").encode())
        return digest.hexdigest()
    for member in members_of(of):
        digest.update(f"{member.name} {hashlib.sha256(member.path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def wheel_of(of: Distribution, folder: Path) -> StoredFile:
    """Its wheel below `folder`, built where that content has none yet.

    Raises:
        ConfigError: It was not installed from a wheel.

    """
    name = canonical_name(of.metadata["Name"])
    wheel, tag = _wheel_text(of)
    file_name = f"{metadata_folder(of).removesuffix('.dist-info')}-{tag}.whl"
    path = folder / content_hash(of) / file_name
    if not path.exists():
        write_wheel(path, members_of(of), metadata_folder=metadata_folder(of), wheel=wheel)
    return stored_file(path, what=f"wheel-{name}")


def _wheel_text(of: Distribution) -> tuple[str, str]:
    found = HeaderParser().parsestr(of.read_text("WHEEL") or "")
    tags = found.get_all("Tag") or []
    if not tags:
        name = of.metadata["Name"]
        raise ConfigError(f"{name} was not installed from a wheel", hint=f"install it again: pip install {name}")
    lines = [
        "Wheel-Version: 1.0",
        f"Generator: {_GENERATOR}",
        f"Root-Is-Purelib: {found['Root-Is-Purelib']}",
        *(f"Tag: {tag}" for tag in tags),
    ]
    parts = zip(*(tag.split("-") for tag in tags), strict=True)
    return "\n".join([*lines, ""]), "-".join(".".join(dict.fromkeys(part)) for part in parts)
