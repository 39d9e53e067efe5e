"""Records of two versions of a wave, side by side: the groups that each is in, and its answers."""

# ruff: noqa: S608 - names in the SQL are those of the framework

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from copstats.analyse.cells import Measure
from copstats.analyse.domains import (
    NO_DOMAIN,
    Disaggregation,
    axes_of,
    levels_sql,
    number_sql,
    text_dimensions,
)
from copstats.analyse.plan import Tables, plan, source_of
from copstats.analyse.records import Floats, Integers, Truths
from copstats.analyse.replicates import is_replicate_weight
from copstats.analyse.sql import indented, render
from copstats.framework.loader import Framework, ParsedIndicator
from copstats.framework.manifest import SurveyManifest

_KEYS: Mapping[str, tuple[str, ...]] = {
    "child": ("child_id",),
    "parent": ("parent_id", "child_id"),
    "dyad": ("child_id", "parent_id"),
}
_DESIGN = {"weight", "weight_parent", "stratum", "psu", "fpc_psu"}


@dataclass(frozen=True)
class Version:
    """One version of a wave.

    Attributes:
        child: harmonised child records, as sealed.
        parent: harmonised parent records, or None.
        manifest: of the version.
    """

    child: pa.Table
    parent: pa.Table | None
    manifest: SurveyManifest

    def source(self, kind: str) -> pa.Table | None:
        """Return the records of ``child`` or ``parent``."""
        return self.child if kind == "child" else self.parent


@dataclass(frozen=True)
class States:
    """Records of one version; -1 and False stand for a record that is not there.

    Attributes:
        domains: position of the disaggregation -> number of each record's domain in it, or ``NO_DOMAIN``.
        valid: measure -> whether the record has a valid answer.
        value: measure -> the answer; 1 is yes.
    """

    domains: Sequence[Integers]
    valid: Mapping[str, Truths]
    value: Mapping[str, Floats]


@dataclass(frozen=True)
class Pairs:
    """Records of one kind of which something differs between two versions, and how they are compared.

    Attributes:
        before: earlier version.
        after: later version, in the same order of records.
        proportions: measure -> whether its answers are yes or no.
        members: measure that compares a combined indicator with a member -> the two codes.
        disaggregations: the tables, in the order of ``States.domains``.
        numbers: domains that have records in either version.
    """

    before: States
    after: States
    proportions: Mapping[str, bool]
    members: Mapping[str, tuple[str, str]]
    disaggregations: Sequence[Disaggregation]
    numbers: Sequence[int]


def pairs_of(
    connection: duckdb.DuckDBPyConnection, kind: str, before: Version, after: Version, framework: Framework
) -> Pairs | None:
    """Pair the records of two versions; None if no indicator of this kind can be estimated from both.

    Records are the same if key and content are, else if the content is, else if the key is. Weights and
    places in the design are no content.

    Args:
        connection: in memory.
        kind: ``child``, ``parent`` or ``dyad``.
        before: earlier version.
        after: later version.
        framework: that both follow.
    """
    sides = {"earlier": _Side(before, kind, framework), "later": _Side(after, kind, framework)}
    earlier, later = sides.values()
    codes = [code for code in earlier.plan.indicators if code in later.plan.indicators]
    if not codes:
        return None
    for name, side in sides.items():
        side.register(connection, name)
    texts = _levels(connection, kind, sides, framework)
    tables = list(
        dict.fromkeys(d for s in (earlier, later) for d in s.plan.disaggregations(framework, texts))
    )
    members = _members(codes, framework.indicators)
    content = sorted(earlier.content & later.content)
    for name, side in sides.items():
        own = side.plan.disaggregations(framework, texts)
        sql = _states_sql(
            side, codes, members, [table if table in own else None for table in tables], content
        )
        side.load(connection, name)
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {name}_states AS {sql}")
    proportions = {m.name: m.proportion for m in later.measures if m.name in codes}
    proportions |= dict.fromkeys(members, True)
    found = connection.sql(render("paired")).to_arrow_table()
    states = [
        _gathered(
            connection.table(f"{name}_states").order("position").to_arrow_table(), rows, proportions, tables
        )
        for name, rows in zip(sides, (found["before"].to_numpy(), found["after"].to_numpy()), strict=True)
    ]
    numbers = {int(n) for one in states for domain in one.domains for n in np.unique(domain)} - {NO_DOMAIN}
    return Pairs(*_differing(*states), proportions, members, tables, sorted(numbers))


