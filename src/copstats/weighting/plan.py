"""Reads ``weighting.yaml`` and says on which line it fails."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from copstats.collect.documents import Document
from copstats.errors import SubmissionError, SubmissionErrors
from copstats.framework.weighting_plan import Reading, WeightingPlan

_CODES = {"S105": "S180", "S106": "S181", "S107": "S182"}
"""Codes of a manifest's errors -> those that speak of a plan."""


@dataclass(frozen=True)
class Plan:
    """A plan of weighting and the file that it was read from.

    Attributes:
        path: the file.
        says: its entries.
        document: knows the line of every entry.
    """

    path: Path
    says: WeightingPlan
    document: Document

    def where(self, *keys: str | int) -> str:
        """Return ``file:line`` of an entry, or of the nearest entry above it."""
        return self.document.where(*keys)


def read_plan(path: Path) -> Plan:
    """Read a plan.

    Raises:
        SubmissionError: S103, S104, S108, it is not readable.
        SubmissionErrors: S126, S180 to S184, all entries that cannot be used, each with its line.
    """
    document = Document(path.name, path.read_bytes())
    if faults := [_of_plan(error) for error in document.errors("weighting")]:
        raise SubmissionErrors(faults)
    try:
        plan = Plan(path, msgspec.convert(document.data, WeightingPlan), document)
    except msgspec.ValidationError as problem:
        # Only what JSON cannot express, such as a number used as a key.
        raise SubmissionError("S182", where=path.name, key=path.name, expected=str(problem)) from None
    if faults := list(_contradictions(plan)):
        raise SubmissionErrors(faults)
    return plan


def _of_plan(error: SubmissionError) -> SubmissionError:
    return SubmissionError(_CODES[error.code], where=error.where, **error.params)


def _contradictions(plan: Plan) -> Iterator[SubmissionError]:
    says = plan.says
    if not says.keys:
        yield SubmissionError("S180", where=plan.where("key"), key="key")
    for number, table in enumerate(says.margins):
        if not table.columns:
            where = plan.where("margins", number, "columns")
            yield SubmissionError("S180", where=where, key=f"margins.{number}.columns")
    if says.classes and says.respondent is None:
        yield SubmissionError("S183", where=plan.where("classes"), key="classes", other="respondent")
    for entry in ("method", "bounds"):
        if plan.document.get(entry) is not None and not says.calibrated:
            yield SubmissionError("S183", where=plan.where(entry), key=entry, other="margins")
    for place, reading in _readings(says):
        if reading.encoding is not None and not _is_encoding(reading.encoding):
            where = plan.where(*place, "encoding")
            yield SubmissionError("S126", where=where, encoding=reading.encoding)
    alone = len(says.margins) == 1 and not says.totals and says.bounds is None
    if says.calibrated and says.method == "post_stratification" and not alone:
        yield SubmissionError("S184", where=plan.where("method"))


def _readings(says: WeightingPlan) -> Iterator[tuple[tuple[str | int, ...], Reading]]:
    """Yield how each file is to be read, with the keys that lead there."""
    yield ("file",), says.file
    for number, table in enumerate(says.margins):
        yield ("margins", number, "read"), table.read


def _is_encoding(name: str) -> bool:
    try:
        "".encode(name)
    except (LookupError, ValueError):
        return False
    return True
