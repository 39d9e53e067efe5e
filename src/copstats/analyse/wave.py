"""Estimates of a wave: all indicators, all domains, from its harmonised records."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import duckdb
import pyarrow as pa

from copstats.analyse.comparability import Evidence, Verdict, comparability, load_criteria
from copstats.analyse.design import SinglePsu
from copstats.analyse.domains import (
    COMMON_AGE,
    Disaggregation,
    Domain,
    covered_ages,
    domain_of,
    fully_covered_category,
    levels_sql,
    text_dimensions,
)
from copstats.analyse.estimates import absent_row, as_table, estimate_rows, finished
from copstats.analyse.indicators import Absence
from copstats.analyse.kept import CellKeeper, KeepTables, with_panel_keys
from copstats.analyse.medians import estimate_medians
from copstats.analyse.plan import KINDS, Plan, Tables, plan, source_of, wanted_disaggregations
from copstats.analyse.reliability import load_standard
from copstats.analyse.replicates import estimate_measures_replicated, is_replicate_weight, replicates_of
from copstats.analyse.variance import estimate_measures
from copstats.errors import EstimationError
from copstats.framework.definitions import Indicator
from copstats.framework.loader import Framework
from copstats.framework.manifest import Crosswalk, SurveyManifest
from copstats.store.engine import memory_connection

RecordSource: TypeAlias = pa.RecordBatchReader | pa.Table


def estimate_wave(
    child: RecordSource,
    parent: RecordSource | None,
    manifest: SurveyManifest,
    crosswalk: Crosswalk | None,
    framework: Framework,
    *,
    as_of_year: int,
    single_psu: SinglePsu = "adjust",
    connection: duckdb.DuckDBPyConnection | None = None,
    keep: KeepTables | None = None,
) -> pa.Table:
    """Estimate every indicator of the framework in every domain that the wave supports.

    Args:
        child: harmonised child records: framework variables, ``weight``, ``stratum``, ``psu``.
        parent: harmonised parent records, or None.
        manifest: of the wave.
        crosswalk: of the wave; None where names, codes and wording are the framework's.
        framework: that the wave follows.
        as_of_year: year of the release, from which the age of the data is counted.
        single_psu: what a stratum with one PSU contributes to the variance.
        connection: in-memory connection; a new one by default. Its threads change no digit.
        keep: is handed the sums by PSU, before the estimates are returned: for each record kind with
            estimates the tables ``KIND_psu_design``, ``KIND_psu_cells`` and ``KIND_domains`` of
            `copstats.analyse.kept`. They are microdata.

    Returns:
        `copstats.store.schemas.ESTIMATES`: one row an indicator and domain with eligible records, unrounded;
        an indicator that cannot be estimated has one row, at the total, with the reason.

    Raises:
        EstimationError: E001 to E006, the records or the design do not support estimates; E009, the engine
            stopped; E012, E013, E025 to E028, the replicate weights cannot be used.
    """
    own = connection or memory_connection()
    cells: dict[str, pa.Table] = {}
    wave = _Wave(own, manifest, crosswalk, framework, as_of_year, single_psu, None if keep is None else cells)
    try:
        with _loaded(own, wave, child=child, parent=parent) as tables:
            plans = [plan(kind, tables, manifest, framework) for kind in KINDS]
            found = as_table([row for steps in plans for row in _rows(wave, steps)])
    except duckdb.Error as problem:
        # The engine's message may quote a value.
        raise EstimationError("E009", kind=type(problem).__name__) from None
    finally:
        if connection is None:
            own.close()
    if keep is not None:
        keep(cells)
    return found


@dataclass(frozen=True)
class _Wave:
    """What the steps of one call share."""

    connection: duckdb.DuckDBPyConnection
    manifest: SurveyManifest
    crosswalk: Crosswalk | None
    framework: Framework
    as_of_year: int
    single_psu: SinglePsu
    cells: dict[str, pa.Table] | None

    def estimator(self, kind: str) -> Callable[..., pa.Table]:
        """Return what estimates the measures: by replicate weights where the records carry them.

        Files of parents have none: their variance follows from strata and PSUs.
        """
        replicates = self.manifest.design.replicate_weights
        if replicates is None or kind == "parent":
            return partial(estimate_measures, single_psu=self.single_psu)
        columns = self.connection.table("child").columns
        return partial(estimate_measures_replicated, replicates=replicates_of(replicates, columns))

    def verdict(self, code: str, domain: Domain, nonresponse: float | None) -> Verdict:
        """Return the class of comparability of an indicator's value."""
        evidence = Evidence(
            indicator=self.framework.indicators[code],
            manifest=self.manifest,
            crosswalk=self.crosswalk,
            framework=self.framework,
            as_of_year=self.as_of_year,
            nonresponse=nonresponse,
            ages=domain.ages,
        )
        return comparability(evidence, load_criteria(self.framework.id))


