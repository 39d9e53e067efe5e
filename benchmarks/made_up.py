"""Made-up records of the framework's own variables, with errors, for the benchmarks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import duckdb
import msgspec
import numpy as np
import pyarrow as pa

from copstats.framework import Framework
from copstats.framework.definitions import RecordKind, Variable
from copstats.framework.manifest import SurveyManifest

MODULES = ("access", "use", "skills", "content", "contact", "conduct", "contract", "cross_cutting")
"""With the modules that every submission covers: 59 columns."""
SEED = 20260401
ERRORS = 0.003
"""Share of the cells that hold an error."""
_DEEPEST = 4
"""No question stands behind more filters."""


RARE = {("net_freq", 3)}
"""Answers that contradict others; chance would draw them too often."""


@dataclass(frozen=True)
class Held:
    rows: int
    variables: tuple[str, ...]
    source_columns: Mapping[str, str]
    not_taken_over: Collection[str] = ()
    source_file: str = "child.csv"
    suspects: tuple[()] = ()
    traces: tuple[()] = ()
    sealed: bool = False


@dataclass(frozen=True)
class Submission:
    records: Mapping[RecordKind, Held]


def chosen(framework: Framework) -> dict[str, Variable]:
    return {
        name: variable
        for module in framework.modules.values()
        if module.record == "child" and (module.always or module.module in MODULES)
        for name, variable in module.variables.items()
        if not variable.series
    }


def manifest(framework: Framework, file: str = "child.csv") -> SurveyManifest:
    said = {
        "kind": "survey",
        "framework": framework.id,
        "ref_area": "XAA",
        "survey": "BENCH",
        "reference_year": 2026,
        "version": 1,
        "title": {"en": "Made up"},
        "fieldwork": {"start": "2026-01-01", "end": "2026-03-01"},
        "population": {
            "ages": {"min": 9, "max": 17},
            "universe": "all_children",
            "setting": "household",
            "coverage": "national",
        },
        "design": {"weight": "weight", "stratum": "stratum", "psu": "psu"},
        "sampling": "probability_documented",
        "mode": "mixed",
        "modules": list(MODULES),
        "ethics": {"review": "none", "consent": "parent_and_child"},
        "dissemination": {"consent": True},
        "files": {"child": {"path": file}},
        "contact": {"organisation": "Nobody"},
    }
    return msgspec.convert(said, SurveyManifest)


def fill(connection: duckdb.DuckDBPyConnection, framework: Framework, records: int) -> Submission:
    """Put a table ``child`` as harmonising leaves it into the connection."""
    variables = chosen(framework)
    random = np.random.default_rng(SEED)
    clean = {name: _clean(framework, name, variable, records, random) for name, variable in variables.items()}
    connection.register("drawn", pa.table({"record_no": np.arange(1, records + 1), **clean}))
    skipped = [
        f"CASE WHEN {universe.text} THEN {name} ELSE -7 END AS {name}"
        for (record, name), universe in framework.universes.items()
        if record == "child" and name in variables
    ]
    source = "drawn"
    for _ in range(_DEEPEST):
        source = f"(SELECT * REPLACE ({', '.join(skipped)}) FROM {source})"
    spoilt, unread = _errors(variables, records, random)
    connection.register("spoilt", spoilt)
    columns = ", ".join(
        f"CASE WHEN {name}__kind = 0 THEN {name} ELSE {name}__error END AS {name}" for name in variables
    )
    flags = ", ".join(f"{name}__kind = 4 AS {name}__unread" for name in unread)
    connection.execute(
        f"CREATE TABLE child AS SELECT record_no, {columns}, {flags} FROM {source} POSITIONAL JOIN spoilt"
    )
    for view in ("drawn", "spoilt"):
        connection.unregister(view)
    names = tuple(variables)
    return Submission({"child": Held(records, names, {name: name.upper() for name in names})})


def _clean(
    framework: Framework, name: str, variable: Variable, records: int, random: np.random.Generator
) -> pa.Array:
    number = np.arange(records)
    if variable.type == "code":
        possible = [code for code in framework.codes(variable) if code >= 0 and (name, code) not in RARE]
        codes = np.array(possible, dtype=np.int32)
        return pa.array(codes[random.integers(len(codes), size=records)])
    if name == "weight":
        return pa.array(random.lognormal(6, 0.4, records))
    if variable.type == "integer":
        low, high = {"age": (9, 17), "net_age1": (4, 8), "fpc_psu": (500, 500)}.get(name, (1, 2))
        return pa.array(random.integers(low, high + 1, records).astype(np.int32))
    texts = {
        "country_iso3": np.full(records, "XAA"),
        "survey_id": np.full(records, "BENCH"),
        "int_lang": np.full(records, "en"),
        "int_ym": np.full(records, f"{dt.date(2026, 2, 1):%Y-%m}"),
        "stratum": np.char.add("S", (number * 20 // records).astype(str)),
        "psu": np.char.add("P", (number * 400 // records).astype(str)),
    }
    return pa.array(texts.get(name, np.char.add(name[0].upper(), number.astype(str))))


def _errors(
    variables: Mapping[str, Variable], records: int, random: np.random.Generator
) -> tuple[pa.Table, list[str]]:
    """Return for every variable what is wrong with each cell (0: nothing) and what stands there instead."""
    columns: dict[str, pa.Array] = {}
    for name, variable in variables.items():
        kind = np.where(random.random(records) < ERRORS, random.integers(1, 5, records), 0).astype(np.int8)
        columns[f"{name}__kind"] = pa.array(kind)
        odd = ("?", "?") if variable.type in ("string", "month") else (99, -7)
        kinds = {"string": pa.string(), "month": pa.string(), "number": pa.float64()}
        values = pa.array([None, None, *odd, None], kinds.get(variable.type, pa.int32()))
        columns[f"{name}__error"] = values.take(pa.array(kind))
    return pa.table(columns), list(variables)
