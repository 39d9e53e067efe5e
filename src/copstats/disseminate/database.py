"""Writes the analysts' database: tables, views and macros, each with its comment."""

from __future__ import annotations

import hashlib
import os
import pickle
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from copstats.disseminate.tables import dictionary
from copstats.errors import ConfidentialityError, ReleaseError
from copstats.store.engine import LONGEST_TEXT, building_connection
from copstats.store.schemas import DIMENSIONS

NAME = "copstats.duckdb"


def write_database(path: Path, tables: Mapping[str, pa.Table], bands: Sequence[str], **words: str) -> None:
    """Write the database, twice, and keep it only if both have the same bytes.

    DuckDB leaves parts of its blocks as they lay in memory. So each build runs in a process of its own that
    gets nothing but the tables: what lies in its memory is published anyway. Bytes that still differ would be
    bytes that nobody wrote.

    Args:
        path: of the new file.
        tables: name -> rows in their final order; the names of ``tables.yaml``.
        bands: codes of the framework's age bands.
        **words: for the README view: ``label``, ``framework``.

    Raises:
        ReleaseError: R023 a text is too long to be kept reproducibly; R026 a build ended early.
        ConfidentialityError: C102, the two differ.
    """
    _refuse_long_texts(tables)
    again = path.with_name(f"again-{path.name}")
    try:
        for place in (path, again):
            _build_apart(place, tables, bands, words)
        if _digest(path) != _digest(again):
            path.unlink()
            raise ConfidentialityError("C102", where=path.name)
    finally:
        again.unlink(missing_ok=True)


def _build_apart(
    place: Path, tables: Mapping[str, pa.Table], bands: Sequence[str], words: Mapping[str, str]
) -> None:
    """Run :func:`build` in a process whose memory is filled with one byte wherever glibc hands it out."""
    job = pickle.dumps(
        (place, {name: tables[name] for name in dictionary().tables}, list(bands), dict(words))
    )
    environment = os.environ | {"MALLOC_PERTURB_": "165", "GLIBC_TUNABLES": "glibc.malloc.perturb=165"}
    done = subprocess.run(
        [sys.executable, "-m", __name__], input=job, env=environment, capture_output=True, check=False
    )
    if done.returncode != 0:
        place.unlink(missing_ok=True)
        raise ReleaseError("R026", where=place.name, status=done.returncode)


def build(
    place: Path, tables: Mapping[str, pa.Table], bands: Sequence[str], words: Mapping[str, str]
) -> None:
    """Write the database once, in this process; see :func:`write_database`."""
    with building_connection(place) as connection:
        _fill(connection, tables)
        _define(connection, bands, words)
        _comment(connection)


def _digest(path: Path) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()


def _refuse_long_texts(tables: Mapping[str, pa.Table]) -> None:
    for name, table in tables.items():
        for column, field in zip(table.columns, table.schema, strict=True):
            if (
                pa.types.is_string(field.type)
                and (pc.max(pc.binary_length(column)).as_py() or 0) > LONGEST_TEXT
            ):
                raise ReleaseError("R023", where=f"{name}.{field.name}", table=name, limit=LONGEST_TEXT)


def _fill(connection: duckdb.DuckDBPyConnection, tables: Mapping[str, pa.Table]) -> None:
    for name in dictionary().tables:
        connection.register("rows_of_table", tables[name])
        connection.execute(f"CREATE TABLE {name} AS SELECT * FROM rows_of_table")  # noqa: S608
        connection.unregister("rows_of_table")


def _define(connection: duckdb.DuckDBPyConnection, bands: Sequence[str], words: Mapping[str, str]) -> None:
    text = Template(Path(__file__).with_name("views.sql").read_text("utf-8"))
    connection.execute(
        text.substitute(
            dimensions=", ".join(f"v.{name}" for name in DIMENSIONS),
            crossed=", ".join(f"CASE WHEN v.{name} <> '_T' THEN '{name}' END" for name in DIMENSIONS),
            v_total=" AND ".join(f"v.{name} = '_T'" for name in DIMENSIONS),
            band_codes=", ".join(f"'{code}'" for code in bands),
            **words,
        )
    )


def _comment(connection: duckdb.DuckDBPyConnection) -> None:
    known = dictionary()
    for kind, described in (("TABLE", known.tables), ("VIEW", known.views)):
        for name, entry in described.items():
            connection.execute(f"COMMENT ON {kind} {name} IS {_quoted(entry.comment)}")
            columns = connection.execute(f"DESCRIBE {name}").fetchall()
            for column, *_ in columns:
                text = _quoted(known.column(name, column))
                connection.execute(f'COMMENT ON COLUMN {name}."{column}" IS {text}')
    for name, text in known.macros.items():
        connection.execute(f"COMMENT ON MACRO TABLE {name} IS {_quoted(text)}")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


if __name__ == "__main__":
    build(*pickle.load(sys.stdin.buffer))  # noqa: S301 - from the parent process alone