@contextmanager
def _loaded(
    connection: duckdb.DuckDBPyConnection, wave: _Wave, **sources: RecordSource | None
) -> Iterator[Tables]:
    """Hold the columns that estimation reads in tables of the connection; drop them afterwards.

    A replicate weight is held as its ratio to the weight, so that it also fits a dyad's weight.
    """
    held: dict[str, frozenset[str] | None] = {}
    try:
        for kind, source in sources.items():
            held[kind] = None if source is None else _columns(wave, kind, source.schema.names)
            if source is None:
                continue
            connection.register("records_handed_over", source)
            names = ", ".join(_held_as(name) for name in sorted(held[kind] or ()))
            connection.execute(f"CREATE TEMP TABLE {kind} AS SELECT {names} FROM records_handed_over")  # noqa: S608
            connection.unregister("records_handed_over")
        yield Tables(held["child"] or frozenset(), held["parent"])
    finally:
        for kind in sources:
            connection.execute(f"DROP TABLE IF EXISTS {kind}")


def _held_as(name: str) -> str:
    return f"{name} / weight AS {name}" if is_replicate_weight(name) else name


def _columns(wave: _Wave, kind: str, names: list[str]) -> frozenset[str]:
    """Return the columns that estimation reads: design, answers and dimensions, but no other text."""
    variables = wave.framework.variables(kind)
    dimensions = {d.variable for d in wave.framework.head.dimensions.values()}
    keep = {"weight", "weight_parent", "stratum", "psu", "fpc_psu", "child_id"} | dimensions
    if kind == "child" and wave.manifest.design.replicate_weights is not None:
        keep |= {name for name in names if is_replicate_weight(name)}
    return frozenset(
        name
        for name in names
        if name in keep or (name in variables and variables[name].type not in ("string", "month"))
    )


def _rows(wave: _Wave, steps: Plan) -> list[dict[str, Any]]:
    """Return the rows of the indicators of one record kind, estimated and absent."""
    definitions = {code: i.definition for code, i in wave.framework.indicators.items()}
    rows = _estimated(wave, steps, definitions) if steps.indicators else []
    seen = {row["indicator"] for row in rows}
    absent = dict(steps.absent) | {
        code: Absence("no_eligible_records") for code in steps.indicators if code not in seen
    }
    return rows + [absent_row(definitions[code], wave.manifest, why) for code, why in absent.items()]


def _estimated(wave: _Wave, steps: Plan, definitions: Mapping[str, Indicator]) -> list[dict[str, Any]]:
    with _levels(wave, steps) as texts:
        domains = steps.disaggregations(wave.framework, texts)
        keeper = None if wave.cells is None else CellKeeper()
        found = list(_estimates(wave, steps, domains, keeper))
    if wave.cells is not None and keeper is not None:
        tables = _kept_tables(wave, steps, keeper, domains)
        wave.cells.update({f"{steps.kind}_{name}": table for name, table in tables.items()})
    domain = partial(domain_of, disaggregations=domains)
    shares = {m.name: m.proportion for m in (*steps.measures, *steps.medians)}
    standard = load_standard(wave.framework.id)
    kept = (table.filter(_kept(table, steps, wave, domain)) for table in found)
    table = pa.concat_tables([finished(one, shares, standard) for one in kept])
    return estimate_rows(table, domain, definitions, wave.manifest, wave.verdict)


def _kept_tables(
    wave: _Wave, steps: Plan, keeper: CellKeeper, domains: Sequence[Disaggregation]
) -> dict[str, pa.Table]:
    tables = keeper.tables(domains)
    return with_panel_keys(tables, wave.connection, steps.design) if wave.manifest.in_panel else tables


def _estimates(
    wave: _Wave, steps: Plan, domains: Sequence[Disaggregation], keeper: CellKeeper | None
) -> Iterator[pa.Table]:
    """Estimate what is averaged, whose sums are kept, and then the medians."""
    estimate = partial(
        wave.estimator(steps.kind),
        wave.connection,
        steps.wave,
        steps.design,
        disaggregations=domains,
        skips=steps.skips,
    )
    if steps.measures:
        yield estimate(steps.measures, keep=keeper)
    if steps.medians:
        yield estimate_medians(
            wave.connection, steps.wave, steps.medians, domains, estimate, skips=steps.skips
        )


@contextmanager
def _levels(wave: _Wave, steps: Plan) -> Iterator[dict[str, list[str]]]:
    """Hold tables of the levels of text dimensions; give variable -> codes in order."""
    out: dict[str, list[str]] = {}
    try:
        for name in text_dimensions(wave.framework, steps.kind, steps.present):
            wave.connection.execute(levels_sql(name, source_of(steps.kind)))
            found = wave.connection.table(f"{name}_levels").order("level").to_arrow_table()
            out[name] = found["code"].to_pylist()
        yield out
    finally:
        for name in out:
            wave.connection.execute(f"DROP TABLE IF EXISTS {name}_levels")


def _kept(found: pa.Table, steps: Plan, wave: _Wave, domain: Callable[[int], Domain]) -> pa.Array:
    """Leave out domains without eligible records, of ages partly covered, and of other indicators."""
    wanted = {
        code: {"total", *wanted_disaggregations(i, wave.framework)} for code, i in steps.indicators.items()
    }
    covered = {code: covered_ages(i, wave.manifest) for code, i in steps.indicators.items()}

    def keep(row: dict[str, Any]) -> bool:
        code, cell = row["measure"], domain(row["domain"])
        if cell.disaggregation == COMMON_AGE:
            band = steps.common_ages.get(code)
            mine = band is not None and cell.codes["age"] == band.code
        else:
            mine = cell.disaggregation in wanted[code] and fully_covered_category(cell, covered[code])
        return mine and row["eligible"] > 0

    return pa.array([keep(row) for row in found.to_pylist()], pa.bool_())
