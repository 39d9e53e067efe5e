"""Two rounds of a survey: which cells may be compared, and the standard error of their change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from copstats.analyse.comparability import Evidence, Verdict, load_criteria, pair_comparability
from copstats.analyse.contrasts import Term, panel
from copstats.analyse.domains import TOTAL, AgeBand
from copstats.analyse.groups import KeptWave
from copstats.framework.loader import Framework
from copstats.framework.manifest import Crosswalk, SurveyManifest
from copstats.store.engine import memory_connection
from copstats.store.schemas import DIMENSIONS, ROUND_PAIRS

Row = dict[str, Any]

_MATCHED = f"""
SELECT indicator, {", ".join(DIMENSIONS)}, before.disaggregation,
  before.nonresponse AS nonresponse_before, after.nonresponse AS nonresponse_after,
  sqrt(before.se * before.se + after.se * after.se) AS se, before.df + after.df AS df
FROM before JOIN after USING (indicator, {", ".join(DIMENSIONS)})
WHERE before.state = 'estimated' AND after.state = 'estimated' AND before.unit = 'PERCENT'
  AND after.unit = 'PERCENT' AND region = '{TOTAL}' AND before.disaggregation = after.disaggregation
ORDER BY ALL
"""  # noqa: S608 - names of columns


@dataclass(frozen=True)
class Round:
    """A round of a survey.

    Attributes:
        manifest: of the wave.
        crosswalk: of the wave; None where names, codes and wording are the framework's.
        estimates: of the wave, schema ``ESTIMATES``.
        cells: kept tables of the wave, or None.
    """

    manifest: SurveyManifest
    crosswalk: Crosswalk | None
    estimates: pa.Table
    cells: Mapping[str, pa.Table] | None = None


def consecutive(manifests: Iterable[SurveyManifest]) -> list[tuple[SurveyManifest, SurveyManifest]]:
    """Return each round of a survey in a country with the next one."""
    ordered = sorted(manifests, key=lambda one: (one.ref_area, one.survey, one.reference_year))
    surveys = groupby(ordered, key=lambda one: (one.ref_area, one.survey))
    return [pair for _, rounds in surveys for pair in pairwise(rounds)]


def round_pairs(before: Round, after: Round, framework: Framework) -> pa.Table:
    """Hold the cells of two rounds against each other.

    Rounds count as independent samples, unless they drew the same PSUs and their cells bear the keys of a
    panel: then the covariance comes from the PSUs that they share (`copstats.analyse.contrasts.panel`). An
    overlap that is recorded but not linked leaves the standard error too large rather than too small, as
    answers of the same schools in two rounds resemble each other.

    The age of the data is no criterion here: it does not set the rounds apart.

    Args:
        before: the earlier round.
        after: the later one.
        framework: that both follow.

    Returns:
        Schema ``ROUND_PAIRS``: a row for each cell that both rounds estimate, regions left out, as their
        codes may change; shares only.
    """
    with memory_connection(threads=1) as connection:
        connection.register("before", before.estimates)
        connection.register("after", after.estimates)
        rows = connection.sql(_MATCHED).to_arrow_table().to_pylist()
    judge = _Judge(before, after, framework)
    linked = _linked_errors(rows, before, after, framework)
    samples = "independent" if after.manifest.design.overlap == "none" else "assumed_independent"
    out = []
    for row in rows:
        verdict, key = judge(row), _cell(row)
        se, df = linked.get(key, (row["se"], row["df"]))
        out.append(
            {name: row[name] for name in ("indicator", *DIMENSIONS)}
            | {
                "source_from": before.manifest.submission_id,
                "source_to": after.manifest.submission_id,
                "comparability": verdict.grade,
                "comparability_reasons": verdict.reasons,
                "samples": "linked" if key in linked else samples,
                "se": se,
                "df": df,
            }
        )
    return pa.Table.from_pylist(out, schema=ROUND_PAIRS)


class _Judge:
    """Gives the class of two cells of one indicator held against each other."""

    def __init__(self, before: Round, after: Round, framework: Framework) -> None:
        self.before, self.after, self.framework = before, after, framework
        known = load_criteria(framework.id)
        self.criteria = {name: one for name, one in known.items() if name != "age_of_data"}

    def __call__(self, row: Row) -> Verdict:
        first = self._evidence(self.before, row, row["nonresponse_before"])
        second = self._evidence(self.after, row, row["nonresponse_after"])
        return pair_comparability(first, second, self.criteria)

    def _evidence(self, one: Round, row: Row, nonresponse: float | None) -> Evidence:
        return Evidence(
            indicator=self.framework.indicators[row["indicator"]],
            manifest=one.manifest,
            crosswalk=one.crosswalk,
            framework=self.framework,
            as_of_year=one.manifest.reference_year,
            nonresponse=nonresponse,
            ages=None if row["age"] == TOTAL else AgeBand.of(row["age"]),
        )


def _cell(row: Row) -> tuple[str, ...]:
    return tuple(row[name] for name in ("indicator", *DIMENSIONS))


def _linked_errors(
    rows: Sequence[Row], before: Round, after: Round, framework: Framework
) -> dict[tuple[str, ...], tuple[float, int]]:
    """Return cell -> standard error and degrees of freedom, where the rounds' PSUs can be matched."""
    if not all(one.cells and one.manifest.in_panel for one in (before, after)):
        return {}
    replicated = (one.manifest.design.replicate_weights for one in (before, after))
    if any(weights is not None for weights in replicated):
        return {}
    waves = [KeptWave.of(one.cells or {}, DIMENSIONS) for one in (before, after)]
    out: dict[tuple[str, ...], tuple[float, int]] = {}
    for code, group in groupby(rows, lambda row: str(row["indicator"])):
        out |= _linked(code, list(group), waves, framework.indicators[code].definition.record)
    return out


def _linked(
    code: str, rows: list[Row], waves: Sequence[KeptWave], kind: str
) -> dict[tuple[str, ...], tuple[float, int]]:
    keys = [(kind, row["disaggregation"], *(row[name] for name in DIMENSIONS)) for row in rows]
    kept = [wave.measure(kind, code) for wave in waves]
    rows = [row for row, key in zip(rows, keys, strict=True) if all(key in w.numbers for w in waves)]
    keys = [key for key in keys if all(key in wave.numbers for wave in waves)]
    parts = [
        (one, [Term(code, wave.numbers[key]) for key in keys])
        for one, wave in zip(kept, waves, strict=True)
        if one is not None and "panel_psu" in one.design.column_names
    ]
    if len(parts) < len(waves) or not rows:
        return {}
    together = panel(parts)
    covariance, size = together.covariance, len(rows)
    change = np.arange(size)
    variance = (
        covariance[change, change]
        + covariance[change + size, change + size]
        - 2 * covariance[change, change + size]
    )
    errors = np.sqrt(np.maximum(variance, 0.0))
    return {
        _cell(row): (float(error), together.df)
        for row, error in zip(rows, errors, strict=True)
        if np.isfinite(error) and row["se"] is not None
    }
