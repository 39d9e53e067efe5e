"""First stage: one columnar pass from the records to sums by PSU, for all measures and all domains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from copstats.analyse.domains import Disaggregation, axes_of, domain_number_sql, grouping_sets_sql
from copstats.analyse.sql import indented, render


@dataclass(frozen=True)
class Measure:
    """What is averaged.

    Attributes:
        name: safe as part of a column name.
        value: SQL over the record: a number or truth value, NULL where there is no valid answer.
        eligible: SQL over the record, never NULL: TRUE unless it is known to be outside the denominator.
        proportion: whether values are 0 and 1 only.
    """

    name: str
    value: str
    eligible: str = "TRUE"
    proportion: bool = True


def cells_sql(
    wave: str,
    measures: Sequence[Measure],
    disaggregations: Sequence[Disaggregation],
    *,
    skips: Mapping[str, str] | None = None,
) -> str:
    """Return the SQL that makes the table ``psu_cells``: one row a PSU and domain.

    Its columns, for each measure M: ``wy_M`` sum of weight times value, ``wyy_M`` of weight times squared
    value, ``w_M`` and ``n_M`` weight and number of valid answers, ``we_M`` and ``eligible_M`` those of the
    eligible, ``events_M`` number of values that are not 0, ``top_M`` largest weight; ``domain``, ``unit``.
    A cell of one child is her answer: the table is microdata.

    Args:
        wave: query of the records, with ``weight``, ``stratum`` and ``psu``.
        measures: what is averaged.
        disaggregations: the domains.
        skips: column name -> SQL, of `copstats.framework.expressions.skip_columns`.
    """
    axes = axes_of(disaggregations)
    answers = [f"{axis.level} AS {axis.column}" for axis in axes]
    for measure in measures:
        answers.append(f"({measure.value})::DOUBLE AS y_{measure.name}")
        answers.append(f"({measure.eligible}) AS e_{measure.name}")
    return render(
        "cells",
        [measure.name for measure in measures],
        wave=wave,
        skips="".join(f",\n    {sql} AS {name}" for name, sql in (skips or {}).items()),
        answers=indented(answers),
        domain=domain_number_sql(disaggregations),
        grouping_sets=grouping_sets_sql(disaggregations),
    )


def create_cells(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    """Make the table ``psu_cells`` with what `cells_sql` returned; ``psu_design`` must exist."""
    connection.execute(sql)
