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
        # Sum of the weights of the valid answers.
        pa.field("weight", pa.float64()),
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

ATTACKER = pa.schema(
    [
        pa.field("submission_id", pa.string(), nullable=False),
        pa.field("indicator", pa.string(), nullable=False),
        pa.field("tier", pa.string(), nullable=False),
        pa.field("unit", pa.string(), nullable=False),
        pa.field("disaggregation", pa.string(), nullable=False),
        *(pa.field(name, pa.string(), nullable=False) for name in DIMENSIONS),
        pa.field("n", pa.int64(), nullable=False),
        # Sum of the weights of the valid answers.
        pa.field("weight", pa.float64()),
        # Why the published cell shows no figure; NULL where it shows one.
        pa.field("reason", pa.string()),
        # Of a cell coded low or high: the largest share that its smaller side may have.
        pa.field("coded_limit", pa.float64()),
    ]
)
"""What an attacker of a release is taken to know besides it: one row an estimated cell: restricted.

Holds no answers: who knows how many children of a group were asked, and with what weights, knows this much.
"""

CHANGES = pa.schema(
    [
        pa.field("indicator", pa.string(), nullable=False),
        # The indicator is combined of others: the answers that it has beyond this one.
        pa.field("member", pa.string()),
        # The group, as ``sex=F,age=Y12T14``; empty for the total.
        pa.field("cell", pa.string(), nullable=False),
        # Groups that are taken off it; none for the group itself.
        pa.field("without", pa.list_(pa.string()), nullable=False),
        pa.field("entered", pa.int64(), nullable=False),
        pa.field("left", pa.int64(), nullable=False),
        pa.field("changed", pa.int64(), nullable=False),
        # Answers of these records in either version; NULL where answers are no yes or no.
        pa.field("yes_before", pa.int64()),
        pa.field("no_before", pa.int64()),
        pa.field("yes_after", pa.int64()),
        pa.field("no_after", pa.int64()),
    ]
)
"""How two versions of a wave differ: one row an indicator and group, or difference of groups: restricted."""

GROUP_ERRORS = pa.schema(
    [
        pa.field("submission_id", pa.string(), nullable=False),
        pa.field("indicator", pa.string(), nullable=False),
        pa.field("dimension", pa.string(), nullable=False),
        pa.field("group_a", pa.string(), nullable=False),
        pa.field("group_b", pa.string(), nullable=False),
        # How the two estimates hang together: covariance, or bound where it is not known.
        pa.field("samples", pa.string(), nullable=False),
        # Of the difference of two shares from 0 to 1.
        pa.field("se", pa.float64(), nullable=False),
        pa.field("df", pa.int64(), nullable=False),
    ]
)
"""Standard errors of differences between groups of one survey, unrounded: restricted."""

ROUND_PAIRS = pa.schema(
    [
        pa.field("source_from", pa.string(), nullable=False),
        pa.field("source_to", pa.string(), nullable=False),
        pa.field("indicator", pa.string(), nullable=False),
        *(pa.field(name, pa.string(), nullable=False) for name in DIMENSIONS),
        # Class of the two values held against each other, and why it is not A.
        pa.field("comparability", pa.string(), nullable=False),
        pa.field("comparability_reasons", pa.string(), nullable=False),
        # How the two samples hang together: independent, assumed_independent, or linked.
        pa.field("samples", pa.string(), nullable=False),
        # Of the change of a share from 0 to 1; NULL where one of the estimates has none.
        pa.field("se", pa.float64()),
        pa.field("df", pa.int64()),
    ]
)
"""Cells estimated in two rounds of a survey: whether they may be compared, and how precisely: restricted."""

STANDARDISED_ERRORS = pa.schema(
    [
        pa.field("submission_id", pa.string(), nullable=False),
        pa.field("indicator", pa.string(), nullable=False),
        # M, F, or _T for both.
        pa.field("sex", pa.string(), nullable=False),
        # As a share, unrounded.
        pa.field("se", pa.float64(), nullable=False),
        pa.field("df", pa.int64(), nullable=False),
    ]
)
"""Standard errors of standardised proportions, by indicator and sex: restricted."""
