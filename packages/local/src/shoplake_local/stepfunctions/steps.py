"""One execution's transitions: what each state does to its frame and which events that writes.

Nothing here calls, waits or stores: a task's frame says what is to be called (`Phase.CALLING`), and the answer comes
back through `answered`. https://states-language.net/spec.html and
https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shoplake_local.stepfunctions.expressions import evaluated
from shoplake_local.stepfunctions.faults import LARGEST_BYTES, QueryError, StateError, first_match
from shoplake_local.stepfunctions.frames import Frame, Phase
from shoplake_local.stepfunctions.history import History, json_text
from shoplake_local.stepfunctions.scopes import resource_names, scope_below
from shoplake_local.stepfunctions.tasks import Answer
from shoplake_local.stepfunctions.times import iso_text, parsed_time

__all__ = ["Steps"]

_MOST_ITERATIONS_AT_ONCE = 40
_UNENDING = 99_999_999
_FACTOR = 2.0
_ATTEMPTS = 3


@dataclass(slots=True)
class Steps:
    """The transitions of one moment.

    Attributes:
        definition: The machine's.
        context: `$states.context` without what a frame adds: Execution and StateMachine.
        region: Shown in TaskScheduled.
        history: Takes the events.
        now: The moment.
        poll_seconds: Pause between two looks at a job.
        next_call: Number of the next call.
        jitter: Gives a share of a retry's pause, from 0 to 1.
        cancelled: Jobs that nobody waits for any more, with their resource.

    """

    definition: Mapping[str, Any]
    context: Mapping[str, Any]
    region: str
    history: History
    now: datetime
    poll_seconds: float
    next_call: int
    jitter: Callable[[], float] = random.random
    cancelled: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    # -- going on ------------------------------------------------------------------------------------------------

    def advance(self, frame: Frame, scope: Mapping[str, Any]) -> bool:
        """Do what the frame and those below can do now: whether anything happened."""
        state = scope["States"][frame.state]
        try:
            return self._advanced(frame, scope, state)
        except StateError as fault:
            self._failed(frame, state, fault)
            return True

    def _advanced(self, frame: Frame, scope: Mapping[str, Any], state: Mapping[str, Any]) -> bool:
        match frame.phase:
            case Phase.ENTERING:
                self._enter(frame, state)
            case Phase.BEGINNING:
                self._begin(frame, state)
            case Phase.WAITING if self._is_due(frame):
                self._leave(frame, state, frame.input)
            case Phase.RETRYING if self._is_due(frame):
                self._begin(frame, state)
            case Phase.CALLING | Phase.POLLING if frame.deadline is not None and self._seconds >= frame.deadline:
                self._time_out(frame, state)
            case Phase.POLLING if frame.call is None and self._is_due(frame):
                frame.call = self._number()
            case Phase.CHILDREN:
                return self._advance_children(frame, scope, state)
            case _:
                return False
        return True

    @property
    def _seconds(self) -> float:
        return self.now.timestamp()

    def _is_due(self, frame: Frame) -> bool:
        return frame.due_at is not None and self._seconds >= frame.due_at

    def _number(self) -> int:
        self.next_call += 1
        return self.next_call - 1

    # -- entering ------------------------------------------------------------------------------------------------

    def _enter(self, frame: Frame, state: Mapping[str, Any]) -> None:
        frame.entered_at, frame.retries = self._seconds, {}
        details = {"name": frame.state, "input": json_text(frame.input)}
        self.history.add(f"{state['Type']}StateEntered", details, after=frame)
        self._measured(frame.input, "input")
        self._begin(frame, state)

    def _begin(self, frame: Frame, state: Mapping[str, Any]) -> None:
        frame.due_at = None
        getattr(self, f"_begin_{state['Type'].lower()}")(frame, state)

    def _begin_pass(self, frame: Frame, state: Mapping[str, Any]) -> None:
        self._leave(frame, state, frame.input)

    _begin_succeed = _begin_pass

    def _begin_choice(self, frame: Frame, state: Mapping[str, Any]) -> None:
        for number, rule in enumerate(state["Choices"]):
            location = f"Choices[{number}]/Condition"
            answer = self._value(frame, rule["Condition"], location)
            if not isinstance(answer, bool):
                raise QueryError(f"A condition must be true or false; it is {json_text(answer)}.", location)
            if answer:
                self._leave(frame, rule, frame.input, kind="Choice", place=f"Choices[{number}]/")
                return
        if "Default" not in state:
            raise StateError("States.NoChoiceMatched", f"No choice rule of the state '{frame.state}' matched.")
        self._leave(frame, {**state, "Next": state["Default"]}, frame.input)

    def _begin_wait(self, frame: Frame, state: Mapping[str, Any]) -> None:
        if "Seconds" in state:
            seconds = self._value(frame, state["Seconds"], "Seconds")
            if not isinstance(seconds, int) or isinstance(seconds, bool) or not 0 <= seconds <= _UNENDING:
                raise QueryError(f"Seconds must be a whole number from 0; it is {json_text(seconds)}.", "Seconds")
            frame.due_at = self._seconds + seconds
        else:
            text = self._value(frame, state["Timestamp"], "Timestamp")
            moment = parsed_time(text)
            if moment is None:
                raise QueryError(f"Timestamp must be a time as in RFC 3339; it is {json_text(text)}.", "Timestamp")
            frame.due_at = moment.timestamp()
        frame.phase = Phase.WAITING

    def _begin_fail(self, frame: Frame, state: Mapping[str, Any]) -> None:
        texts = {name: self._value(frame, state.get(name, ""), name) for name in ("Error", "Cause")}
        for name, text in texts.items():
            if not isinstance(text, str):
                raise QueryError(f"{name} must be a text; it is {json_text(text)}.", name)
        raise StateError(texts["Error"], texts["Cause"])

    def _begin_task(self, frame: Frame, state: Mapping[str, Any]) -> None:
        frame.arguments = self._value(frame, state.get("Arguments", frame.input), "Arguments")
        timeout = self._value(frame, state.get("TimeoutSeconds", _UNENDING), "TimeoutSeconds")
        if not isinstance(timeout, int) or isinstance(timeout, bool) or not 1 <= timeout <= _UNENDING:
            raise QueryError(f"TimeoutSeconds must be a whole number from 1; it is {timeout!r}.", "TimeoutSeconds")
        frame.deadline = self._seconds + timeout
        names = resource_names(state)
        scheduled = {**names, "region": self.region, "parameters": json_text(frame.arguments)}
        self.history.add(
            "TaskScheduled",
            {**scheduled, "timeoutInSeconds": timeout if "TimeoutSeconds" in state else None},
            after=frame,
        )
        self.history.add("TaskStarted", names, after=frame)
        frame.phase, frame.call, frame.job = Phase.CALLING, self._number(), None

    def _begin_parallel(self, frame: Frame, state: Mapping[str, Any]) -> None:
        given = self._value(frame, state.get("Arguments", frame.input), "Arguments")
        self.history.add("ParallelStateStarted", after=frame)
        frame.phase = Phase.CHILDREN
        frame.children = [
            Frame(branch["StartAt"], given, dict(frame.variables), last_event=frame.last_event, item=frame.item)
            for branch in state["Branches"]
        ]

    def _begin_map(self, frame: Frame, state: Mapping[str, Any]) -> None:
        items = self._value(frame, state.get("Items", frame.input), "Items")
        if not isinstance(items, list):
            raise QueryError(f"Items must be an array; it is {json_text(items)}.", "Items")
        start = state["ItemProcessor"]["StartAt"]
        children = []
        for index, value in enumerate(items):
            child = Frame(start, value, dict(frame.variables), Phase.PENDING, item={"Index": index, "Value": value})
            if "ItemSelector" in state:
                bindings = self._bindings(frame, item=child.item)
                child.input = evaluated(state["ItemSelector"], bindings, location="ItemSelector")
            children.append(child)
        self.history.add("MapStateStarted", {"length": len(items)}, after=frame)
        frame.phase, frame.children = Phase.CHILDREN, children

    # -- branches and iterations ---------------------------------------------------------------------------------

    def _advance_children(self, frame: Frame, scope: Mapping[str, Any], state: Mapping[str, Any]) -> bool:
        is_map = state["Type"] == "Map"
        happened = self._start_pending(frame, state) if is_map else False
        for number, child in enumerate(frame.children):
            if child.noted or child.phase is Phase.PENDING:
                continue
            # an answer may have ended it since
            happened = child.ended or self.advance(child, scope_below(scope, frame, number)) or happened
            if child.ended:
                child.noted = True
                frame.last_event = child.last_event
                self._iteration_ended(frame, number, is_map=is_map)
            if child.phase is Phase.FAILED:
                self._abort_children(frame, scope)
                self.history.add(f"{state['Type']}StateFailed", after=frame)
                raise StateError(child.error or "", child.cause or "")
        if all(child.phase is Phase.DONE for child in frame.children):
            self.history.add(f"{state['Type']}StateSucceeded", after=frame)
            self._leave(frame, state, [child.output for child in frame.children])
            return True
        return happened

    def _start_pending(self, frame: Frame, state: Mapping[str, Any]) -> bool:
        limit = self._value(frame, state.get("MaxConcurrency", 0), "MaxConcurrency")
        if not isinstance(limit, int) or isinstance(limit, bool) or limit < 0:
            raise QueryError(f"MaxConcurrency must be a whole number from 0; it is {limit!r}.", "MaxConcurrency")
        at_once = min(limit or _MOST_ITERATIONS_AT_ONCE, _MOST_ITERATIONS_AT_ONCE)
        free = at_once - sum(not child.ended and child.phase is not Phase.PENDING for child in frame.children)
        pending = [n for n, child in enumerate(frame.children) if child.phase is Phase.PENDING][: max(free, 0)]
        for number in pending:
            child = frame.children[number]
            child.phase, child.last_event = Phase.ENTERING, frame.last_event
            self.history.add("MapIterationStarted", {"name": frame.state, "index": number}, after=child)
        return bool(pending)

    def _iteration_ended(self, frame: Frame, number: int, *, is_map: bool) -> None:
        if is_map:
            outcome = {Phase.DONE: "Succeeded", Phase.FAILED: "Failed"}.get(frame.children[number].phase, "Aborted")
            self.history.add(f"MapIteration{outcome}", {"name": frame.state, "index": number}, after=frame)

    def abort(self, frame: Frame, scope: Mapping[str, Any]) -> None:
        """End the frame and all below, and let go of their jobs."""
        if frame.ended or frame.phase is Phase.PENDING:
            return
        state = scope["States"][frame.state]
        if frame.phase is Phase.CHILDREN:
            self._abort_children(frame, scope)
        if frame.phase in {Phase.CALLING, Phase.POLLING, Phase.RETRYING, Phase.WAITING, Phase.CHILDREN}:
            self.history.add(f"{state['Type']}StateAborted", after=frame)
        self._let_go(frame, state)
        if frame.phase is not Phase.ENTERING:  # a state that was never entered is entered by a redrive
            frame.phase = Phase.ABORTED

    def _abort_children(self, frame: Frame, scope: Mapping[str, Any]) -> None:
        is_map = scope["States"][frame.state]["Type"] == "Map"
        for number, child in enumerate(frame.children):
            if child.noted or child.phase is Phase.PENDING:
                continue
            child.noted = True
            self.abort(child, scope_below(scope, frame, number))
            frame.last_event = child.last_event
            self._iteration_ended(frame, number, is_map=is_map)

    def _let_go(self, frame: Frame, state: Mapping[str, Any]) -> None:
        if frame.job is not None:
            self.cancelled.append((state["Resource"], frame.job))
        frame.call, frame.job, frame.due_at, frame.deadline = None, None, None, None

    # -- answers of tasks ----------------------------------------------------------------------------------------

    def answered(self, frame: Frame, scope: Mapping[str, Any], answer: Answer) -> bool:
        """Give the answer to the frame that asked; False where nobody waits for it any more."""
        if frame.call == answer.call and frame.phase in {Phase.CALLING, Phase.POLLING}:
            state = scope["States"][frame.state]
            try:
                self._take(frame, state, answer)
            except StateError as fault:
                self._failed(frame, state, fault)
            return True
        return any(
            self.answered(child, scope_below(scope, frame, number), answer)
            for number, child in enumerate(frame.children)
            if not child.ended
        )

    def _take(self, frame: Frame, state: Mapping[str, Any], answer: Answer) -> None:
        frame.call = None
        names = resource_names(state)
        if answer.job is not None:
            frame.job, frame.phase = answer.job, Phase.POLLING
            self.history.add("TaskSubmitted", {**names, "output": json_text(answer.job)}, after=frame)
        if frame.deadline is not None and self._seconds >= frame.deadline:
            self._time_out(frame, state)
        if answer.running or answer.job is not None:
            frame.due_at = self._seconds + self.poll_seconds
            return
        frame.job, frame.due_at, frame.deadline = None, None, None
        fault = answer.fault
        if fault is None:
            try:
                self._measured(answer.result, "result")
            except StateError as too_large:
                fault = too_large
        if fault is not None:
            self.history.add("TaskFailed", {**names, "error": fault.error, "cause": fault.cause}, after=frame)
            raise fault
        self.history.add("TaskSucceeded", {**names, "output": json_text(answer.result)}, after=frame)
        self._leave(frame, state, answer.result)

    def _time_out(self, frame: Frame, state: Mapping[str, Any]) -> None:
        self.history.add("TaskTimedOut", {**resource_names(state), "error": "States.Timeout"}, after=frame)
        self._let_go(frame, state)
        raise StateError("States.Timeout", "")

    # -- leaving and failing -------------------------------------------------------------------------------------

    def _leave(self, frame: Frame, rule: Mapping[str, Any], result: Any, *, kind: str = "", place: str = "") -> None:
        """Leave the state by a rule with Assign, Output and Next: the state's own, a choice's or a catcher's."""
        extra = {"errorOutput": result} if place.startswith("Catch") else {"result": result}
        if kind == "Choice" or rule.get("Type") in {"Choice", "Wait", "Pass", "Succeed"}:
            extra = {}
        bindings = self._bindings(frame, **extra)
        output = evaluated(rule["Output"], bindings, location=f"{place}Output") if "Output" in rule else result
        assigned = evaluated(rule.get("Assign", {}), bindings, location=f"{place}Assign")
        self._measured(output, "output")
        exited: dict[str, Any] = {"name": frame.state, "output": json_text(output)}
        if assigned:
            exited["assignedVariables"] = {name: json_text(value) for name, value in assigned.items()}
            self._measured({**frame.variables, **assigned}, "variables")
        self.history.add(f"{kind or rule['Type']}StateExited", exited, after=frame)
        frame.variables = {**frame.variables, **assigned}
        frame.children, frame.arguments, frame.job, frame.retries = [], None, None, {}
        frame.due_at, frame.deadline, frame.call = None, None, None
        if "Next" in rule:
            frame.state, frame.input, frame.phase = rule["Next"], output, Phase.ENTERING
        else:
            frame.output, frame.phase = output, Phase.DONE

    def _failed(self, frame: Frame, state: Mapping[str, Any], fault: StateError) -> None:
        """Try again, go where a catcher says, or fail the frame."""
        if isinstance(fault, QueryError):
            self._tell_evaluation(frame, fault)
        if self._retried(frame, state.get("Retry", ()), fault):
            return
        number = first_match(state.get("Catch", ()), fault.error)
        if number is not None:
            caught = {"Error": fault.error, "Cause": fault.cause}
            try:
                self._leave(frame, state["Catch"][number], caught, kind=state["Type"], place=f"Catch[{number}]/")
            except StateError as worse:
                if isinstance(worse, QueryError):
                    self._tell_evaluation(frame, worse)
                fault = worse
            else:
                return
        frame.phase, frame.error, frame.cause = Phase.FAILED, fault.error, fault.cause

    def _retried(self, frame: Frame, retriers: Any, fault: StateError) -> bool:
        number = first_match(retriers, fault.error)
        if number is None:
            return False
        rule, used = retriers[number], frame.retries.get(str(number), 0)
        if used >= rule.get("MaxAttempts", _ATTEMPTS):
            return False
        longest = rule.get("MaxDelaySeconds", _UNENDING)
        pause = min(rule.get("IntervalSeconds", 1) * _power(rule.get("BackoffRate", _FACTOR), used), longest)
        if rule.get("JitterStrategy") == "FULL":
            pause *= self.jitter()
        frame.retries = {**frame.retries, str(number): used + 1}
        frame.phase, frame.due_at, frame.children = Phase.RETRYING, self._seconds + pause, []
        return True

    def _tell_evaluation(self, frame: Frame, fault: QueryError) -> None:
        details = {"error": fault.error, "cause": fault.cause, "location": fault.location, "state": frame.state}
        self.history.add("EvaluationFailed", details, after=frame)

    # -- values --------------------------------------------------------------------------------------------------

    def _value(self, frame: Frame, template: Any, location: str) -> Any:
        return evaluated(template, self._bindings(frame), location=location)

    def _bindings(self, frame: Frame, *, item: Mapping[str, Any] | None = None, **extra: Any) -> dict[str, Any]:
        state = {"Name": frame.state, "EnteredTime": iso_text(frame.entered_at), "RetryCount": frame.retry_count}
        context: dict[str, Any] = {**self.context, "State": state}
        if item is not None or frame.item is not None:
            context["Map"] = {"Item": item or frame.item}
        return {**frame.variables, "states": {"input": frame.input, "context": context, **extra}}

    @staticmethod
    def _measured(value: Any, what: str) -> None:
        size = len(json_text(value).encode("utf-8", "surrogatepass"))
        if size > LARGEST_BYTES:
            raise StateError(
                "States.DataLimitExceeded",
                f"The state's {what} has {size} bytes; at most {LARGEST_BYTES} are allowed.",
            )


def _power(base: float, exponent: int) -> float:
    try:
        return float(base) ** exponent
    except OverflowError:
        return float(_UNENDING)
