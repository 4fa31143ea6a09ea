"""The masking key of a laptop's environment: made once, kept 0600 in the state folder, never printed.

On AWS it lies in Secrets Manager.
"""

import secrets
from collections.abc import Mapping
from pathlib import Path

from shoplake_core.masking import MaskingKey, masking_key_from_hex
from shoplake_engines.private_files import private_folder, write_private_text

__all__ = ["MASKING_KEY_VARIABLE", "local_masking_key"]

MASKING_KEY_VARIABLE = "SHOPLAKE_MASKING_KEY"
_KEY_BYTES = 32


def local_masking_key(state_folder: Path, environment: Mapping[str, str]) -> MaskingKey:
    """The key that the environment gives, else the state folder's own, made at first use.

    Raises:
        CredentialError: The key that is given is too short or no hex.

    """
    given = environment.get(MASKING_KEY_VARIABLE, "")
    if given:
        return masking_key_from_hex(given)
    path = private_folder(state_folder) / "masking.key"
    if not path.exists():
        write_private_text(path, secrets.token_hex(_KEY_BYTES))
    return masking_key_from_hex(path.read_text().strip())
