"""The records of a sealed file, which the office has brought into framework variables already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

import duckdb
import msgspec
import pyarrow as pa

from copstats.collect.harmonise import Harmonised, HarmonisedRecord
from copstats.collect.national import RECORD_NO
from copstats.errors import SubmissionError
from copstats.framework import Framework
from copstats.framework.definitions import RecordKind
from copstats.framework.manifest import Crosswalk, SurveyManifest

_HANDED_OVER = "records_received"


@dataclass(frozen=True)
class Received:
    """A submission that arrived sealed.

    Attributes:
        manifest: what the survey says of itself.
        crosswalk: how the office brought its columns into framework variables, if it had to.
        content_hash: of the files that stay in the country.
        tables: record kind -> framework columns, pseudonymised.
    """

    manifest: SurveyManifest
    crosswalk: Crosswalk | None
    content_hash: str
    tables: Mapping[str, pa.Table] = field(repr=False)

    @property
    def id(self) -> str:
        """Identifier after IHSN, for example ``KEN_2026_COPS_v01_M``."""
        return self.manifest.submission_id

    @property
    def wave(self) -> str:
        """Identifier of the survey round, for example ``KEN_2026_COPS``."""
        return self.manifest.wave


def documents(
    manifest: Mapping[str, Any], crosswalk: Mapping[str, Any] | None, where: str
) -> tuple[SurveyManifest, Crosswalk | None]:
    """Return the manifest and the crosswalk that a sealed file carries, typed.

    Raises:
        SubmissionError: S315, they are not what an office's copstats writes.
    """
    try:
        return (
            msgspec.convert(manifest, SurveyManifest, str_keys=True),
            None if crosswalk is None else msgspec.convert(crosswalk, Crosswalk, str_keys=True),
        )
    except msgspec.ValidationError:
        raise SubmissionError("S315", where=where) from None


def refuse_foreign_columns(tables: Mapping[str, pa.Table], framework: Framework, where: str) -> None:
    """Refuse records of which the framework does not know a kind, a column or a column's type.

    Raises:
        SubmissionError: S316.
    """
    for kind, table in tables.items():
        known = framework.variables(kind) if kind in get_args(RecordKind) else {}
        for column in table.schema:
            variable = known.get(column.name) or known.get(column.name.rpartition("_")[0])
            if variable is None or variable.privacy == "drop" or not _fits(variable.type, column.type):
                raise SubmissionError("S316", where=where)


def _fits(kind: str, held: pa.DataType) -> bool:
    wanted = {"code": pa.types.is_integer, "integer": pa.types.is_integer, "number": pa.types.is_floating}
    return bool(wanted.get(kind, pa.types.is_string)(held))


def hold(received: Received, connection: duckdb.DuckDBPyConnection) -> Harmonised:
    """Create the tables ``child`` and, if sent, ``parent`` in the connection, as `harmonise` does.

    Record numbers are those of the sealed file, which stand in no relation to the office's. Every column was
    filled and read at the office, so no cell counts as unread.
    """
    records: dict[RecordKind, HarmonisedRecord] = {}
    kinds: tuple[RecordKind, ...] = ("child", "parent")
    for kind in kinds:
        if kind not in received.tables:
            continue
        table = received.tables[kind]
        connection.register(_HANDED_OVER, table)
        unread = ", ".join(f"FALSE AS {name}__unread" for name in table.column_names)
        connection.execute(
            f"CREATE TABLE {kind} AS "  # noqa: S608 - names of the framework, see `refuse_foreign_columns`
            f"SELECT row_number() OVER () AS {RECORD_NO}, *, {unread} FROM {_HANDED_OVER}"
        )
        connection.unregister(_HANDED_OVER)
        records[kind] = HarmonisedRecord(
            rows=table.num_rows,
            variables=tuple(table.column_names),
            source_columns={name: name for name in table.column_names},
            not_taken_over=(),
            source_file=kind,
            sql="",
            format="Parquet",
            sealed=True,
        )
    return Harmonised(records)
