from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from shoplake_orchestration.lint import lint
from shoplake_orchestration.policies import RETRY_READ, branch_fails, catch_in_branch, catch_to
from shoplake_orchestration.states import (
    Branch,
    Choice,
    Fail,
    Machine,
    Map,
    Parallel,
    Pass,
    Retry,
    Rule,
    State,
    Succeed,
    Task,
    Wait,
)

KINDS = st.sampled_from(["task", "choice", "wait", "pass"])
SHAPES = st.recursive(
    KINDS,
    lambda inner: st.tuples(st.sampled_from(["parallel", "map"]), st.lists(inner, min_size=1, max_size=3)),
    max_leaves=6,
)


class _Builder:
    """Chains of states whose names are numbered, so that they are unique over the machine."""

    def __init__(self) -> None:
        self.count = 0

    def chain(self, shapes: list[Any], *, is_inner: bool) -> Branch:
        self.count += 1
        done, failed = f"Done {self.count}", f"Failed {self.count}"
        states: dict[str, State] = {done: Succeed()}
        catch = catch_in_branch(failed) if is_inner else catch_to(failed)
        following = done
        for shape in reversed(shapes):
            self.count += 1
            name = f"Step {self.count}"
            states[name] = self._state(shape, following=following, catch=catch)
            following = name
        if any(isinstance(state, Task | Parallel | Map) for state in states.values()):
            states[failed] = branch_fails() if is_inner else Fail(error="RunFailed", cause="{% $failed.cause %}")
        return Branch(start_at=following, states=states)

    def _state(self, shape: Any, *, following: str, catch: Any) -> State:
        if shape == "task":
            return Task(
                resource="aws-sdk:glue:getCrawler",
                arguments={"Name": "bronze"},
                timeout_seconds=60,
                retry=(RETRY_READ,),
                catch=(catch,),
                next=following,
            )
        if shape == "choice":
            return Choice(rules=(Rule(condition="{% $states.input.a = 1 %}", next=following),), default=following)
        if shape == "wait":
            return Wait(seconds=1, next=following)
        if shape == "pass":
            return Pass(output={}, next=following)
        kind, inner = shape
        body = self.chain(inner, is_inner=True)
        if kind == "map":
            return Map(items="{% $states.input %}", body=body, catch=(catch,), next=following)
        return Parallel(branches=(body,), catch=(catch,), next=following)


@given(st.lists(SHAPES, max_size=4))
def test_whatever_is_built_of_states_and_policies_has_no_finding(shapes: list[Any]) -> None:
    built = _Builder().chain(shapes, is_inner=False)

    assert lint(Machine(comment="", start_at=built.start_at, states=built.states).to_asl()) == ()


def test_a_retry_has_growing_delays_with_jitter() -> None:
    assert Retry(errors=("A", "B"), interval_seconds=3, max_attempts=2).to_asl() == {
        "ErrorEquals": ["A", "B"],
        "IntervalSeconds": 3,
        "MaxAttempts": 2,
        "BackoffRate": 2.0,
        "MaxDelaySeconds": 60,
        "JitterStrategy": "FULL",
    }
