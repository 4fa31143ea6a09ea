"""Which job runs a history started, and from which state."""

import json

from shoplake.run_logs import JobRun, job_runs_in, lines_from_laptop


def submitted(number, previous, kind, output):
    return {
        "id": number,
        "previousEventId": previous,
        "type": "TaskSubmitted",
        "taskSubmittedEventDetails": {
            "resourceType": kind,
            "resource": "startJobRun.sync",
            "output": json.dumps(output),
        },
    }


def entered(number, previous, name):
    return {
        "id": number,
        "previousEventId": previous,
        "type": "TaskStateEntered",
        "stateEnteredEventDetails": {"name": name},
    }


def test_a_job_run_belongs_to_the_state_before_it_in_its_own_branch():
    events = [
        entered(1, 0, "Ask how the crawler is"),
        entered(2, 0, "Clean bronze into silver"),
        {"id": 3, "previousEventId": 2, "type": "TaskScheduled"},
        entered(4, 1, "Is the crawler done"),
        submitted(5, 3, "glue", {"JobRunId": "jr_1"}),
        submitted(6, 5, "lambda", {"x": 1}),
        entered(7, 5, "Shape silver into gold"),
        submitted(8, 7, "glue", {"JobRunId": "jr_2"}),
        submitted(9, 8, "glue", {"JobRunId": "jr_2"}),
    ]
    assert job_runs_in(events) == (
        JobRun("Clean bronze into silver", "jr_1"),
        JobRun("Shape silver into gold", "jr_2"),
    )


def test_lines_of_a_job_run_come_from_its_own_folder(tmp_path):
    run = JobRun("Clean bronze into silver", "jr_1")
    assert list(lines_from_laptop(tmp_path, run)) == []
    folder = tmp_path / "front/state/glue/runs/jr_1"
    folder.mkdir(parents=True)
    (folder / "run.log").write_text("one\ntwö\n", "utf-8")
    assert list(lines_from_laptop(tmp_path, run)) == ["one", "twö"]
