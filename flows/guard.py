"""What Prefect may hear of a failure: a code and a class name, nothing that could quote data.

Prefect writes the text of an exception into five tables and a pickle. A task therefore fails with
`StepFailed`, raised outside the handler so that no chained exception travels along.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

from prefect import Flow
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import FlowRun, State, TaskRun
from prefect.tasks import Task

from copstats import steps
from copstats.errors import CopstatsError, Retriable, SubmissionErrors

P = ParamSpec("P")
R = TypeVar("R")

NOT_KEPT = {"persist_result": False, "cache_policy": NO_CACHE, "log_prints": False}
"""Options of every task: nothing is persisted or cached by Prefect."""


class StepFailed(Exception):
    """A step failed; ``str()`` is the code of the error, or the class of an internal fault."""

    def __init__(self, code: str, retriable: bool = False) -> None:
        self.retriable = retriable
        super().__init__(code, retriable)

    def __str__(self) -> str:
        return str(self.args[0])


def guarded(step: Callable[P, R]) -> Callable[P, R]:
    """Let only the code of an error out of a step."""

    @functools.wraps(step)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return step(*args, **kwargs)
        except CopstatsError as error:
            failure = StepFailed(_codes(error), isinstance(error, Retriable))
        except Exception as fault:
            failure = StepFailed(type(fault).__name__)
        raise failure

    return run


def _codes(error: CopstatsError) -> str:
    gathered = error.errors if isinstance(error, SubmissionErrors) else [error]
    return "+".join(sorted({one.code for one in gathered}))


def outcome(state: State) -> str:
    """Return the result of a step, or ``failed CODE``."""
    result = state.result(raise_on_failure=False)
    return f"failed {result}" if isinstance(result, Exception) else str(result)


async def if_retriable(task: Task[..., object], run: TaskRun, state: State) -> bool:
    """Retry only what may succeed a moment later: a lock or storage."""
    try:
        await state.aresult()  # type: ignore[attr-defined]
    except StepFailed as failure:
        return failure.retriable
    except Exception:
        return False
    return False


def told_of_failure(flow: Flow[..., object], run: FlowRun, state: State) -> None:
    """Give the team a notice of a flow that failed: its name and the code of the error."""
    reason = state.result(raise_on_failure=False)
    code = str(reason) if isinstance(reason, StepFailed) else type(reason).__name__
    steps.tell(Path(str(run.parameters["home"])), "flow.failed", flow.name, code=code)
