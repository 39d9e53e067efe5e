"""Errors that stop a step, and the one catalogue of their texts.

A finding in the data is not an error: it is a row of a check's result. An error is raised where work cannot
go on. Every error has a code; its title, cause and remedy stand in ``messages/*.yaml``, where documentation
and translations read them too. Parameters name files, columns and counts, never the value of a cell.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

EXIT_DONE = 0
EXIT_DATA = 1
EXIT_USAGE = 2
EXIT_FAULT = 3
EXIT_RETRY = 4

_STATUS_BY_FAMILY = {
    "U": EXIT_USAGE,
    "D": EXIT_USAGE,
    "S": EXIT_USAGE,
    "E": EXIT_USAGE,
    "R": EXIT_USAGE,
    "P": EXIT_USAGE,
    "T": EXIT_RETRY,
}


@cache
def error_catalogue() -> dict[str, dict[str, str]]:
    """Return code -> {title, why, hint}, merged from ``messages/errors/*.yaml``.

    Raises:
        ValueError: if two files define the same code.
    """
    import yaml

    merged: dict[str, dict[str, str]] = {}
    for path in sorted((Path(__file__).parent / "messages" / "errors").glob("*.yaml")):
        entries = yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader) or {}
        if doubled := merged.keys() & entries.keys():
            raise ValueError(f"{path.name}: error codes defined twice: {sorted(doubled)}")
        merged.update(entries)
    return merged


class CopstatsError(Exception):
    """Base of all errors of copstats.

    Attributes:
        code: key of the catalogue, for example ``S102``.
        where: file, line, sheet or column, as the reader knows it.
        params: values of the placeholders in the texts (names and counts only).
    """

    exit_status = EXIT_FAULT

    def __init__(self, code: str, *, where: str = "", **params: str | int | float) -> None:
        self.code = code
        self.where = where
        self.params = params
        super().__init__(code, where)

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.code, self.where, self.params))

    def _text(self, part: str) -> str:
        return error_catalogue()[self.code][part].format_map(self.params)

    @property
    def title(self) -> str:
        """What is wrong, in one sentence."""
        return self._text("title")

    @property
    def why(self) -> str:
        """Why it matters."""
        return self._text("why")

    @property
    def hint(self) -> str:
        """How to put it right."""
        return self._text("hint")

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"[{self.code}] {place}{self.title}"

    def as_dict(self) -> dict[str, str]:
        """Return the error as it is printed with ``--json``."""
        return {
            "code": self.code,
            "where": self.where,
            "title": self.title,
            "why": self.why,
            "hint": self.hint,
        }


def _rebuild(kind: type[CopstatsError], code: str, where: str, params: dict[str, Any]) -> CopstatsError:
    return kind(code, where=where, **params)


class UsageError(CopstatsError):
    """The call names something that does not exist or is not in the right state (codes ``U...``)."""

    exit_status = EXIT_USAGE


class DefinitionError(CopstatsError):
    """A file of ``schemas/`` or ``indicators/`` is wrong: for the maintainer (codes ``D...``)."""

    exit_status = EXIT_USAGE


class SubmissionError(CopstatsError):
    """A submission cannot be read or does not say what it must: for the NSO (codes ``S...``)."""

    exit_status = EXIT_USAGE


class SubmissionErrors(SubmissionError):
    """Several things prevent reading a submission; each is told (code ``S000``)."""

    def __init__(self, errors: list[SubmissionError]) -> None:
        super().__init__("S000", count=len(errors))
        self.errors = errors

    def __reduce__(self) -> tuple[Any, ...]:
        return (SubmissionErrors, (self.errors,))


class SubmissionRejected(CopstatsError):
    """The data fell short: the report of the check says where (code ``S001``).

    Attributes:
        report: the check's result; it holds counts and places, never values.
    """

    exit_status = EXIT_DATA

    def __init__(self, report: Any, *, where: str = "", **params: str | int | float) -> None:
        super().__init__("S001", where=where, **params)
        self.report = report


class ConfidentialityError(CopstatsError):
    """An invariant of confidentiality broke: stop, never retry (codes ``C...``)."""

    exit_status = EXIT_FAULT


class EstimationError(CopstatsError):
    """A design cannot support the estimate that was asked for (codes ``E...``)."""

    exit_status = EXIT_USAGE


class ReleaseError(CopstatsError):
    """A release cannot be made or changed (codes ``R...``)."""

    exit_status = EXIT_USAGE


class PortalError(CopstatsError):
    """A request to the portal, or its settings, cannot be served (codes ``P...``).

    Attributes:
        status: of the HTTP answer.
    """

    exit_status = EXIT_USAGE

    def __init__(self, code: str, *, status: int = 400, where: str = "", **params: str | int | float) -> None:
        super().__init__(code, where=where, **params)
        self.status = status

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.code, self.where, {**self.params, "status": self.status}))


class FlowStopped(CopstatsError):
    """A flow ended early; ``reason`` is the code of the error that stopped it (code ``F001``)."""

    @property
    def exit_status(self) -> int:  # type: ignore[override]
        """The status that the error behind it has."""
        return _STATUS_BY_FAMILY.get(str(self.params["reason"])[0], EXIT_FAULT)


class Retriable(CopstatsError):
    """A lock or storage that may be free a moment later: what flows retry (codes ``T...``)."""

    exit_status = EXIT_RETRY
