"""What lies around a submission, and the rules that hold the submission against it (ESS levels 2 to 5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from copstats.framework import Framework
from copstats.framework import manifest as says
from copstats.framework.definitions import RecordKind
from copstats.process.compiled import Judged
from copstats.process.external import EXTERNAL_FAR, judge_external
from copstats.process.figures import figures_of
from copstats.process.judging import undecided
from copstats.process.peers import FAR, judge_peers
from copstats.process.population import STRUCTURE, TOTAL, judge_population
from copstats.process.previous import ROUND, VERSION, judge_round, judge_version
from copstats.process.records import RecordTable
from copstats.process.summary import Summary


@dataclass(frozen=True)
class Surroundings:
    """What is at hand beside a submission; what is not is None, and its rules are told as not supported.

    Attributes:
        previous: summary of the previous round of the same survey.
        previous_version: summary of the version of the same round that was delivered before.
        population: reference population, see `copstats.process.population.POPULATION`.
        own_estimates: estimates of the submission, see `copstats.process.peers.judge_peers`.
        other_estimates: estimates of other countries.
        external: values of other organisations, see `copstats.process.external.EXTERNAL`.
    """

    previous: Summary | None = None
    previous_version: Summary | None = None
    population: pa.Table | None = None
    own_estimates: pa.Table | None = None
    other_estimates: pa.Table | None = None
    external: pa.Table | None = None


def judge(
    connection: duckdb.DuckDBPyConnection,
    tables: Mapping[RecordKind, RecordTable],
    framework: Framework,
    manifest: says.SurveyManifest,
    surroundings: Surroundings,
) -> list[Judged]:
    """Return the outcomes of all rules of levels 2 to 5.

    Args:
        connection: holds the harmonised tables.
        tables: what they hold, see `copstats.process.records.record_tables`.
        framework: the framework version that the manifest names.
        manifest: the submission's manifest.
        surroundings: what is at hand to compare with.
    """
    outcomes: list[Judged] = []
    filled = {kind: table for kind, table in tables.items() if table.held.rows}
    for kind, table in tables.items():
        if kind not in filled:
            outcomes += _blocked(table)
    outcomes += _earlier(connection, filled, surroundings)
    if child := filled.get("child"):
        outcomes += judge_peers(child, surroundings.own_estimates, surroundings.other_estimates)
        outcomes += judge_population(connection, child, surroundings.population)
        outcomes += judge_external(child, surroundings.own_estimates, surroundings.external)
    return outcomes


def _blocked(table: RecordTable) -> Iterator[Judged]:
    of_children = (FAR, STRUCTURE, TOTAL, EXTERNAL_FAR) if table.record == "child" else ()
    for rule_class in (*ROUND, *VERSION, *of_children):
        yield undecided(table, rule_class, "no_records", state="blocked")


def _earlier(
    connection: duckdb.DuckDBPyConnection,
    tables: Mapping[RecordKind, RecordTable],
    surroundings: Surroundings,
) -> Iterator[Judged]:
    previous, version = surroundings.previous, surroundings.previous_version
    # Counting every answer takes a while, and only an earlier summary needs it.
    figures = figures_of(connection, tables) if previous or version else {}
    for kind, table in tables.items():
        if previous is None:
            yield from (undecided(table, rule_class, "no_previous_round") for rule_class in ROUND)
        else:
            yield from judge_round(table, figures[kind], previous)
        if version is None:
            yield from (undecided(table, rule_class, "no_previous_version") for rule_class in VERSION)
        else:
            yield from judge_version(table, figures[kind], version)
