"""Primary disclosure rules (R1 to R4, R8, R9, R12): which cells may show a figure at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import duckdb
import pyarrow as pa

from copstats.disclose.profile import TIERS, DisclosureProfile
from copstats.disclose.sampling import with_raised_tiers
from copstats.disclose.sql import render
from copstats.store.schemas import DIMENSIONS

ConsentLevel = Literal["none", "national", "disaggregated"]
TOTAL = "_T"


def decide(
    connection: duckdb.DuckDBPyConnection,
    estimates: pa.Table,
    profile: DisclosureProfile,
    *,
    consent_level: Mapping[str, ConsentLevel],
    sampling_fraction: Mapping[str, float | None] | None = None,
) -> None:
    """Make the table ``decided``: each estimate that may be published, with the ``reason`` against a figure.

    A cell with an unknown number in a column that a rule needs is withheld; one of a submission without
    consent, or whose area, period, indicator, unit or domain is unknown, is not there at all.

    Args:
        connection: in memory; gets the tables of this step.
        estimates: schema ``ESTIMATES``.
        profile: thresholds, tables and reasons.
        consent_level: submission -> what its manifest allows; a submission that is not named has none.
        sampling_fraction: submission -> share of the population that was interviewed, None where it is not
            known: see ``sampling_fractions``. Where it is large all cells are of tier B.
    """
    connection.register("estimates", with_raised_tiers(estimates, sampling_fraction or {}, profile))
    connection.register("consent", _consent(consent_level))
    connection.register("rule_set", _rule_set(profile))
    connection.register("published_table", _published_tables(profile.tables))
    connection.register("reason", _reasons(profile))
    identity = ("ref_area", "survey", "reference_year", "indicator", "unit", *DIMENSIONS)
    connection.execute(
        render(
            "primary",
            identity_known=" AND ".join(f"{name} IS NOT NULL" for name in identity),
            is_total=" AND ".join(f"{name} = '{TOTAL}'" for name in DIMENSIONS),
            dimension_if_crossed=", ".join(f"CASE WHEN {d} <> '{TOTAL}' THEN '{d}' END" for d in DIMENSIONS),
        )
    )


def _consent(level: Mapping[str, ConsentLevel]) -> pa.Table:
    texts = pa.schema({"submission_id": pa.string(), "level": pa.string()})
    return pa.table({"submission_id": list(level), "level": list(level.values())}, schema=texts)


def _rule_set(profile: DisclosureProfile) -> pa.Table:
    """One row a tier and unit; a cell of any other tier or unit finds no thresholds and is withheld."""
    of = profile.thresholds
    precision = ("minimum_effective_n", "widest_interval", "widest_relative_interval", "narrow_interval")
    asked = {name: getattr(of, name) for name in precision}
    return pa.Table.from_pylist(
        [
            {
                "tier": tier,
                "unit": name,
                "unit_code": unit.code,
                "statistic": unit.statistic,
                "factor": unit.factor,
                "unit_minimum": unit.minimum,
                "unit_maximum": unit.maximum,
                "minimum_n": of.minimum_n.tiers[tier],
                "low_reliability_n": of.low_reliability_n.tiers[tier],
                "minimum_events": of.minimum_events.tiers[tier],
                "minimum_psus": of.minimum_psus.tiers[tier],
                "maximum_psu_share": of.largest_psu_share.tiers[tier],
                "maximum_weight_share": of.largest_weight_share.tiers[tier],
                "crossed_dimensions": of.crossed_dimensions.tiers[tier],
                "never_crossed": profile.never_crossed,
                **{name: each.tiers[tier] if each else None for name, each in asked.items()},
            }
            for tier in TIERS
            for name, unit in profile.units.items()
        ]
    )


def _published_tables(tables: Mapping[str, Sequence[str]]) -> pa.Table:
    kinds = pa.schema({"disaggregation": pa.string(), "dimensions": pa.list_(pa.string())})
    columns = {"disaggregation": list(tables), "dimensions": [list(names) for names in tables.values()]}
    return pa.table(columns, schema=kinds)


def _reasons(profile: DisclosureProfile) -> pa.Table:
    read = ("obs_status", "obs_conf", "coded", "protected")
    return pa.Table.from_pylist(
        [
            {"code": code} | {name: getattr(reason, name) for name in read}
            for code, reason in profile.reasons.items()
        ]
    )
