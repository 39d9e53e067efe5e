"""Statements that the registry's verbs are made of; each runs in the caller's transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import msgspec
from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from copstats.errors import UsageError
from copstats.store import tables
from copstats.store.rows import Decision, FindingCount, NewSubmission, Provenance, Review, State, Submission


def new_values(new: NewSubmission, state: State, at: dt.datetime) -> dict[str, Any]:
    """Return the columns of a new submission's row."""
    decided = at if state == State.REJECTED else None
    columns = {name: getattr(new, name) for name in NewSubmission.__dataclass_fields__}
    return {**columns, "state": state, "received_at": at, "decided_at": decided}


def replace(
    connection: Connection,
    values: dict[str, Any],
    findings: Iterable[FindingCount],
    summary: str,
    provenance: Provenance | None = None,
) -> None:
    """Insert a submission and what came of its check in the place of a rejected one of the same id."""
    counts, summaries, submission = tables.finding_count, tables.check_summary, tables.submission
    for table in (counts, summaries, tables.provenance):
        connection.execute(delete(table).where(table.c.submission_id == values["id"]))
    connection.execute(delete(submission).where(submission.c.id == values["id"]))
    connection.execute(insert(submission).values(values))
    rows = [
        {"submission_id": values["id"], "rule": f.rule, "severity": f.severity, "count": f.count}
        for f in findings
    ]
    if rows:
        connection.execute(insert(counts), rows)
    if summary:
        connection.execute(insert(summaries).values(submission_id=values["id"], content=summary))
    if provenance is not None:
        content = msgspec.to_builtins(provenance)
        connection.execute(insert(tables.provenance).values(submission_id=values["id"], content=content))


def enter_decision(connection: Connection, decision: Decision) -> None:
    """Give a submission another state and note who decided it."""
    table = tables.submission
    connection.execute(
        update(table)
        .where(table.c.id == decision.submission_id)
        .values(state=decision.state, decided_at=decision.at)
    )
    connection.execute(
        insert(tables.decision).values(
            submission_id=decision.submission_id,
            state=decision.state,
            who=decision.who,
            reason=decision.reason,
            at=decision.at,
        )
    )


def find(connection: Connection, submission_id: str, *, lock: bool = False) -> Submission | None:
    """Return a submission, or None; with ``lock`` kept from others until the transaction ends."""
    query = select(tables.submission).where(tables.submission.c.id == submission_id)
    row = connection.execute(query.with_for_update() if lock else query).mappings().first()
    return submission_of(row) if row else None


def required(connection: Connection, submission_id: str) -> Submission:
    """Return a submission.

    Raises:
        UsageError: U009, no such submission.
    """
    found = find(connection, submission_id)
    if found is None:
        raise UsageError("U009", where=submission_id)
    return found


def locked_wave(connection: Connection, wave: str) -> dict[str, Submission]:
    """Return all versions of a wave by id, kept from others until the transaction ends."""
    table = tables.submission
    query = select(table).where(table.c.wave == wave).order_by(table.c.id).with_for_update()
    rows = connection.execute(query).mappings()
    return {row["id"]: submission_of(row) for row in rows}


def review_values(review: Review) -> dict[str, Any]:
    """Return the columns of a review's row."""
    return asdict(review) | {"indicators": list(review.indicators)}


def review_of(row: RowMapping) -> Review:
    """Return a row as its type."""
    return Review(**{**row, "indicators": tuple(row["indicators"])})


def find_review(connection: Connection, wave: str, values_hash: str) -> Review | None:
    """Return the review of some values of a wave, or None."""
    table = tables.review
    query = select(table).where(table.c.wave == wave, table.c.values_hash == values_hash)
    row = connection.execute(query.with_for_update()).mappings().first()
    return review_of(row) if row else None


def replace_review(connection: Connection, review: Review) -> None:
    """Write another state of a review."""
    table = tables.review
    where = (table.c.wave == review.wave, table.c.values_hash == review.values_hash)
    connection.execute(update(table).where(*where).values(review_values(review)))


def submission_of(row: RowMapping) -> Submission:
    """Return a row as its type."""
    return Submission(**{**row, "state": State(row["state"])})
