"""One run at a time: an object put on condition, whose owner is an execution; it also remembers how the last run ended.

A list of running executions alone would be a race: two that look at the same moment both see none.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from botocore.exceptions import ClientError
from shoplake_core.errors import ConflictError, ShoplakeError
from shoplake_core.run_lock import RUN_LOCK_KEY, require_holder

__all__ = ["LockState", "Outcome", "RunFailed", "RunLock", "check_held", "read_lock"]

_PRECONDITION_FAILED = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}
_MISSING = {"NoSuchKey", "404"}
_ATTEMPTS = 3


class Outcome(StrEnum):
    """How a run ended; NONE where no run has ended yet."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    NONE = ""


class RunFailed(ShoplakeError):  # noqa: N818 - the name is what Step Functions shows and catches
    """A state of the run failed; raised so that the execution ends at a task, which a redrive repeats."""

    code = "RUN_FAILED"


@dataclass(frozen=True, slots=True, kw_only=True)
class LockState:
    """What the lock's object says.

    Attributes:
        holder: ARN of the execution that holds it; "" for none.
        last_outcome: How the last run ended.
        last_execution: Its ARN; "" for none.

    """

    holder: str = ""
    last_outcome: Outcome = Outcome.NONE
    last_execution: str = ""

    def to_json(self) -> bytes:
        """The object's content; a free lock has no holder."""
        held = {"holder": self.holder} if self.holder else {}
        last = {"last_outcome": self.last_outcome, "last_execution": self.last_execution} if self.last_execution else {}
        return json.dumps(held | last).encode()


def read_lock(s3: Any, bucket: str) -> tuple[LockState, str]:
    """The lock and its ETag; a free lock and "" where no run has ever taken it."""
    try:
        answer = s3.get_object(Bucket=bucket, Key=RUN_LOCK_KEY)
    except ClientError as error:
        if error.response["Error"]["Code"] in _MISSING:
            return LockState(), ""
        raise
    data = json.loads(answer["Body"].read())
    state = LockState(
        holder=data.get("holder", ""),
        last_outcome=Outcome(data.get("last_outcome", "")),
        last_execution=data.get("last_execution", ""),
    )
    return state, str(answer["ETag"])


def check_held(s3: Any, bucket: str, execution_arn: str) -> None:
    """Nothing, where that execution holds the lock: what a function asks before it writes.

    Raises:
        ConflictError: Another execution holds it, or none.

    """
    require_holder(read_lock(s3, bucket)[0].to_json(), execution_arn)


@dataclass(frozen=True, slots=True)
class RunLock:
    """The lock of one environment.

    Attributes:
        s3: A boto3 S3 client.
        bucket: The artifacts bucket.
        is_running: Whether the execution of that ARN still runs, or may go on.

    """

    s3: Any
    bucket: str
    is_running: Callable[[str], bool]

    def _put(self, state: LockState, etag: str) -> bool:
        condition = {"IfMatch": etag} if etag else {"IfNoneMatch": "*"}
        try:
            self.s3.put_object(Bucket=self.bucket, Key=RUN_LOCK_KEY, Body=state.to_json(), **condition)
        except ClientError as error:
            if error.response["Error"]["Code"] in _PRECONDITION_FAILED:
                return False
            raise
        return True

    def take(self, execution_arn: str) -> str:
        """Who holds the lock now: `execution_arn` itself where it was free, or its holder's execution has ended.

        A holder that ended without releasing counts as a failed run: what it left undone must be seen as undone.

        Raises:
            ConflictError: Others changed the lock at each of a few attempts.

        """
        for _ in range(_ATTEMPTS):
            state, etag = read_lock(self.s3, self.bucket)
            if state.holder == execution_arn:
                return execution_arn  # Lambda was asked twice
            if state.holder:
                if self.is_running(state.holder):
                    return state.holder
                state = LockState(last_outcome=Outcome.FAILED, last_execution=state.holder)
            if self._put(replace(state, holder=execution_arn), etag):
                return execution_arn
        raise ConflictError("other runs changed the run lock at the same moment", hint="start the run again")

    def release(self, execution_arn: str, outcome: Outcome) -> None:
        """The lock is free and remembers the outcome; nothing changes where the execution does not hold it.

        Raises:
            ConflictError: Somebody changed the lock while it was held.

        """
        state, etag = read_lock(self.s3, self.bucket)
        if state.holder != execution_arn:
            return
        if not self._put(LockState(last_outcome=outcome, last_execution=execution_arn), etag):
            raise ConflictError("the run lock changed while it was being released", hint="release it again")

    def end_as_failed(
        self, execution_arn: str, failed: Mapping[str, str], *, told_at_redrive: int, redrive_count: int
    ) -> str:
        """The state to resume at, once the execution was redriven after its failure was told.

        Raises:
            RunFailed: The failure was told in this very drive: the lock is released and the execution ends here.
            ConflictError: Redriven, and another run holds the lock.

        """
        if redrive_count > told_at_redrive:
            holder = self.take(execution_arn)
            if holder != execution_arn:
                raise ConflictError(
                    f"{holder} is at work, and one run at a time is allowed",
                    hint="redrive this execution when it has ended",
                    holder=holder,
                )
            return failed["state"]
        self.release(execution_arn, Outcome.FAILED)
        raise RunFailed(
            f'the run failed at "{failed["state"]}": {failed["error"]}: {failed["cause"]}',
            hint="mend the cause, then redrive the execution: it goes on at that state",
            state=failed["state"],
        )
