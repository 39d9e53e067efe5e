"""Standard errors of standardised proportions, from the kept sums by PSU."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from copstats.analyse.contrasts import Kept, Term, estimates, linear
from copstats.analyse.design import SinglePsu
from copstats.analyse.plan import KINDS
from copstats.framework.manifest import SurveyManifest
from copstats.framework.model import Framework
from copstats.framework.standard_population import BOTH_SEXES, SEXES, standard_shares
from copstats.store.schemas import STANDARDISED_ERRORS

_TABLE = "sex_age"
_SHARED = ("domain", "unit", "w", "n")


def standardised_errors(
    tables: Mapping[str, pa.Table],
    manifest: SurveyManifest,
    framework: Framework,
    *,
    single_psu: SinglePsu = "adjust",
) -> pa.Table:
    """Return the standard error of every proportion that can be standardised by sex and age.

    A standardised proportion is a linear combination, with fixed shares, of proportions of one sample whose
    covariances count (Korn and Graubard 1999, section 3.2).

    Args:
        tables: kept sums by PSU of a wave: ``KIND_psu_design``, ``KIND_psu_cells`` and ``KIND_domains``, see
            `copstats.analyse.kept`. Kinds that are not there have no rows.
        manifest: of the wave. What replicate weights estimate has no rows: the sums do not hold them.
        framework: gives the standard population.
        single_psu: what a stratum with one PSU contributes.

    Returns:
        Schema ``STANDARDISED_ERRORS``; an indicator without a standard error has no row: a group of the
        standard population has no valid answer, or the design leaves no degrees of freedom.

    Raises:
        EstimationError: E005, a stratum with one PSU where the treatment is to fail.
    """
    replicated = manifest.design.replicate_weights is not None
    rows = [
        {"submission_id": manifest.submission_id, **row}
        for kind in KINDS
        if f"{kind}_psu_cells" in tables and (kind == "parent" or not replicated)
        for row in _errors(kind, tables, framework, single_psu)
    ]
    return pa.Table.from_pylist(rows, STANDARDISED_ERRORS)


def _errors(
    kind: str, tables: Mapping[str, pa.Table], framework: Framework, single_psu: SinglePsu
) -> Iterator[dict[str, Any]]:
    domains, cells = tables[f"{kind}_domains"], tables[f"{kind}_psu_cells"]
    crossed = domains.filter(pc.equal(domains["disaggregation"], _TABLE))
    number = {(row["sex"], row["age"]): row["domain"] for row in crossed.to_pylist()}
    cells = cells.filter(pc.is_in(cells["domain"], crossed["domain"].combine_chunks()))
    for code, parsed in sorted(framework.indicators.items()):
        if parsed.definition.record != kind or f"wy_{code}" not in cells.column_names:
            continue
        own = [name for name in (f"wy_{code}", f"w_{code}", f"n_{code}") if name in cells.column_names]
        kept = Kept(tables[f"{kind}_psu_design"], cells.select([*_SHARED, *own]))
        for sex in (BOTH_SEXES, *SEXES):
            shares = standard_shares(framework, parsed.definition, sex)
            if not shares or not shares.keys() <= number.keys():
                continue
            terms = [Term(code, number[group]) for group in shares]
            found = linear(estimates(kept, terms, single_psu), list(shares.values()))
            if np.isfinite(found.se):
                yield {"indicator": code, "sex": sex, "se": found.se, "df": found.df}
