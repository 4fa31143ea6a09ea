"""What fires when: on a clock that only moves when told, with a store that is opened again as after a kill."""

from datetime import UTC, datetime, timedelta

import pytest
from shoplake_core.clock import SkipClock
from shoplake_local.scheduler.schedules import Schedule
from shoplake_local.scheduler.store import ScheduleStore
from shoplake_local.scheduler.targets_aws import CallFailedError, input_of, service_of_target
from shoplake_local.scheduler.ticker import Ticker

START = datetime(2026, 11, 25, 6, 0, tzinfo=UTC)
MACHINE = "arn:aws:states:eu-central-1:000000000000:stateMachine:run"
ROLE = "arn:aws:iam::000000000000:role/r"


class World:
    """A ticker over schedules that the test holds; every call made is its schedule's name and the time that was due."""

    def __init__(self, path):
        self.path = path
        self.clock = SkipClock(START)
        self.schedules = {}
        self.made, self.faults = [], []
        self.open()

    def open(self):
        self.store = ScheduleStore(self.path)
        self.ticker = Ticker(
            self.store, schedules=lambda: list(self.schedules.values()), call=self.call, clock=self.clock
        )

    def killed(self):
        """A front that starts on the files of one that was killed."""
        self.store.close()
        self.open()

    def call(self, schedule, call):
        if self.faults:
            raise self.faults.pop(0)
        self.made.append(f"{call.scheduled_at:%d %H:%M:%S}")

    def schedule(self, expression, **changes):
        values = {
            "arn": "arn:aws:scheduler:eu-central-1:000000000000:schedule/g/s",
            "expression": expression,
            "time_zone": "UTC",
            "enabled": True,
            "start": None,
            "end": None,
            "modified_at": self.clock.now(),
            "target": {"Arn": MACHINE, "RoleArn": ROLE},
        }
        made = Schedule(**(values | changes))
        self.schedules[made.arn] = made

    def after(self, **times):
        """What was called since the last look, after a tick that much later."""
        self.clock.sleep(timedelta(**times).total_seconds())
        self.ticker.tick()
        found, self.made = self.made, []
        return found


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path / "schedules.sqlite")
    yield made
    made.ticker.close()


def test_a_cron_fires_once_at_each_of_its_times(world):
    world.schedule("cron(0/10 * * * ? *)")
    seen = [world.after(minutes=1) for _ in range(21)]
    assert [calls for calls in seen if calls] == [["25 06:10:00"], ["25 06:20:00"]]


def test_a_rate_fires_at_once_and_an_at_once_only(world):
    world.schedule("rate(5 minutes)")
    assert [world.after(seconds=150) for _ in range(4)] == [["25 06:00:00"], ["25 06:05:00"], [], ["25 06:10:00"]]
    world.schedule("at(2026-11-25T07:00:00)")
    assert [world.after(minutes=30) for _ in range(3)] == [[], ["25 07:00:00"], []]


def test_of_the_times_that_nobody_saw_the_latest_is_made_up_for(world):
    world.schedule("cron(0 * * * ? *)")
    assert world.after(hours=1, minutes=1) == ["25 07:00:00"]
    world.killed()
    assert world.after(hours=9) == ["25 16:00:00"]
    assert world.after(minutes=1) == []


def test_a_time_that_is_older_than_the_policy_allows_is_passed_over(world):
    target = {"Arn": MACHINE, "RoleArn": ROLE, "RetryPolicy": {"MaximumEventAgeInSeconds": 600}}
    world.schedule("cron(0 * * * ? *)", target=target)
    assert world.after(hours=1, minutes=11) == []
    assert world.after(minutes=55) == ["25 08:00:00"]


def test_nothing_fires_before_the_start_after_the_end_or_disabled(world):
    hour = timedelta(hours=1)
    world.schedule("cron(0/30 * * * ? *)", start=START + hour, end=START + 2 * hour)
    assert [world.after(minutes=30) for _ in range(6)] == [
        [],
        ["25 07:00:00"],
        ["25 07:30:00"],
        ["25 08:00:00"],
        [],
        [],
    ]
    world.schedule("cron(0/30 * * * ? *)", enabled=False)
    assert world.after(hours=1) == []
    world.clock.sleep(60)
    world.schedule("cron(0/30 * * * ? *)")
    assert world.after(minutes=1) == [], "what fell while it was disabled is not made up for"


def test_a_call_that_was_due_when_the_front_was_killed_is_made_by_the_next_and_only_once(world):
    world.schedule("cron(0 7 * * ? *)")
    world.faults = [KeyboardInterrupt()]  # the process ends before the target hears of it
    with pytest.raises(KeyboardInterrupt):
        world.after(hours=1)
    world.killed()
    assert world.after(seconds=1) == ["25 07:00:00"]
    world.killed()
    assert world.after(seconds=1) == []


def test_a_failed_call_is_made_again_a_bounded_number_of_times(world):
    target = {"Arn": MACHINE, "RoleArn": ROLE, "RetryPolicy": {"MaximumRetryAttempts": 2}}
    world.schedule("at(2026-11-25T06:00:01)", target=target)
    world.faults = [CallFailedError("busy", again=True)] * 2
    assert [world.after(seconds=n) for n in (1, 1, 2, 9)] == [[], [], ["25 06:00:01"], []]
    world.schedule("at(2026-11-25T06:01:00)", target=target)
    world.faults = [CallFailedError("busy", again=True)] * 3
    assert [world.after(minutes=1) for _ in range(4)] == [[], [], [], []]
    assert world.store.calls() == []


def test_a_refused_call_is_not_made_again_and_a_deleted_schedule_makes_none(world):
    world.schedule("cron(* * * * ? *)")
    world.faults = [CallFailedError("denied", again=False)]
    assert [world.after(minutes=1), world.after(seconds=30)] == [[], []]
    world.faults = [CallFailedError("busy", again=True)]
    assert world.after(seconds=30) == []
    world.schedules.clear()
    assert world.after(minutes=5) == []
    assert world.store.calls() == []


def test_a_year_of_minutes_is_made_up_for_at_once(world):
    target = {"Arn": MACHINE, "RoleArn": ROLE}
    world.schedule("cron(* * * * ? *)", target=target)
    assert world.after(days=365) == ["25 06:00:00"]


def test_context_attributes_are_filled_in(world):
    text = '{"at": "<aws.scheduler.scheduled-time>", "n": <aws.scheduler.attempt-number>, "s": "<aws.scheduler.schedule-arn>"}'
    world.schedule("at(2026-11-25T06:00:01)", target={"Arn": MACHINE, "RoleArn": ROLE, "Input": text})
    world.faults = [CallFailedError("busy", again=True)]
    assert world.after(seconds=1) == []
    (call,), (schedule,) = world.store.calls(), world.schedules.values()
    assert input_of(schedule, call) == f'{{"at": "2026-11-25T06:00:01Z", "n": 2, "s": "{schedule.arn}"}}'


@pytest.mark.parametrize(
    ("arn", "service"),
    [
        (MACHINE, "stepfunctions"),
        ("arn:aws:lambda:eu-central-1:000000000000:function:f", "lambda"),
        ("arn:aws:sns:eu-central-1:000000000000:t", "sns"),
        ("arn:aws:sqs:eu-central-1:000000000000:q", "sqs"),
        ("arn:aws:ecs:eu-central-1:000000000000:cluster/c", None),
        ("arn:aws:scheduler:::aws-sdk:glue:startJobRun", None),
    ],
)
def test_targets_that_can_be_called(arn, service):
    assert service_of_target(arn) == service
