"""Standard errors of differences between groups of one survey, from its sums by PSU.

Girls and boys of the same schools are no independent samples: the error of their difference needs the
covariance, which the sums by PSU give (`copstats.analyse.contrasts`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, groupby
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from copstats.analyse.contrasts import Kept, Term, estimates
from copstats.framework.loader import Framework
from copstats.framework.manifest import SurveyManifest
from copstats.store.schemas import GROUP_ERRORS

GROUPED = ("sex", "age", "residence", "wealth_quintile", "disability", "education")
"""Dimensions whose groups are compared; regions are too many, and of one country only."""

Row = dict[str, Any]


@dataclass(frozen=True)
class KeptWave:
    """The kept tables of a wave, by record kind, and the number of each domain.

    Attributes:
        kept: record kind -> design and cells.
        numbers: record kind, disaggregation and published codes -> number of the domain.
    """

    kept: Mapping[str, Kept]
    numbers: Mapping[tuple[str, ...], int]

    @classmethod
    def of(cls, tables: Mapping[str, pa.Table], dimensions: tuple[str, ...]) -> KeptWave:
        """Arrange what `copstats.analyse.kept` wrote; codes are those of ``dimensions``."""
        kinds = [name.removesuffix("_psu_cells") for name in tables if name.endswith("_psu_cells")]
        kept = {kind: Kept(tables[f"{kind}_psu_design"], tables[f"{kind}_psu_cells"]) for kind in kinds}
        numbers = {
            (kind, row["disaggregation"], *(row[name] for name in dimensions)): row["domain"]
            for kind in kinds
            for row in tables[f"{kind}_domains"].to_pylist()
        }
        return cls(kept, numbers)

    def measure(self, kind: str, code: str) -> Kept | None:
        """Return the tables with the columns of one measure; None where its sums were not kept."""
        kept = self.kept.get(kind)
        columns = set() if kept is None else set(kept.cells.column_names)
        if kept is None or f"wy_{code}" not in columns:
            return None
        own = ("domain", "unit", "w", "n", f"wy_{code}", f"w_{code}", f"n_{code}")
        return Kept(kept.design, kept.cells.select([name for name in own if name in columns]))


def group_errors(
    found: pa.Table,
    cells: Mapping[str, pa.Table] | None,
    manifest: SurveyManifest,
    framework: Framework,
) -> pa.Table:
    """Return the standard errors of the differences between the groups of each dimension.

    Where the covariance is not known, because a wave has replicate weights or its sums were not kept, the
    error is the sum of the two: no covariance makes it larger.

    Args:
        found: estimates of one wave, schema ``ESTIMATES``.
        cells: kept tables of the wave (``KIND_psu_design``, ``KIND_psu_cells``, ``KIND_domains``), or None.
        manifest: of the wave.
        framework: that the wave follows.

    Returns:
        Schema ``GROUP_ERRORS``; shares only, as a difference of medians in whole years tells nothing.
    """
    known = cells if cells and manifest.design.replicate_weights is None else {}
    wave = KeptWave.of(known, GROUPED)
    rows = [row for one in _families(found) for row in _pairs(one, wave, framework)]
    return pa.Table.from_pylist(rows, schema=GROUP_ERRORS)


def _families(found: pa.Table) -> Iterator[list[Row]]:
    """Yield the estimates that are compared with each other: of one indicator by one dimension."""
    single = pc.is_in(found["disaggregation"], pa.array(GROUPED))
    share = pc.and_(pc.equal(found["unit"], "PERCENT"), pc.is_valid(found["se"]))
    rows = found.filter(pc.and_(single, share)).to_pylist()
    key = lambda row: (row["indicator"], row["disaggregation"])  # noqa: E731
    for _, family in groupby(sorted(rows, key=key), key):
        # Longer codes last: Y9T11 stands before Y12T14.
        yield sorted(family, key=lambda row: (len(_group(row)), _group(row)))


def _group(row: Row) -> str:
    return str(row[row["disaggregation"]])


def _pairs(family: list[Row], wave: KeptWave, framework: Framework) -> Iterator[Row]:
    covariance, df = _covariance(family, wave, framework)
    for (i, first), (j, second) in combinations(enumerate(family), 2):
        if covariance is None:
            se, together = first["se"] + second["se"], min(first["df"], second["df"])
        else:
            variance = covariance[i, i] + covariance[j, j] - 2 * covariance[i, j]
            se, together = float(np.sqrt(max(variance, 0.0))), df
        yield {
            "submission_id": first["submission_id"],
            "indicator": first["indicator"],
            "dimension": first["disaggregation"],
            "group_a": _group(first),
            "group_b": _group(second),
            "samples": "bound" if covariance is None else "covariance",
            "se": se,
            "df": together,
        }


def _covariance(
    family: list[Row], wave: KeptWave, framework: Framework
) -> tuple[np.ndarray[Any, Any] | None, int]:
    code = family[0]["indicator"]
    kind = framework.indicators[code].definition.record
    kept = wave.measure(kind, code)
    numbers = [
        wave.numbers.get((kind, row["disaggregation"], *(row[name] for name in GROUPED))) for row in family
    ]
    terms = [Term(code, number) for number in numbers if number is not None]
    if kept is None or len(terms) < len(family):
        return None, 0
    together = estimates(kept, terms)
    return together.covariance, together.df
