"""Tables in which the confidentiality zones meet: the restricted estimates and the published values."""

from __future__ import annotations

import pyarrow as pa

DIMENSIONS = ("sex", "age", "residence", "wealth_quintile", "disability", "education", "region")
"""Published dimensions besides area, indicator and period; ``_T`` is the total."""

ESTIMATES = pa.schema(
    [
        pa.field("submission_id", pa.string(), nullable=False),
        pa.field("ref_area", pa.string(), nullable=False),
        pa.field("survey", pa.string(), nullable=False),
        pa.field("reference_year", pa.int32(), nullable=False),
        pa.field("indicator", pa.string(), nullable=False),
        pa.field("tier", pa.string(), nullable=False),
        pa.field("unit", pa.string(), nullable=False),
        pa.field("disaggregation", pa.string(), nullable=False),
        *(pa.field(name, pa.string(), nullable=False) for name in DIMENSIONS),
        # One of: estimated, absent. An absent indicator has one row, at the total, with the reason's code.
        pa.field("state", pa.string(), nullable=False),
        pa.field("absent_reason", pa.string()),
        pa.field("absent_detail", pa.string()),
        pa.field("n", pa.int64(), nullable=False),
        # Answers that count; of a mean all, of a median those beyond its limits on the smaller side.
        pa.field("events", pa.int64(), nullable=False),
        pa.field("eligible", pa.int64(), nullable=False),
        pa.field("nonresponse", pa.float64()),
        pa.field("psus", pa.int64(), nullable=False),
        pa.field("strata", pa.int64(), nullable=False),
        pa.field("df", pa.int64()),
        # Proportions as shares from 0 to 1; means in the unit of the variable.
        pa.field("estimate", pa.float64()),
        pa.field("se", pa.float64()),
        pa.field("ci_lower", pa.float64()),
        pa.field("ci_upper", pa.float64()),
        pa.field("deff", pa.float64()),
        pa.field("n_effective", pa.float64()),
        pa.field("kg_lower", pa.float64()),
        pa.field("kg_upper", pa.float64()),
        pa.field("largest_psu_share", pa.float64()),
        pa.field("largest_weight_share", pa.float64()),
        pa.field("reliability", pa.string()),
        pa.field("comparability", pa.string(), nullable=False),
        pa.field("comparability_reasons", pa.string(), nullable=False),
    ]
)
"""One row an indicator x domain x wave, unrounded: restricted."""

INDICATOR_VALUE = pa.schema(
    [
        pa.field("ref_area", pa.string(), nullable=False),
        pa.field("indicator", pa.string(), nullable=False),
        pa.field("time_period", pa.string(), nullable=False),
        pa.field("survey", pa.string(), nullable=False),
        *(pa.field(name, pa.string(), nullable=False) for name in DIMENSIONS),
        pa.field("unit_measure", pa.string(), nullable=False),
        pa.field("value", pa.float64()),
        pa.field("se", pa.float64()),
        pa.field("ci_lower", pa.float64()),
        pa.field("ci_upper", pa.float64()),
        pa.field("n_band", pa.string()),
        pa.field("nonresponse_band", pa.string()),
        pa.field("obs_status", pa.string(), nullable=False),
        pa.field("obs_conf", pa.string(), nullable=False),
        pa.field("reason", pa.string()),
        pa.field("reliability", pa.string()),
        pa.field("comparability", pa.string()),
        pa.field("comparability_reasons", pa.string()),
        pa.field("standardised", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
    ]
)
"""One row a published cell. The key is all dimensions with ``survey``, ``source`` and ``standardised``."""
