"""Writes the run's definition, tokens unbound, to the file that reviewers and Workflow Studio read."""

import json
from pathlib import Path

from shoplake_orchestration.run_machine import run_machine

__all__ = ["GOLDEN", "definition_text", "main"]

GOLDEN = Path(__file__).parent / "golden" / "run.asl.json"


def definition_text() -> str:
    """The run's definition as the golden file holds it."""
    return json.dumps(run_machine().to_asl(), indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Write the golden file."""
    GOLDEN.parent.mkdir(exist_ok=True)
    GOLDEN.write_text(definition_text(), encoding="utf-8")


if __name__ == "__main__":
    main()
