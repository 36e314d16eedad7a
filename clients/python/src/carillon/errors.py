"""What the client raises."""

from __future__ import annotations

from typing import Any, List, Mapping, Optional

from .models import BatchItem


class CarillonError(Exception):
    """What every error of this package is."""

    #: Whether the call may have been done although it failed: its answer was lost, or the server does not
    #: know. Look, or send the same again under the same id or operation.
    outcome_unknown: bool = False
    #: Of create_tasks and cancel_tasks: the results of the parts that were answered before this error.
    results: List[BatchItem]

    def __init__(self, message: str, outcome_unknown: bool = False) -> None:
        super().__init__(message)
        self.outcome_unknown = outcome_unknown
        self.results = []


class ProblemError(CarillonError):
    """The server refused: an RFC 9457 problem. `title` and `detail` are for people."""

    def __init__(
        self, problem: Mapping[str, Any], retry_after: Optional[float] = None, outcome_unknown: bool = False
    ) -> None:
        #: All members; `state`, `attempt` and `at` say more where a task was in the way.
        self.problem = problem
        #: As the server says it: `/problems/task_exists`.
        self.type: str = problem["type"]
        #: The last part of the type, as the table of problems has it: `task_exists`.
        self.slug: str = slug_of(self.type)
        self.status: int = problem["status"]
        self.title: str = problem["title"]
        self.detail: Optional[str] = problem.get("detail")
        #: The field or parameter at fault.
        self.field: Optional[str] = problem.get("field")
        #: Seconds after which the server wants to be asked again.
        self.retry_after = retry_after
        super().__init__(f"{self.status} {self.slug}: {self.detail or self.title}", outcome_unknown)


class NotFoundError(ProblemError):
    """404: never there, or finished and forgotten."""


class ConflictError(ProblemError):
    """409: another task has the id, or it is being pushed, or finished."""


class NoAnswerError(CarillonError):
    """No answer came: no connection, a broken one, or the time was up. `__cause__` says which."""


class SignatureError(CarillonError):
    """A push that was not signed with one of your secrets, or not of late: answer 400 and do nothing."""


def slug_of(type: str) -> str:
    return type.rsplit("/", 1)[-1]


def problem_error(problem: Mapping[str, Any], **more: Any) -> ProblemError:
    return {404: NotFoundError, 409: ConflictError}.get(problem["status"], ProblemError)(problem, **more)
