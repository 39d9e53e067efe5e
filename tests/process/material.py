"""A small framework, its submissions and their faults, for the tests of process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import numpy as np
import pyarrow as pa
import yaml

from copstats.framework import Framework, load_framework
from copstats.framework.manifest import Crosswalk, SurveyManifest
from copstats.project import project_root
from copstats.store.engine import memory_connection

VERSION = "small-2026"

FRAMEWORK = """
id: small-2026
version: 1.0.0
title: Small
notice: For tests
missing:
  -1: {label: Not asked, definition: Not asked}
  -7: {label: Not applicable, definition: Skipped}
  -8: {label: Does not know, definition: Does not know}
  -9: {label: Refused, definition: Refused}
ages: {minimum: 9, maximum: 17, accepted_minimum: 5, accepted_maximum: 24, bands: []}
dimensions: {}
disaggregations: {total: []}
standard_disaggregations: [total]
"""
CODELISTS = """
CL_YESNO: {title: Yes or no, codes: {0: {label: no}, 1: {label: yes}}}
CL_SEX: {title: Sex, codes: {1: {label: male}, 2: {label: female}, 3: {label: other}}}
"""
CHILD = """
module: core
title: Core
record: child
always: true
variables:
  country_iso3: {label: Country, type: string, role: identifier, status: core, privacy: keep,
                 pattern: '[A-Z]{3}'}
  child_id: {label: Key, type: string, role: identifier, status: required, privacy: pseudonymise}
  hh_id: {label: Household, type: string, role: identifier, status: optional, privacy: pseudonymise}
  stratum: {label: Stratum, type: string, role: design, status: required, privacy: pseudonymise}
  psu: {label: PSU, type: string, role: design, status: required, privacy: pseudonymise}
  weight: {label: Weight, type: number, role: design, status: required, privacy: keep}
  repw: {label: Replicates, type: number, role: design, status: optional, privacy: keep, minimum: 0,
         series: true}
  fpc_psu: {label: PSUs, type: integer, role: design, status: optional, privacy: keep, minimum: 1}
  age: {label: Age, type: integer, role: dimension, status: required, privacy: keep}
  sex: {label: Sex, type: code, role: dimension, status: required, privacy: keep, codelist: CL_SEX}
  int_ym: {label: Month, type: month, role: paradata, status: core, privacy: coarsen,
           coarsen: {to: quarter}}
  int_lang: {label: Language, type: string, role: paradata, status: core, privacy: drop,
             pattern: '^[a-z]{2}$'}
"""
ONLINE = """
module: online
title: Online
record: child
variables:
  net_3m: {label: Online, type: code, status: core, privacy: keep, codelist: CL_YESNO}
  net_age1: {label: First age, type: integer, status: core, privacy: keep, minimum: 0, maximum: 17,
             universe: net_3m = 1}
  score: {label: Score, type: number, status: core, privacy: keep, minimum: 0, maximum: 10}
  share: {label: Share, type: number, role: paradata, status: optional, privacy: keep, minimum: 0}
  contact: {label: Contact, type: code, status: core, privacy: keep, codelist: CL_YESNO, universe: net_3m = 1}
  met: {label: Met, type: code, status: core, privacy: keep, tier: B, codelist: CL_YESNO,
        universe: contact = 1}
  ask: {label: Asked, type: code, status: core, privacy: keep, tier: B, codelist: CL_YESNO,
        universe: net_3m = 1 AND age >= 12, minimum_age: 12}
  told: {label: Told, type: code, status: optional, privacy: keep, codelist: CL_YESNO, universe: ask = 1}
"""
PARENT = """
module: parent
title: Parent
record: parent
always: true
variables:
  parent_id: {label: Key, type: string, role: identifier, status: required, privacy: pseudonymise}
  child_id: {label: Child, type: string, role: identifier, status: required, privacy: pseudonymise}
  stratum: {label: Stratum, type: string, role: design, status: required, privacy: pseudonymise}
  psu: {label: PSU, type: string, role: design, status: required, privacy: pseudonymise}
  weight_parent: {label: Weight, type: number, role: design, status: required, privacy: keep}
  p_sex: {label: Sex, type: code, status: core, privacy: keep, codelist: CL_SEX}
  p_talk: {label: Talks, type: code, status: core, privacy: keep, codelist: CL_YESNO, skipped_elsewhere: true}
