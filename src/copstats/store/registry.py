"""The registry: which submissions came, what was found, who decided what, which releases were made.

SQLite in the home by default (write-ahead log, every commit forced to disk: some milliseconds each);
PostgreSQL by URL where several machines work. Rows go in and out through verbs; microdata never enter.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterable
from pathlib import Path

import msgspec
from sqlalchemy import insert, select
from sqlalchemy.schema import CreateIndex, CreateTable

from copstats.errors import ReleaseError, UsageError
from copstats.store import portal_tables, statements, tables
from copstats.store.database import Database
from copstats.store.rows import (
    Decision,
    EstimateRun,
    FindingCount,
    NewSubmission,
    Provenance,
    Release,
    Review,
    State,
    Submission,
)


class Registry:
    """Verbs on the registry. Each is one transaction: done and on disk when it returns, or not at all.

    All raise Retriable (T002) while the database is locked or out of reach, UsageError (U006) if it is
    damaged.
    """

    def __init__(self, url: str) -> None:
        """Connect to a database and create the tables that it lacks.

        Args:
            url: SQLAlchemy URL, for example ``postgresql+psycopg://copstats@db.example.org/copstats``.
        """
        self._database = Database(url)
        with self._database.writing() as connection:
            for table in portal_tables.metadata.sorted_tables:
                connection.execute(CreateTable(table, if_not_exists=True))
                for index in sorted(table.indexes, key=lambda index: str(index.name)):
                    connection.execute(CreateIndex(index, if_not_exists=True))

    @classmethod
    def sqlite(cls, path: Path) -> Registry:
        """Open or create the registry in one file of mode 0600."""
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        return cls(f"sqlite:///{path.as_posix()}")

    @property
    def database(self) -> Database:
        """Where the tables are, for verbs that others keep: those of the portal."""
        return self._database

    def register(
        self,
        new: NewSubmission,
        state: State,
        findings: Iterable[FindingCount] = (),
        *,
        summary: str = "",
        provenance: Provenance | None = None,
        at: dt.datetime | None = None,
    ) -> Submission:
        """Enter a checked submission.

        The same content again changes nothing and gives the row as it stands, so an interrupted run can be
        repeated. A rejected submission is replaced: an office corrects its files and sends the same version
        again.

        Args:
            new: the submission.
            state: ``REJECTED`` or ``WAITING``; other states are decisions.
            findings: counts by rule and severity.
            summary: of the check, without small counts; the next round is held against it.
            provenance: how its records were protected on their way.
            at: time of receipt; now by default.

        Raises:
            UsageError: U007, the id belongs to other content; U008, ``state`` is a decision.
        """
        if state not in (State.REJECTED, State.WAITING):
            raise UsageError("U008", where=new.id, state=state)
        with self._database.writing() as connection:
            present = statements.find(connection, new.id, lock=True)
            if (known := _same_content(present, new.content_hash)) and known.state != State.REJECTED:
                return known
            values = statements.new_values(new, state, at or _now())
            statements.replace(connection, values, findings, summary, provenance)
            return statements.required(connection, new.id)

    def known(self, submission_id: str, content_hash: str) -> Submission | None:
        """Return the submission if exactly this content came before; None if it may be taken in.

        To be asked before anything is sealed, so that a version which was received is never overwritten.

        Raises:
            UsageError: U007, the id belongs to other content, and that was not rejected.
        """
        with self._database.reading() as connection:
            return _same_content(statements.find(connection, submission_id), content_hash)

    def decide(
        self, submission_id: str, state: State, *, who: str, reason: str = "", at: dt.datetime | None = None
    ) -> Submission:
        """Accept or decline a waiting submission.

        Accepting makes it the present version of its wave; the version accepted before becomes
        ``SUPERSEDED``. A decision that was taken already changes nothing.

        Args:
            submission_id: which one.
            state: ``ACCEPTED`` or ``DECLINED``.
            who: who decided: an account, or the setting that did.
            reason: for the file, in words; without data of persons.
            at: time of the decision; now by default.

        Raises:
            UsageError: U008 not a decision; U009 no such submission; U010 it is not waiting; U011 a newer
                version of the wave is accepted.
        """
        if state not in (State.ACCEPTED, State.DECLINED):
            raise UsageError("U008", where=submission_id, state=state)
        moment = at or _now()
        with self._database.writing() as connection:
            versions = statements.locked_wave(connection, statements.required(connection, submission_id).wave)
            present = versions.pop(submission_id)
            if present.state == state:
                return present
            if present.state != State.WAITING:
                raise UsageError("U010", where=submission_id, state=present.state)
            if state == State.ACCEPTED:
                for other in (v for v in versions.values() if v.state == State.ACCEPTED):
                    if other.version > present.version:
                        raise UsageError("U011", where=submission_id, newer=other.id)
                    note = Decision(other.id, State.SUPERSEDED, who, f"accepted {submission_id}", moment)
                    statements.enter_decision(connection, note)
            statements.enter_decision(connection, Decision(submission_id, state, who, reason, moment))
            return statements.required(connection, submission_id)

    def withdraw(
        self, submission_id: str, *, who: str, reason: str, at: dt.datetime | None = None
    ) -> Submission:
        """Note that a submission was taken back; doing so again changes nothing.

        Raises:
            UsageError: U009, no such submission.
        """
        with self._database.writing() as connection:
            present = statements.required(connection, submission_id)
            if present.state == State.WITHDRAWN:
                return present
            moment = at or _now()
            statements.enter_decision(
                connection, Decision(submission_id, State.WITHDRAWN, who, reason, moment)
            )
            return statements.required(connection, submission_id)

    def record_estimates(
        self, submission_id: str, fingerprint: str, *, at: dt.datetime | None = None
    ) -> None:
        """Note that a submission was estimated.

        Raises:
            UsageError: U009, no such submission.
        """
        row = {"submission_id": submission_id, "fingerprint": fingerprint, "at": at or _now()}
        with self._database.writing() as connection:
            statements.required(connection, submission_id)
            connection.execute(insert(tables.estimate_run).values(row))

    def record_release(
        self, label: str, fingerprint: str, manifest_sha256: str, *, at: dt.datetime | None = None
    ) -> None:
        """Note a published release; the same again changes nothing.

        Raises:
            ReleaseError: R090, another release has this label.
        """
        with self._database.writing() as connection:
            present = (
                connection.execute(select(tables.release).where(tables.release.c.label == label))
                .mappings()
                .first()
            )
            if present is None:
                row = {"label": label, "fingerprint": fingerprint, "manifest_sha256": manifest_sha256}
                connection.execute(insert(tables.release).values(**row, at=at or _now()))
            elif present["manifest_sha256"] != manifest_sha256:
                raise ReleaseError("R090", label=label)

    def get(self, submission_id: str) -> Submission:
        """Return a submission.

        Raises:
            UsageError: U009, no such submission.
        """
        with self._database.reading() as connection:
            return statements.required(connection, submission_id)

    def find(self, submission_id: str) -> Submission | None:
        """Return a submission, or None."""
        with self._database.reading() as connection:
            return statements.find(connection, submission_id)

    def by_hash(self, content_hash: str) -> Submission | None:
        """Return the latest submission of exactly this content, or None."""
        table = tables.submission
        query = (
            select(table)
            .where(table.c.content_hash == content_hash)
            .order_by(table.c.received_at.desc())
            .limit(1)
        )
        with self._database.reading() as connection:
            row = connection.execute(query).mappings().first()
            return statements.submission_of(row) if row else None

    def submissions(self, state: State | None = None) -> list[Submission]:
        """Return the submissions (of one state), by id."""
        query = select(tables.submission).order_by(tables.submission.c.id)
        if state is not None:
            query = query.where(tables.submission.c.state == state)
        with self._database.reading() as connection:
            return [statements.submission_of(row) for row in connection.execute(query).mappings()]

    def newer_version(self, wave: str, version: int) -> str | None:
        """Return the newest version of a wave after this one that was not rejected, or None."""
        newer = [
            one.id
            for one in self.submissions()
            if one.wave == wave and one.version > version and one.state != State.REJECTED
        ]
        return newer[-1] if newer else None

    def current_waves(self, kind: str = "survey") -> list[Submission]:
        """Return the accepted submissions of a kind, by id: one a wave, since accepting supersedes."""
        return [submission for submission in self.submissions(State.ACCEPTED) if submission.kind == kind]

    def findings(self, submission_id: str) -> list[FindingCount]:
        """Return the finding counts of a submission, by rule and severity."""
        table = tables.finding_count
        query = (
            select(table.c.rule, table.c.severity, table.c.count)
            .where(table.c.submission_id == submission_id)
            .order_by(table.c.rule, table.c.severity)
        )
        with self._database.reading() as connection:
            return [FindingCount(**row) for row in connection.execute(query).mappings()]

    def check_summary(self, submission_id: str) -> str | None:
        """Return the summary of a submission's check, or None."""
        table = tables.check_summary
        query = select(table.c.content).where(table.c.submission_id == submission_id)
        with self._database.reading() as connection:
            return connection.execute(query).scalar()

    def provenance(self, submission_id: str) -> Provenance | None:
        """Return how a submission's records were protected, or None where that was not noted."""
        table = tables.provenance
        query = select(table.c.content).where(table.c.submission_id == submission_id)
        with self._database.reading() as connection:
            content = connection.execute(query).scalar()
        return None if content is None else msgspec.convert(content, Provenance)

    def decisions(self, submission_id: str) -> list[Decision]:
        """Return the decisions on a submission, oldest first."""
        table = tables.decision
        query = select(table).where(table.c.submission_id == submission_id).order_by(table.c.number)
        with self._database.reading() as connection:
            rows = connection.execute(query).mappings()
            return [
                Decision(row["submission_id"], State(row["state"]), row["who"], row["reason"], row["at"])
                for row in rows
            ]

    def estimate_runs(self, submission_id: str) -> list[EstimateRun]:
        """Return the estimations of a submission, oldest first."""
        table = tables.estimate_run
        query = select(table).where(table.c.submission_id == submission_id).order_by(table.c.number)
        with self._database.reading() as connection:
            rows = connection.execute(query).mappings()
            return [EstimateRun(row["submission_id"], row["fingerprint"], row["at"]) for row in rows]

    def open_review(self, review: Review) -> Review:
        """Enter a review; one of the same wave and values stays as it is. Returns what is kept."""
        with self._database.writing() as connection:
            present = statements.find_review(connection, review.wave, review.values_hash)
            if present is None:
                connection.execute(insert(tables.review).values(statements.review_values(review)))
            return present or review

    def answer_review(self, review: Review) -> None:
        """Keep what a country answered in the place of what it answered before."""
        with self._database.writing() as connection:
            statements.replace_review(connection, review)

    def reviews(self, label: str | None = None) -> list[Review]:
        """Return the reviews (of the release that values were first prepared for), by wave and time."""
        table = tables.review
        query = select(table).order_by(table.c.wave, table.c.opened_at)
        if label is not None:
            query = query.where(table.c.label == label)
        with self._database.reading() as connection:
            return [statements.review_of(row) for row in connection.execute(query).mappings()]

    def releases(self) -> list[Release]:
        """Return the releases, by label."""
        query = select(tables.release).order_by(tables.release.c.label)
        with self._database.reading() as connection:
            return [Release(**row) for row in connection.execute(query).mappings()]


def _same_content(present: Submission | None, content_hash: str) -> Submission | None:
    if present is None or present.content_hash == content_hash:
        return present
    if present.state == State.REJECTED:
        return None
    raise UsageError("U007", where=present.id, next=present.version + 1)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
