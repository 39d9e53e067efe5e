"""The release's tables of differences: ``change`` between rounds, ``group_difference`` within a survey."""

from __future__ import annotations

from pathlib import Path
from string import Template

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.special import stdtrit

from copstats.disclose import DisclosureProfile
from copstats.disseminate.comparison.multiplicity import Floats, p_values, rounding_variance
from copstats.store.engine import memory_connection
from copstats.store.schemas import DIMENSIONS

_FIGURES = ("se", "ci_lower", "ci_upper", "p")

CHANGE = pa.schema(
    {
        **dict.fromkeys(("ref_area", "survey", "indicator", *DIMENSIONS), pa.string()),
        **dict.fromkeys(("standardised", "unit_measure", "time_period_from", "time_period_to"), pa.string()),
        **dict.fromkeys(("value_from", "value_to", "change", *_FIGURES), pa.float64()),
        **dict.fromkeys(
            ("samples", "comparability", "comparability_reasons", "reason", "source_from", "source_to"),
            pa.string(),
        ),
    }
)
"""One row a cell that two consecutive rounds of a survey have; in per cent and per cent points."""

GROUP_DIFFERENCE = pa.schema(
    {
        **dict.fromkeys(
            ("ref_area", "survey", "time_period", "indicator", "dimension", "group_a", "group_b"), pa.string()
        ),
        "unit_measure": pa.string(),
        **dict.fromkeys(("value_a", "value_b", "difference", *_FIGURES), pa.float64()),
        **dict.fromkeys(("samples", "comparability", "reason", "source"), pa.string()),
    }
)
"""One row two groups of a dimension in one survey; in per cent and per cent points."""


def change(values: pa.Table, pairs: pa.Table, profile: DisclosureProfile) -> pa.Table:
    """Return the change of every published cell between two rounds of a survey, or why there is none.

    Never across class C, nor where one of the two values is withheld.

    Args:
        values: what is published, schema ``INDICATOR_VALUE``.
        pairs: of consecutive rounds, schema ``ROUND_PAIRS``.
        profile: steps of rounding and bands.

    Returns:
        Schema ``CHANGE``, in a fixed order. Differences are of rounded values; standard errors hold the
        rounding of both and are rounded up, limits outward.
    """
    cells = (*DIMENSIONS, "indicator", "standardised")
    found = _joined(
        "change",
        profile,
        tables={"indicator_value": values, "round_pair": pairs},
        dimensions=", ".join(DIMENSIONS),
        same_cell=" AND ".join(f"later.{name} = earlier.{name}" for name in cells),
    )
    tested = _tested(found, found["value_to"], found["value_from"], found["reason_of_change"])
    return _in_schema(found, tested | {"change": tested["difference"]}, CHANGE)


def group_difference(values: pa.Table, errors: pa.Table, profile: DisclosureProfile) -> pa.Table:
    """Return the differences between groups of one survey: the first less the second, or why there is none.

    Args:
        values: what is published, schema ``INDICATOR_VALUE``.
        errors: of the surveys, schema ``GROUP_ERRORS``.
        profile: steps of rounding and bands.

    Returns:
        Schema ``GROUP_DIFFERENCE``, in a fixed order; figures as those of `change`.
    """
    whens = " ".join(f"WHEN {name} <> '_T' THEN '{name}'" for name in DIMENSIONS)
    codes = ", ".join(f"nullif({name}, '_T')" for name in DIMENSIONS)
    found = _joined(
        "group_difference",
        profile,
        tables={"indicator_value": values, "group_error": errors},
        dimension=f"CASE {whens} END",
        group_code=f"coalesce({codes})",
        crossed=" + ".join(f"({name} <> '_T')::INTEGER" for name in DIMENSIONS),
    )
    tested = _tested(found, found["value_a"], found["value_b"], found["reason_of_difference"])
    return _in_schema(found, tested, GROUP_DIFFERENCE)


def _joined(name: str, profile: DisclosureProfile, *, tables: dict[str, pa.Table], **parts: str) -> pa.Table:
    text = Template(Path(__file__).with_name(f"{name}.sql").read_text("utf-8"))
    with memory_connection(threads=1) as connection:
        for table, rows in {**tables, "error_step": _error_steps(profile)}.items():
            connection.register(table, rows)
        return connection.sql(text.substitute(parts)).to_arrow_table()


def _error_steps(profile: DisclosureProfile) -> pa.Table:
    """Return the step of standard errors by band of answers: the coarser of the tiers."""
    tiers = next(unit for unit in profile.units.values() if unit.code == "PCNT").error.steps
    bands = profile.n_bands.bands
    step = [
        max(steps[max(n for n in steps if n <= band.lower)] for steps in tiers.values()) for band in bands
    ]
    return pa.table({"n_band": [band.code for band in bands], "step": pa.array(step, pa.float64())})


def _tested(
    found: pa.Table, minuend: pa.Array, subtrahend: pa.Array, reason: pa.Array
) -> dict[str, pa.Array]:
    """Return difference, error, limits and p-value of two columns of values; NULL where there is a reason."""
    a, b, se, step, df = (
        _floats(column)
        for column in (minuend, subtrahend, found["computed_se"], found["error_step"], found["df"])
    )
    difference = np.round(a - b, 1)
    exact = np.sqrt(se**2 + rounding_variance(a) + rounding_variance(b))
    published = np.round(np.ceil(exact / step - 1e-9) * step, 1)
    margin = stdtrit(df, 0.975) * published
    figures = {
        "difference": difference,
        "se": published,
        "ci_lower": np.maximum(np.floor((difference - margin) * 10) / 10, -100.0),
        "ci_upper": np.minimum(np.ceil((difference + margin) * 10) / 10, 100.0),
        "p": np.round(p_values(difference, published, df), 4),
    }
    hidden = pc.is_valid(reason).to_numpy(zero_copy_only=False)
    shown = {name: pa.array(column, pa.float64(), mask=hidden) for name, column in figures.items()}
    samples = pc.if_else(pc.is_null(reason), found["samples"], pa.scalar(None, pa.string()))
    return {**shown, "samples": samples, "reason": reason}


def _floats(column: pa.ChunkedArray) -> Floats:
    values: Floats = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return values


def _in_schema(found: pa.Table, computed: dict[str, pa.Array], schema: pa.Schema) -> pa.Table:
    columns = {name: computed[name] if name in computed else found[name] for name in schema.names}
    return pa.table(columns).cast(schema)
