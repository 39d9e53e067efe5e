"""Standardised proportions: what the groups of a survey would give in the standard population."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
import pyarrow as pa
from scipy.special import stdtrit

from copstats.disclose.precision import register_steps
from copstats.disclose.profile import DisclosureProfile
from copstats.disclose.shape import KEY
from copstats.framework import Framework
from copstats.framework.standard_population import BOTH_SEXES, SEXES, standard_shares
from copstats.store.engine import memory_connection
from copstats.store.schemas import DIMENSIONS, INDICATOR_VALUE

UNIT = "PERCENT"
_UPPER = 0.975
_OTHERS = tuple(name for name in DIMENSIONS if name not in ("sex", "age"))


def with_standardised(
    values: pa.Table,
    errors: pa.Table,
    framework: Framework,
    profile: DisclosureProfile,
    *,
    raised: Collection[str] = (),
) -> pa.Table:
    """Return published values with standardised ones beside them.

    A standardised value is the sum of the published cells of sex by age, each with its share of the standard
    population: it tells nothing that they do not. Its standard error comes from the survey. Both are rounded
    like the figure beside which they stand. It is absent, with the reason, where one of these figures is
    withheld, or where the survey does not cover all groups of the standard population.

    Args:
        values: schema ``INDICATOR_VALUE``: what the disclosure gate lets through.
        errors: schema ``STANDARDISED_ERRORS``, of all waves among the values.
        framework: gives the standard population.
        profile: steps of rounding and reasons.
        raised: submissions that are of tier B throughout.

    Returns:
        Schema ``INDICATOR_VALUE``, ordered by its key: the values, and one row with ``standardised`` Y for
        each survey, proportion and sex (``F``, ``M``, ``_T``) that has cells of sex by age.
    """
    tiers = {code: parsed.definition.tier for code, parsed in framework.indicators.items()}
    bands = [{"code": band.code, "from_n": band.lower} for band in profile.n_bands.bands]
    with memory_connection(threads=1) as connection:
        connection.register("indicator_value", values)
        connection.register("share", pa.Table.from_pylist(list(_shares(framework)), _SHARE))
        connection.register("standard_error", _with_quantile(errors))
        connection.register(
            "indicator_tier",
            pa.Table.from_pylist(
                [
                    {"source": source, "indicator": code, "tier": "B" if source in raised else tier}
                    for source in values["source"].unique().to_pylist()
                    for code, tier in tiers.items()
                ],
                pa.schema(dict.fromkeys(("source", "indicator", "tier"), pa.string())),
            ),
        )
        connection.register("n_band", pa.Table.from_pylist(bands))
        connection.register("reason_status", _reasons(profile))
        register_steps(connection, profile)
        rows = connection.sql(_query(profile)).to_arrow_table().cast(INDICATOR_VALUE)
    return pa.concat_tables([values, rows]).sort_by([(name, "ascending") for name in KEY])


_SHARE = pa.schema(
    {**dict.fromkeys(("indicator", "sex", "in_sex", "in_age"), pa.string()), "share": pa.float64()}
)


def _shares(framework: Framework) -> Iterator[dict[str, Any]]:
    for code, parsed in framework.indicators.items():
        for sex in (BOTH_SEXES, *SEXES):
            for (in_sex, in_age), share in standard_shares(framework, parsed.definition, sex).items():
                yield {"indicator": code, "sex": sex, "in_sex": in_sex, "in_age": in_age, "share": share}


def _with_quantile(errors: pa.Table) -> pa.Table:
    """Add the quantile of Student's t for limits of 95 %."""
    quantile = stdtrit(errors["df"].to_numpy().astype(np.float64), _UPPER)
    return errors.append_column("quantile", pa.array(quantile, pa.float64()))


def _reasons(profile: DisclosureProfile) -> pa.Table:
    return pa.Table.from_pylist(
        [
            {"code": code, "obs_status": reason.obs_status, "obs_conf": reason.obs_conf}
            for code, reason in profile.reasons.items()
        ]
    )


def _query(profile: DisclosureProfile) -> str:
    unit = profile.units[UNIT]
    return Template(Path(__file__).with_name("standardised.sql").read_text("utf-8")).substitute(
        unit=UNIT,
        unit_code=unit.code,
        factor=repr(unit.factor),
        dimensions=", ".join(DIMENSIONS),
        others_total=" AND ".join(f"{name} = '_T'" for name in _OTHERS),
        cell_others_total=" AND ".join(f"cell.{name} = '_T'" for name in _OTHERS),
    )