"""
HAND_RULES = """
first_use:
  record: child
  level: 1
  severity: error
  variable: net_age1
  violation: net_age1 > age
  message: {what: "{count} children first went online later than now.", why: One is wrong., fix: Check both.}
met_or_told:
  record: child
  level: 1
  severity: warning
  variable: contact
  violation: contact = 0 AND (met = 1 OR net_age1 = 17)
  message: {what: "{count} odd answers.", why: Odd., fix: Check.}
"""
MANIFEST: dict[str, Any] = {
    "kind": "survey",
    "framework": VERSION,
    "ref_area": "KEN",
    "survey": "COPS",
    "reference_year": 2026,
    "version": 1,
    "title": {"en": "A survey"},
    "fieldwork": {"start": "2026-01-01", "end": "2026-03-01"},
    "population": {
        "ages": {"min": 9, "max": 17},
        "universe": "all_children",
        "setting": "household",
        "coverage": "national",
    },
    "design": {"weight": "w", "stratum": "s", "psu": "p"},
    "sampling": "probability_documented",
    "mode": "mixed",
    "modules": ["online"],
    "ethics": {"review": "none", "consent": "parent_and_child"},
    "dissemination": {"consent": True},
    "files": {"child": {"path": "child.csv"}},
    "contact": {"organisation": "An office"},
}


def small_framework(folder: Path) -> Framework:
    """Write and load the small framework; rule classes are those of the real one."""
    base = folder / "schemas" / VERSION
    (base / "variables").mkdir(parents=True, exist_ok=True)
    (folder / "indicators").mkdir(exist_ok=True)
    book = yaml.safe_load((project_root() / "schemas" / "cop-2026" / "rules.yaml").read_text("utf-8"))
    rules = {"classes": book["classes"], "rules": yaml.safe_load(HAND_RULES)}
    texts = {
        "framework.yaml": FRAMEWORK,
        "codelists.yaml": CODELISTS,
        "variables/child.yaml": CHILD,
        "variables/online.yaml": ONLINE,
        "variables/parent.yaml": PARENT,
        "rules.yaml": yaml.safe_dump(rules, sort_keys=False),
        "administrative.yaml": "{}",
        "policy.yaml": "{}",
    }
    for name, text in texts.items():
        (base / name).write_text(text, "utf-8")
    return load_framework(VERSION, folder)


def manifest(**changes: Any) -> SurveyManifest:
    return msgspec.convert(MANIFEST | changes, SurveyManifest)


def crosswalk(**child: Any) -> Crosswalk:
    return msgspec.convert({"framework": VERSION, "child": child}, Crosswalk)


@dataclass(frozen=True)
class Record:
    rows: int
    variables: tuple[str, ...]
    source_columns: Mapping[str, str]
    not_taken_over: tuple[str, ...] = ()
    source_file: str = "child.csv"
    suspects: tuple[Any, ...] = ()
    sealed: bool = False
    traces: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Submission:
    """Harmonised tables in a connection, as collecting leaves them."""

    connection: duckdb.DuckDBPyConnection = field(default_factory=memory_connection)
    records: dict[str, Record] = field(default_factory=dict)

    def add(
        self,
        framework: Framework,
        record: str,
        rows: Sequence[Mapping[str, Any]],
        *,
        unread: Mapping[str, Sequence[int]] | None = None,
        filled: Sequence[str] = (),
        not_taken_over: tuple[str, ...] = (),
        columns: Sequence[str] | None = None,
    ) -> Submission:
        """Add a table; ``unread`` names record numbers whose cell could not be read."""
        names = list(columns if columns is not None else rows[0])
        known = framework.variables(record)
        arrays: dict[str, pa.Array] = {"record_no": pa.array(range(1, len(rows) + 1), pa.int64())}
        for name in names:
            kind = known[name].type if name in known else "number"
            values = [row[name] for row in rows]
            flags = [number in (unread or {}).get(name, ()) for number in range(1, len(rows) + 1)]
            cells = [None if flag else value for flag, value in zip(flags, values, strict=True)]
            arrays[name] = pa.array(cells, _ARROW[kind])
            if name not in filled:
                arrays[f"{name}__unread"] = pa.array(flags, pa.bool_())
        self.connection.register(f"{record}_source", pa.table(arrays))
        self.connection.execute(f"CREATE TABLE {record} AS FROM {record}_source")
        self.connection.unregister(f"{record}_source")
        source = {name: f"NAT_{name.upper()}" for name in names if name not in filled}
        self.records[record] = Record(len(rows), tuple(names), source, not_taken_over, f"{record}.csv")
        return self


_ARROW = {
    "code": pa.int32(),
    "integer": pa.int32(),
    "number": pa.float64(),
    "string": pa.string(),
    "month": pa.string(),
}


def clean_child(number: int, random: np.random.Generator) -> dict[str, Any]:
    """One child's record that breaks no rule."""
    age, online = int(random.integers(9, 18)), int(random.random() < 0.8)
    contact = int(random.integers(0, 2)) if online else -7
    met = int(random.integers(0, 2)) if contact == 1 else -7
    ask = int(random.integers(0, 2)) if online and age >= 12 else -7
    return {
        "country_iso3": "KEN",
        "child_id": f"K{number:05d}",
        "hh_id": f"H{number // 2:05d}",
        "stratum": f"S{number % 3}",
        "psu": f"P{number % 12}",
        "weight": float(random.uniform(10, 100)),
        "repw_001": float(random.uniform(0, 100)),
        "repw_002": float(random.uniform(0, 100)),
        "fpc_psu": 40,
        "age": age,
        "sex": int(random.integers(1, 4)),
        "int_ym": "2026-02",
        "int_lang": "sw",
        "net_3m": online,
        "net_age1": int(random.integers(3, 9)) if online else -7,
        "score": float(random.uniform(0, 10)),
        "share": float(random.uniform(0, 1)),
        "contact": contact,
        "met": met,
        "ask": ask,
        "told": int(random.integers(0, 2)) if ask == 1 else -7,
    }


