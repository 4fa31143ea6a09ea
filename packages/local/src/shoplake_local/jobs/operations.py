"""The operations of Glue that are not the catalogue's: jobs, their runs, tags."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shoplake_core.clock import Clock

from shoplake_local.glue.requests import already_exists, entity_not_found, next_token, page_size, token_key
from shoplake_local.jobs.documents import Documents
from shoplake_local.jobs.job_definitions import checked_job
from shoplake_local.jobs.job_runs import JobRuns
from shoplake_local.service import ServiceError

__all__ = ["JobOperations", "Operation", "TagOperations"]

Operation = Callable[[dict[str, Any]], dict[str, Any]]
_KIND = "Job"
_STAMPS = frozenset({"CreatedOn", "LastModifiedOn"})
_LARGEST_RUN_PAGE = 200


@dataclass(frozen=True, slots=True)
class TagOperations:
    """Tags of whatever has an ARN here.

    Attributes:
        documents: Where they are kept.
        prefix: `arn:aws:glue:<region>:<account>:`.
        kinds: Resource name in the ARN ("job") -> kind of its documents ("Job").

    """

    documents: Documents
    prefix: str
    kinds: Mapping[str, str]

    def operations(self) -> dict[str, Operation]:
        """By their names on AWS."""
        return {"TagResource": self._tag, "UntagResource": self._untag, "GetTags": self._get}

    def arn(self, resource: str, name: str) -> str:
        """The ARN of one."""
        return f"{self.prefix}{resource}/{name}"

    def put(self, arn: str, tags: Mapping[str, str]) -> None:
        """Keep exactly these tags."""
        self.documents.put("tags", arn, tags)

    def of(self, arn: str) -> dict[str, str]:
        """Its tags."""
        return self.documents.get("tags", arn) or {}

    def forget(self, arn: str) -> None:
        """Its tags go with it."""
        self.documents.delete("tags", arn)

    def _known(self, arn: str) -> str:
        resource, _, name = arn.removeprefix(self.prefix).partition("/")
        kind = self.kinds.get(resource)
        if not arn.startswith(self.prefix) or kind is None or self.documents.get(kind, name) is None:
            raise entity_not_found(f"{arn} not found.")
        return arn

    def _tag(self, parameters: dict[str, Any]) -> dict[str, Any]:
        with self.documents.transaction():
            arn = self._known(parameters["ResourceArn"])
            self.put(arn, self.of(arn) | parameters["TagsToAdd"])
        return {}

    def _untag(self, parameters: dict[str, Any]) -> dict[str, Any]:
        with self.documents.transaction():
            arn = self._known(parameters["ResourceArn"])
            gone = set(parameters["TagsToRemove"])
            self.put(arn, {name: value for name, value in self.of(arn).items() if name not in gone})
        return {}

    def _get(self, parameters: dict[str, Any]) -> dict[str, Any]:
        return {"Tags": self.of(self._known(parameters["ResourceArn"]))}


@dataclass(frozen=True, slots=True)
class JobOperations:
    """Jobs and their runs."""

    documents: Documents
    runs: JobRuns
    tags: TagOperations
    clock: Clock

    def operations(self) -> dict[str, Operation]:
        """By their names on AWS."""
        return {
            "CreateJob": self._create,
            "UpdateJob": self._update,
            "GetJob": self._get,
            "GetJobs": self._get_all,
            "ListJobs": self._list,
            "DeleteJob": self._delete,
            "StartJobRun": self._start_run,
            "GetJobRun": self._get_run,
            "GetJobRuns": self._get_runs,
            "BatchStopJobRun": self._stop_runs,
        }

    def _create(self, parameters: dict[str, Any]) -> dict[str, Any]:
        given = dict(parameters)
        tags = given.pop("Tags", {})
        job, now = checked_job("CreateJob", given), self.clock.now()
        with self.documents.transaction():
            earlier = self.documents.get(_KIND, job["Name"])
            if earlier is not None:
                if {name: value for name, value in earlier.items() if name not in _STAMPS} == job:
                    raise already_exists(f"Job {job['Name']} already exists.")
                raise ServiceError(
                    "IdempotentParameterMismatchException",
                    f"Job with name: {job['Name']} already submitted with different configuration.",
                )
            self.documents.put(_KIND, job["Name"], job | {"CreatedOn": now, "LastModifiedOn": now})
            self.tags.put(self.tags.arn("job", job["Name"]), tags)
        return {"Name": job["Name"]}

    def _update(self, parameters: dict[str, Any]) -> dict[str, Any]:
        name = parameters["JobName"]
        job = checked_job("UpdateJob", parameters["JobUpdate"])
        with self.documents.transaction():
            stamps = {"CreatedOn": self._job(name)["CreatedOn"], "LastModifiedOn": self.clock.now()}
            self.documents.put(_KIND, name, {"Name": name} | job | stamps)  # replaced, not merged, as AWS does
        return {"JobName": name}

    def _get(self, parameters: dict[str, Any]) -> dict[str, Any]:
        return {"Job": self._job(parameters["JobName"])}

    def _get_all(self, parameters: dict[str, Any]) -> dict[str, Any]:
        return _page(self.documents.all(_KIND), parameters, "Jobs", "Name")

    def _list(self, parameters: dict[str, Any]) -> dict[str, Any]:
        wanted = parameters.get("Tags", {}).items()
        jobs = [
            job
            for job in self.documents.all(_KIND)
            if wanted <= self.tags.of(self.tags.arn("job", job["Name"])).items()
        ]
        answer = _page(jobs, parameters, "JobNames", "Name")
        return answer | {"JobNames": [job["Name"] for job in answer["JobNames"]]}

    def _delete(self, parameters: dict[str, Any]) -> dict[str, Any]:
        name = parameters["JobName"]
        with self.documents.transaction():
            self.documents.delete(_KIND, name)  # one that is not there is no error on AWS
            self.tags.forget(self.tags.arn("job", name))
        return {"JobName": name}

    def _start_run(self, parameters: dict[str, Any]) -> dict[str, Any]:
        return {"JobRunId": self.runs.start(self._job(parameters["JobName"]), parameters)}

    def _get_run(self, parameters: dict[str, Any]) -> dict[str, Any]:
        run = self.runs.get(parameters["JobName"], parameters["RunId"])
        if run is None:
            raise entity_not_found(f"Job run {parameters['RunId']} of {parameters['JobName']} not found.")
        return {"JobRun": run}

    def _get_runs(self, parameters: dict[str, Any]) -> dict[str, Any]:
        self._job(parameters["JobName"])
        size, after = page_size(parameters, _LARGEST_RUN_PAGE), token_key(parameters)
        runs = self.runs.all(parameters["JobName"])
        ids = [run["Id"] for run in runs]
        begin = ids.index(after) + 1 if after in ids else 0
        answer: dict[str, Any] = {"JobRuns": runs[begin : begin + size]}
        if begin + size < len(runs):
            answer["NextToken"] = next_token(ids[begin + size - 1])
        return answer

    def _stop_runs(self, parameters: dict[str, Any]) -> dict[str, Any]:
        name = parameters["JobName"]
        stopped, errors = [], []
        for run_id in parameters["JobRunIds"]:
            code = self.runs.stop(name, run_id)
            this = {"JobName": name, "JobRunId": run_id}
            if code:
                detail = {"ErrorCode": code, "ErrorMessage": f"{run_id} is no run of {name} that is under way"}
                errors.append(this | {"ErrorDetail": detail})
            else:
                stopped.append(this)
        return {"SuccessfulSubmissions": stopped, "Errors": errors}

    def _job(self, name: str) -> dict[str, Any]:
        job = self.documents.get(_KIND, name)
        if job is None:
            raise entity_not_found(f"Job {name} not found.")
        return job


def _page(items: list[dict[str, Any]], parameters: Mapping[str, Any], member: str, key: str) -> dict[str, Any]:
    size, after = page_size(parameters), token_key(parameters)
    left = [item for item in items if item[key] > after]
    answer: dict[str, Any] = {member: left[:size]}
    if len(left) > size:
        answer["NextToken"] = next_token(left[size - 1][key])
    return answer
