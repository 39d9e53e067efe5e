"""Brings the data of a submission into framework variables: one table and one query for each record kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import duckdb
import pyarrow as pa

from copstats.collect.crosswalk import Feed, constant, copied, recoded
from copstats.collect.identifiers import Detector, Suspect, load_hints
from copstats.collect.national import RECORD_NO, TABLE, NationalColumns
from copstats.collect.readers import SourceHead, SourceStream, Trace, open_file
from copstats.collect.submission import RECORDS, Submission
from copstats.errors import SubmissionError, SubmissionErrors
from copstats.framework import Framework
from copstats.framework.definitions import RecordKind, Variable
from copstats.framework.manifest import DataFile, SurveyDesign
from copstats.framework.manifest import Mapping as Recoding

KEYS: Mapping[RecordKind, str] = {"child": "child_id", "parent": "parent_id"}
_GENERATED_KEY = Feed(f"CAST({RECORD_NO} AS VARCHAR)")


@dataclass(frozen=True)
class HarmonisedRecord:
    """What is known of one harmonised table.

    Attributes:
        rows: number of records.
        variables: framework variables that the table holds, in questionnaire order.
        source_columns: variable -> national column, or columns with commas between; a variable that is absent
            here was filled in from the manifest or generated.
        not_taken_over: national columns that nothing uses.
        source_file: path of the data file as the manifest writes it.
        sql: the query that made the table from the national columns.
        format: CSV, Excel, SPSS, Stata or Parquet.
        sheet: name of the sheet, for Excel.
        header_rows: rows of the file above its first record.
        positions: national column -> position in the file, from 1; in a sheet, 1 is column A.
        traces: what the file carries beside its table.
        suspects: national columns that may identify a person.
        sealed: whether the table came out of a sealed file.
    """

    rows: int
    variables: tuple[str, ...]
    source_columns: Mapping[str, str]
    not_taken_over: tuple[str, ...]
    source_file: str
    sql: str
    format: str = ""
    sheet: str | None = None
    header_rows: int = 0
    positions: Mapping[str, int] = field(default_factory=dict)
    traces: tuple[Trace, ...] = ()
    suspects: tuple[Suspect, ...] = ()
    sealed: bool = False


@dataclass(frozen=True)
class Harmonised:
    """The harmonised tables of a submission, which the connection holds by the name of the record kind."""

    records: Mapping[RecordKind, HarmonisedRecord]


def harmonise(
    submission: Submission, framework: Framework, connection: duckdb.DuckDBPyConnection
) -> Harmonised:
    """Read the data files and create the tables ``child`` and, if delivered, ``parent`` in the connection.

    Columns: ``record_no`` (1 for the first record of the file), the framework variables (codes and whole
    numbers INTEGER, numbers DOUBLE, texts and months VARCHAR), and, for each that a national column feeds,
    ``NAME__unread``: TRUE where the cell is not blank, but no recode names its value or it is not of the
    variable's type.

    A variable is filled from the crosswalk, else from the column that the manifest's design names, else from
    the column of its own name; keys are generated where the file has none.

    Raises:
        SubmissionErrors: a data file cannot be read, or columns that the manifest or the crosswalk name are
            not in it.
    """
    errors: list[SubmissionError] = []
    records: dict[RecordKind, HarmonisedRecord] = {}
    for record in RECORDS:
        if record not in submission.data_files:
            continue
        says: DataFile = getattr(submission.manifest.files, record)
        try:
            with open_file(submission.data_files[record], says) as stream:
                plan = _Plan(submission, framework, record, stream.head)
                errors += plan.errors
                if not errors:
                    records[record] = _create(plan, stream, connection)
        except SubmissionError as error:
            errors.append(error)
    if errors:
        raise SubmissionErrors(errors)
    return Harmonised(records)


class _Plan:
    """Decides, for each framework variable of a record kind, what fills it."""

    def __init__(
        self, submission: Submission, framework: Framework, record: RecordKind, file: SourceHead
    ) -> None:
        self.record = record
        self.file = file
        self.columns = NationalColumns(file)
        self.year = submission.manifest.fieldwork.start.year
        self.errors: list[SubmissionError] = []
        self._submission = submission
        self._mappings: dict[str, Recoding] = getattr(submission.crosswalk, record, {})
        self.feeds: dict[str, Feed] = {}
        for name, variable in framework.variables(record).items():
            feeds = self._series if variable.series else self._single
            self.feeds.update(feeds(name, variable))

    def _single(self, name: str, variable: Variable) -> Iterator[tuple[str, Feed]]:
        try:
            feed = self._given(name, variable) or self._filled_in(name, variable)
        except SubmissionError as error:
            self.errors.append(error)
            return
        if feed is not None:
            yield name, feed

    def _given(self, name: str, variable: Variable) -> Feed | None:
        """Return what the crosswalk, the design or a column of the same name gives."""
        if name in self._mappings:
            return self._recoded(name, variable)
        design = self._submission.manifest.design
        named = _design_columns(design, self.record)
        if name in named:
            return self._designed(name, variable, named[name])
        column = self.columns.lookup(name)
        if column is None and name == "weight_parent":
            column = self.columns.lookup(design.weight)
        return copied(variable, column, self.columns) if column is not None else None

    def _recoded(self, name: str, variable: Variable) -> Feed:
        document = self._submission.crosswalk_document
        where = document.where(self.record, name) if document is not None else ""
        return recoded(name, variable, self._mappings[name], self.columns, where)

    def _designed(self, name: str, variable: Variable, column: str | None) -> Feed | None:
        """Return what fills a design variable; ``column`` None: the design has no such stage."""
        if column is None:
            return constant(variable, "1") if name == "stratum" else _GENERATED_KEY
        if self.record == "parent" and self.columns.lookup(column) is None:
            # The check of the data tells that a required variable is absent.
            found = self.columns.lookup(name)
            return copied(variable, found, self.columns) if found is not None else None
        entry = "fpc" if name == "fpc_psu" else name
        where = self._submission.manifest_document.where("design", entry)
        return copied(variable, self.columns.find(column, where), self.columns)

    def _filled_in(self, name: str, variable: Variable) -> Feed | None:
        manifest = self._submission.manifest
        if name == KEYS[self.record]:
            return _GENERATED_KEY
        if name == "net_3m" and manifest.population.universe == "internet_users":
            return constant(variable, 1)
        known = {"country_iso3": manifest.ref_area, "survey_id": manifest.survey}
        return constant(variable, known[name]) if name in known else None

    def _series(self, name: str, variable: Variable) -> Iterator[tuple[str, Feed]]:
        """Yield NAME_001, NAME_002, ...: from the crosswalk, the manifest, or columns of these names."""
        replicates = self._submission.manifest.design.replicate_weights
        where = self._submission.manifest_document.where("design", "replicate_weights", "columns")
        if replicates is not None and self.record == "child":
            for number, column in enumerate(replicates.columns, start=1):
                try:
                    found = self.columns.find(column, where)
                except SubmissionError as error:
                    self.errors.append(error)
                else:
                    yield f"{name}_{number:03d}", copied(variable, found, self.columns)
            return
        for column in self.columns.matching(rf"{name}_[0-9]{{3}}"):
            yield column.lower(), copied(variable, column, self.columns)


def _design_columns(design: SurveyDesign, record: RecordKind) -> dict[str, str | None]:
    """Return design variable -> national column; None where the design says that there is none."""
    named = {"stratum": design.stratum, "psu": design.psu}
    if record == "child":
        named["weight"] = design.weight
        if design.fpc is not None:
            named["fpc_psu"] = design.fpc
    return named


def _create(plan: _Plan, stream: SourceStream, connection: duckdb.DuckDBPyConnection) -> HarmonisedRecord:
    """Create the table of a record kind in the connection, from chunks of the file."""
    sql = _query(plan)
    fed = _Fed(plan, stream)
    _run(f"CREATE TABLE {plan.record} AS\n{sql}", fed, connection, plan.file.name)
    used = {column for feed in plan.feeds.values() for column in feed.columns}
    return HarmonisedRecord(
        rows=fed.rows,
        variables=tuple(plan.feeds),
        source_columns={name: ", ".join(feed.columns) for name, feed in plan.feeds.items() if feed.filled},
        not_taken_over=tuple(column.name for column in plan.file.columns if column.name not in used),
        source_file=plan.file.name,
        sql=sql,
        format=plan.file.format,
        sheet=plan.file.sheet,
        header_rows=plan.file.header_rows,
        positions={column.name: column.position for column in plan.file.columns},
        traces=stream.traces,
        suspects=fed.detector.suspects(),
    )


class _Fed:
    """The columns in use, chunk by chunk, as one query reads them; the detector sees all columns.

    Attributes:
        rows: number of records so far.
        detector: has looked at them.
        error: what stopped the file; the engine would put it into words of its own.
    """

    def __init__(self, plan: _Plan, stream: SourceStream) -> None:
        self.rows = 0
        self.detector = Detector(plan.file.columns, load_hints(), fieldwork=plan.year)
        self.error: BaseException | None = None
        self._columns = plan.columns
        self._stream = stream

    def reader(self) -> pa.RecordBatchReader:
        """Return the stream of records, to be read once."""
        return pa.RecordBatchReader.from_batches(self._columns.schema, self._batches())

    def _batches(self) -> Iterator[pa.RecordBatch]:
        try:
            for chunk in self._stream.chunks():
                self.detector.look(chunk)
                yield from self._columns.table(chunk, first=self.rows + 1).to_batches()
                self.rows += chunk.num_rows
        except BaseException as error:
            self.error = error
            raise


def _run(sql: str, fed: _Fed, connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Create the table by one query: many that append would pack records anew each time, at a high cost."""
    connection.register(TABLE, fed.reader())
    try:
        connection.execute(sql)
    except duckdb.Error:
        # The message of the engine can quote a value.
        raise fed.error or SubmissionError("S165", where=name) from None
    finally:
        connection.unregister(TABLE)


def _query(plan: _Plan) -> str:
    """Return the query: national columns in the forms that are needed, recodes, flags."""
    values, results, flags = [RECORD_NO], [RECORD_NO], []
    for name, feed in plan.feeds.items():
        values.append(f"{feed.value} AS {name}")
        results.append(name)
        if feed.filled is not None:
            values.append(f"{feed.filled} AS {name}__filled")
            flags.append(f"{name}__filled AND {name} IS NULL AS {name}__unread")
    return (
        f"WITH source AS (\n  {plan.columns.step()}\n),\n"
        f"recoded AS (\n  SELECT\n    {_listed(values)}\n  FROM source\n)\n"
        f"SELECT\n    {_listed([*results, *flags])}\nFROM recoded"
    )


def _listed(columns: list[str]) -> str:
    return ",\n    ".join(columns)
