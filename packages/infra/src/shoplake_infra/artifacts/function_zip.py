"""One zip with the code of every Lambda function."""

import hashlib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from shoplake_core.errors import ConfigError

from shoplake_infra.artifacts.archives import write_archive
from shoplake_infra.artifacts.distributions import Member
from shoplake_infra.artifacts.stored_file import StoredFile, stored_file
from shoplake_infra.artifacts.stripping import is_stripped

__all__ = ["MOST_UNZIPPED_BYTES", "function_members", "function_zip"]

# of a package's contents, layers included:
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MOST_UNZIPPED_BYTES = 250 * 1024 * 1024
_PARTS_SHOWN = 6


def function_members(ours: Iterable[Member], others: Iterable[Member]) -> tuple[Member, ...]:
    """What lies in the zip: all of ours, and of the others what a function may import.

    Raises:
        ConfigError: Two distributions bring different files of one name, or it is more than Lambda takes.

    """
    members: dict[str, Member] = {}
    for member in (*ours, *(member for member in others if not is_stripped(member.name))):
        first = members.setdefault(member.name, member)
        if first is not member and first.path.read_bytes() != member.path.read_bytes():
            raise ConfigError(
                f"two distributions bring different files {member.name}: {first.path} and {member.path}",
                hint="one of them does not belong into a function",
            )
    sizes: Counter[str] = Counter()
    for name, member in members.items():
        sizes[name.partition("/")[0]] += member.path.stat().st_size
    total = sizes.total()
    if total > MOST_UNZIPPED_BYTES:
        biggest = ", ".join(f"{name} {size / 2**20:.1f}" for name, size in sizes.most_common(_PARTS_SHOWN))
        raise ConfigError(
            f"the functions' code is {total / 2**20:.1f} MiB unzipped, and Lambda takes {MOST_UNZIPPED_BYTES // 2**20}; "
            f"the biggest parts in MiB: {biggest}",
            hint="strip what is never imported in shoplake_infra.artifacts.stripping",
        )
    return tuple(members[name] for name in sorted(members))


def function_zip(members: Iterable[Member], folder: Path, *, content: Iterable[str]) -> StoredFile:
    """The zip below `folder`, built where that content has none yet.

    Args:
        members: What lies in it.
        folder: Keeps it.
        content: Hashes of all that the members come from.

    """
    key = hashlib.sha256("\n".join(content).encode()).hexdigest()
    path = folder / key / "functions.zip"
    if not path.exists():
        write_archive(path, members)
    return stored_file(path, what="functions")
