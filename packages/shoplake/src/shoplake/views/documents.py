"""The one form of every `--json`: a document with its schema version, on stdout."""

import json
import sys
from collections.abc import Mapping
from typing import Any

__all__ = ["print_document"]


def print_document(document: Mapping[str, Any]) -> None:
    """Print the document; values that JSON does not know are printed as text."""
    sys.stdout.write(json.dumps({"schema_version": 1} | dict(document), indent=1, default=str) + "\n")
