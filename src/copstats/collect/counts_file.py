"""Reads the counts of helplines, hotlines, police, schools and trainers; checks how they hang together."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import duckdb
import pyarrow as pa

from copstats.collect.package import DataSource
from copstats.collect.readers import SourceFile, read_file
from copstats.collect.told import UNFIT_TEXT, Check, as_text, faults, refuse_columns
from copstats.errors import SubmissionError, SubmissionErrors
from copstats.framework import Area, Framework
from copstats.framework.counts import FACTS, POPULATION, CountDefinitions, category_of, load_counts
from copstats.framework.official import AdministrativeManifest, Wide
from copstats.store.counts import COUNTS, relations
from copstats.store.engine import memory_connection

REQUIRED = ("variable", "period", "value")
OPTIONAL = ("area", "sex", "age", "category", "status", "deviation", "services", "largest", "second")
_SEXES = ("M", "F", "O", "_U", "_T")
_AGE = r"Y[0-9]{1,2}(T[0-9]{1,2})?|Y_(GE|LT)[0-9]{1,2}|_U|_T"
_PERIODS = {
    "period": "[0-9]{4}(-Q[1-4])?",
    "quarter": "[0-9]{4}(-Q[1-4])?",
    "calendar_year": "[0-9]{4}",
    "year": "[0-9]{4}",
    "school_year": "[0-9]{4}/[0-9]{4}",
}
_VARIABLE = pa.schema(
    {
        **dict.fromkeys(("variable", "periods"), pa.string()),
        **dict.fromkeys(("by_sex", "by_age"), pa.bool_()),
        **dict.fromkeys(("category", "pattern"), pa.string()),
        "codes": pa.list_(pa.string()),
        **dict.fromkeys(("is_fact", "is_population"), pa.bool_()),
    }
)

_CHECKS = (
    Check("S362", "periods IS NULL", "variable"),
    Check("S362", "NOT known_area", "area"),
    Check("S362", "periods IS NOT NULL AND NOT regexp_full_match(coalesce(period, ''), periods)", "period"),
    Check("S362", f"sex NOT IN {_SEXES} OR (sex <> '_T' AND NOT by_sex)", "sex"),
    Check("S362", f"NOT regexp_full_match(age, '{_AGE}') OR (age <> '_T' AND NOT by_age)", "age"),
    Check("S362", "periods IS NOT NULL AND NOT known_code", "category"),
    Check("S362", "status NOT IN ('final', 'provisional')", "status"),
    Check("S363", "number IS NULL OR (is_fact AND number > 1)", "value"),
    Check("S364", "copies > 1"),
    Check("S368", "NOT fits"),
    Check("S369", UNFIT_TEXT.format("deviation")),
    Check("S372", "TRY_CAST(left(period, 4) AS INTEGER) > reference_year"),
    Check("S373", "of_another"),
)


def read_counts(
    source: DataSource, manifest: AdministrativeManifest, framework: Framework, areas: Mapping[str, Area]
) -> pa.Table:
    """Read a file of counts.

    Args:
        source: one row a count with the columns of ``REQUIRED`` and, where needed, ``OPTIONAL``; or one row
            an area and one column a year, as the manifest says (``wide``).
        manifest: of the submission.
        framework: gives the variables.
        areas: by code.

    Returns:
        Schema ``COUNTS``. Years whose four quarters are there are added up; counts of many areas get the
        world's total, which alone holds those of no country.

    Raises:
        SubmissionErrors: codes S360 to S373; a column, a number of rows and the first of them.
    """
    file, wide = read_file(source, manifest.files.counts), manifest.files.counts.wide
    definitions = load_counts(framework.id)
    with memory_connection(threads=1) as connection:
        connection.register("given", _given(file, wide))
        connection.register("variable_facts", _variables(framework, definitions))
        connection.execute("CREATE TABLE area (code VARCHAR, country BOOLEAN)")
        connection.executemany("INSERT INTO area VALUES (?, ?)", _known_areas(manifest, areas))
        settings = {
            "ref_area": manifest.ref_area,
            "reference_year": manifest.reference_year,
            "separator": _separator(file.thousands),
            "submission": manifest.submission_id,
            "public": manifest.already_public is not None,
            "agreed": manifest.services_agree,
            "repeated": wide is not None and wide.repeated == "add",
        }
        connection.execute("CREATE TABLE setting AS SELECT * FROM (SELECT unnest(?))", [settings])
        connection.execute(_sql("told"))
        if found := faults(connection, _CHECKS, file.name):
            raise SubmissionErrors(found)
        counts = connection.sql(_sql("counts")).to_arrow_table()
        if found := _contradictions(connection, counts, definitions, file.name):
            raise SubmissionErrors(found)
    return counts.select(COUNTS.names).cast(COUNTS)


def _sql(name: str) -> str:
    return Path(__file__).with_name(f"{name}.sql").read_text("utf-8")


def _given(file: SourceFile, wide: Wide | None) -> pa.Table:
    """Return the file in its long form: all columns as text, and ``row``."""
    if wide is None:
        refuse_columns(file, REQUIRED, OPTIONAL)
        told = as_text(file)
    else:
        columns = (wide.area, *wide.years)
        if missing := [name for name in columns if name not in file.table.column_names]:
            raise SubmissionError("S360", where=file.name, columns=", ".join(missing))
        told = _long(as_text(file), wide)
    absent = [name for name in OPTIONAL if name not in told.column_names]
    for name in absent:
        told = told.append_column(name, pa.nulls(told.num_rows, pa.string()))
    return told.append_column("has_area", pa.array([("area" not in absent)] * told.num_rows, pa.bool_()))


def _long(table: pa.Table, wide: Wide) -> pa.Table:
    parts = [
        pa.table(
            {
                "row": table["row"],
                "area": table[wide.area],
                "variable": pa.array([wide.variable] * table.num_rows, pa.string()),
                "period": pa.array([year] * table.num_rows, pa.string()),
                "value": table[year],
            }
        )
        for year in wide.years
    ]
    long = pa.concat_tables(parts)
    return long.filter(pa.compute.is_valid(long["value"]))


def _variables(framework: Framework, definitions: CountDefinitions) -> pa.Table:
    rows = []
    for name, variable in framework.administrative.items():
        category = category_of(framework, definitions, name)
        known = definitions.categories[category] if category else None
        rows.append(
            {
                "variable": name,
                "periods": next(_PERIODS[b] for b in variable.breakdowns if b in _PERIODS),
                "by_sex": "sex" in variable.breakdowns,
                "by_age": bool({"age", "age_band"} & set(variable.breakdowns)),
                "category": category,
                "pattern": known.pattern if known else None,
                "codes": list(known.codes) if known else [],
                "is_fact": variable.type in FACTS,
                "is_population": variable.source == POPULATION,
            }
        )
    return pa.Table.from_pylist(rows, schema=_VARIABLE)


def _known_areas(manifest: AdministrativeManifest, areas: Mapping[str, Area]) -> list[tuple[str, bool]]:
    elsewhere = set(manifest.elsewhere) | {""}
    return [(code, code not in elsewhere) for code in sorted(areas.keys() | elsewhere)]


def _separator(thousands: str | None) -> str:
    """Return the pattern of what separates groups of three digits; one that nothing fits if there is none."""
    if thousands is None:
        return r"\A\z"
    return r"\s" if thousands == " " else re.escape(thousands)


def _contradictions(
    connection: duckdb.DuckDBPyConnection, counts: pa.Table, definitions: CountDefinitions, place: str
) -> list[SubmissionError]:
    """Return what is wrong with how the counts hang together; population figures are taken as they are."""
    sums = counts.filter(counts["adds_up"])
    connection.register("sums", sums.append_column("cell", pa.array(range(sums.num_rows), pa.int64())))
    connection.register("relation", relations(sums, definitions.whole_of))
    found = connection.sql(_sql("contradictions")).fetchall()
    return [
        SubmissionError(code, where=place, count=count, row=row, **({"kind": kind} if kind else {}))
        for code, kind, count, row in found
    ]