def clean_parent(number: int, random: np.random.Generator) -> dict[str, Any]:
    return {
        "parent_id": f"G{number:05d}",
        "child_id": f"K{number:05d}",
        "stratum": f"S{number % 3}",
        "psu": f"P{number % 12}",
        "weight_parent": float(random.uniform(10, 100)),
        "p_sex": int(random.integers(1, 4)),
        "p_talk": int(random.choice([0, 1, -7])),
    }


NUMBERS = (None, -9, -8, -7, -1, 0, 1, 2, 7, 12, 17, 18, 24, 25, 99)
REALS = (None, -9.0, -7.0, 0.0, 1.0, 10.0, 10.5, float("nan"), float("inf"), float("-inf"), 1e300)
TEXTS = (
    None,
    "",
    "KEN",
    "UGA",
    "ken",
    "K00001",
    "K00002",
    "S0",
    "P1",
    "2026-02",
    "2026-13",
    "sw",
    "sw\n",
    "é",
)


def faults(framework: Framework, record: str, name: str) -> tuple[Any, ...]:
    """Values that a faulty cell may hold."""
    known = framework.variables(record)
    kind = known[name].type if name in known else "number"
    return {"code": NUMBERS, "integer": NUMBERS, "number": REALS}.get(kind, TEXTS)


def spoil(
    framework: Framework, record: str, rows: list[dict[str, Any]], random: np.random.Generator, share: float
) -> dict[str, list[int]]:
    """Put faults into a share of the cells; return the cells that shall count as unread."""
    unread: dict[str, list[int]] = {}
    for number, row in enumerate(rows, start=1):
        for name in row:
            if random.random() < share:
                pool = faults(framework, record, name)
                row[name] = pool[int(random.integers(len(pool)))]
                if random.random() < 0.2:
                    unread.setdefault(name, []).append(number)
    return unread
