"""What is read from the records: answers and levels as SQL, and the sums by PSU as SQL for readers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from copstats.analyse.design import ONE_WAVE
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

    @property
    def restricted(self) -> bool:
        """Whether a record can be known to be outside the denominator."""
        return self.eligible != "TRUE"


def answers_sql(
    wave: str,
    measures: Sequence[Measure],
    disaggregations: Sequence[Disaggregation],
    *,
    skips: Mapping[str, str] | None = None,
    wave_no: str = ONE_WAVE,
) -> str:
    """Return the query of the answers: ``wave_no, stratum, psu, w``, levels, and ``y_M, e_M`` of measures M.

    There is no ``e_M`` where every record is eligible.

    It aggregates nothing, so that no digit depends on how the engine shares the work.

    Args:
        wave: query of the records, with ``weight``, ``stratum`` and ``psu``.
        measures: what is averaged.
        disaggregations: the domains.
        skips: column name -> SQL, of `copstats.framework.expressions.skip_columns`.
        wave_no: SQL of the wave's number, where the records are those of several waves.
    """
    answers = [f"{axis.level} AS {axis.column}" for axis in axes_of(disaggregations)]
    for measure in measures:
        answers.append(f"{measure.value} AS y_{measure.name}")
        if measure.restricted:
            answers.append(f"{measure.eligible} AS e_{measure.name}")
    return render(
        "answers",
        wave=wave,
        skips="".join(f",\n    {sql} AS {name}" for name, sql in (skips or {}).items()),
        answers=indented(answers, 2),
        wave_no=wave_no,
    )


def cells_sql(
    wave: str,
    measures: Sequence[Measure],
    disaggregations: Sequence[Disaggregation],
    *,
    skips: Mapping[str, str] | None = None,
) -> str:
    """Return the SQL that makes the table ``psu_cells``: one row a PSU and domain.

    It says in SQL what `copstats.analyse.blocks` computes, for those who want to see or repeat it; both give
    the same numbers, but a hash table with a row of sums for each PSU and domain costs some six times more.
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
    numbers = [
        Measure(measure.name, f"({measure.value})::DOUBLE", f"({measure.eligible})") for measure in measures
    ]
    records = answers_sql(wave, numbers, disaggregations, skips=skips)
    return render(
        "cells",
        [measure.name for measure in measures],
        records=records.replace("\n", "\n  "),
        domain=domain_number_sql(disaggregations),
        grouping_sets=grouping_sets_sql(disaggregations),
    )
