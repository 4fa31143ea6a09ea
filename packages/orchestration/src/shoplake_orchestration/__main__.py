"""Writes the run's definition, tokens unbound, to the file that reviewers and Workflow Studio read."""

from pathlib import Path

from shoplake_orchestration.run_machine import run_definition

__all__ = ["GOLDEN", "main"]

GOLDEN = Path(__file__).parent / "golden" / "run.asl.json"


def main() -> None:
    """Write the golden file."""
    GOLDEN.parent.mkdir(exist_ok=True)
    GOLDEN.write_text(run_definition(), encoding="utf-8")


if __name__ == "__main__":
    main()