class _Side:
    """One version as the records of one kind are read from it."""

    def __init__(self, version: Version, kind: str, framework: Framework) -> None:
        self.kind = kind
        self.sources = {
            name: table for name in ("child", "parent") if (table := version.source(name)) is not None
        }
        self.columns = {
            name: _columns(name, table.column_names, framework) for name, table in self.sources.items()
        }
        self.tables = Tables(self.columns["child"], self.columns.get("parent"))
        self.plan = plan(kind, self.tables, version.manifest, framework)

    @property
    def measures(self) -> list[Measure]:
        """Return all indicators as SQL."""
        return [*self.plan.measures, *self.plan.medians]

    @property
    def content(self) -> set[str]:
        """Return the columns that say what a record is, besides its key."""
        columns = (self.tables.of(self.kind) or frozenset()) - _DESIGN - set(_KEYS[self.kind])
        return {name for name in columns if not is_replicate_weight(name)}

    def register(self, connection: duckdb.DuckDBPyConnection, prefix: str) -> None:
        """Hand the records to a connection as ``PREFIX_child`` and ``PREFIX_parent``."""
        for name, table in self.sources.items():
            connection.register(f"{prefix}_{name}", table)

    def load(self, connection: duckdb.DuckDBPyConnection, prefix: str) -> None:
        """Make of them the tables that the plan reads."""
        for name, columns in self.columns.items():
            chosen = ", ".join(sorted(columns))
            connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT {chosen} FROM {prefix}_{name}")


def _columns(record: str, names: Sequence[str], framework: Framework) -> frozenset[str]:
    """Return the columns that are compared: design, keys, answers and dimensions, but no other text."""
    variables = framework.variables(record)
    keep = _DESIGN | {"child_id", "parent_id"} | {d.variable for d in framework.head.dimensions.values()}
    return frozenset(
        name
        for name in names
        if name in keep or (name in variables and variables[name].type not in ("string", "month"))
    )


def _levels(
    connection: duckdb.DuckDBPyConnection, kind: str, sides: Mapping[str, _Side], framework: Framework
) -> dict[str, list[str]]:
    """Make tables of the levels of text dimensions, the same for both versions; return variable -> codes."""
    out = {}
    source = source_of(kind)
    present = frozenset().union(*(side.plan.present for side in sides.values()))
    for name in text_dimensions(framework, kind, present):
        both = [
            f"SELECT {name} FROM {p}_{source}" for p, s in sides.items() if name in s.columns.get(source, ())
        ]
        if both:
            connection.execute(levels_sql(name, f"({' UNION ALL '.join(both)})"))
            found = connection.table(f"{name}_levels").order("level").to_arrow_table()
            out[name] = found["code"].to_pylist()
    return out


def _members(codes: Sequence[str], indicators: Mapping[str, ParsedIndicator]) -> dict[str, tuple[str, str]]:
    """Return the pairs of a combined indicator and one of its members, by the name of their measure."""
    return {
        f"{code}__{member.definition.code}": (code, member.definition.code)
        for code in codes
        for member in indicators[code].members
        if member.definition.code in codes
    }


def _states_sql(
    side: _Side,
    codes: Sequence[str],
    members: Mapping[str, tuple[str, str]],
    tables: Sequence[Disaggregation | None],
    content: Sequence[str],
) -> str:
    axes = axes_of([table for table in tables if table is not None])
    keys = [name for name in _KEYS[side.kind] if name in (side.tables.of(side.kind) or ())]
    answers = [f"{axis.level} AS {axis.column}" for axis in axes]
    answers += [f"({m.value})::DOUBLE AS y_{m.name}" for m in side.measures if m.name in codes]
    answers += [f"abs(y_{whole} - y_{member}) AS y_{name}" for name, (whole, member) in members.items()]
    numbers = [
        "NULL::BIGINT" if table is None else number_sql(which, [axis.column for axis in table.axes])
        for which, table in enumerate(tables)
    ]
    return render(
        "states",
        wave=side.plan.wave,
        skips="".join(f",\n    {sql} AS {name}" for name, sql in side.plan.skips.items()),
        key=" || '|' || ".join(f"{name}::VARCHAR" for name in keys) or "NULL::VARCHAR",
        content=", ".join(content),
        answers=indented(answers),
        numbers=indented(
            [
                *(f"({sql})::BIGINT AS domain_{which}" for which, sql in enumerate(numbers)),
                *(f"y_{name}" for name in (*codes, *members)),
            ],
            2,
        ),
    )


def _gathered(
    table: pa.Table, rows: Integers, measures: Iterable[str], tables: Sequence[Disaggregation]
) -> States:
    """Return the states of the given rows; -1 is a record that is not there."""
    there = rows >= 0

    def taken(name: str, missing: float) -> npt.NDArray[Any]:
        values = np.append(table[name].fill_null(missing).to_numpy(), missing)
        return values[rows].astype(values.dtype)

    domains = [taken(f"domain_{which}", NO_DOMAIN).astype(np.int64) for which in range(len(tables))]
    value = {name: taken(f"y_{name}", np.nan) for name in measures}
    return States(domains, {name: there & ~np.isnan(y) for name, y in value.items()}, value)


def _differing(before: States, after: States) -> tuple[States, States]:
    """Keep the records of which a group or an answer differs: all others count nowhere."""
    differs = np.zeros(len(before.domains[0]), bool)
    for one, other in zip(before.domains, after.domains, strict=True):
        differs |= one != other
    for name, valid in before.valid.items():
        differs |= valid != after.valid[name]
        differs |= valid & after.valid[name] & (before.value[name] != after.value[name])
    return _kept(before, differs), _kept(after, differs)


def _kept(states: States, rows: Truths) -> States:
    return States(
        [domain[rows] for domain in states.domains],
        {name: valid[rows] for name, valid in states.valid.items()},
        {name: value[rows] for name, value in states.value.items()},
    )
