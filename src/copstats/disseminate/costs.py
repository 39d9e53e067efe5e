"""What disclosure control cost: withheld cells by country, indicator and reason (table ``suppression``)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from string import Template

import pyarrow as pa

from copstats.disclose.profile import TIERS, DisclosureProfile
from copstats.framework import Framework
from copstats.store.engine import memory_connection
from copstats.store.schemas import DIMENSIONS

SUPPRESSION = pa.schema(
    {
        **dict.fromkeys(
            ("ref_area", "survey", "time_period", "indicator", "tier", "reason", "rule"), pa.string()
        ),
        **dict.fromkeys(("cells", "of_cells", "answers_needed"), pa.int64()),
        **dict.fromkeys(("n_band_needed", "source"), pa.string()),
    }
)


def suppression(
    cells: pa.Table, framework: Framework, profile: DisclosureProfile, raised: Collection[str] = ()
) -> pa.Table:
    """Return how many cells each reason withheld, and how many valid answers would bring a figure.

    Everything is computed from published cells and the profile, so that it tells nothing that they do not.
    The answers that a cell needs are those of R1, and so many that the rarer answer reaches R2 on average at
    the published national share.

    Args:
        cells: schema ``INDICATOR_VALUE``.
        framework: gives the tiers of the indicators.
        profile: gives rules, thresholds and bands.
        raised: submissions that are of tier B throughout.

    Returns:
        Schema ``SUPPRESSION``, ordered by its text columns.
    """
    tiers = [(code, parsed.definition.tier) for code, parsed in framework.indicators.items()]
    query = Template(Path(__file__).with_name("costs.sql").read_text("utf-8")).substitute(
        is_total=" AND ".join(f"{name} = '_T'" for name in DIMENSIONS)
    )
    with memory_connection(threads=1) as connection:
        connection.register("indicator_value", cells)
        connection.register("indicator_tier", _table(("indicator", "tier"), tiers))
        connection.register("raised", pa.table({"source": pa.array(sorted(raised), pa.string())}))
        connection.register("reason_rule", _table(("reason", "rule"), _rules(profile)))
        connection.register("minimum", _table(("tier", "answers", "events"), _minima(profile)))
        connection.register("band", _table(("code", "from_n"), _bands(profile)))
        return connection.sql(query).to_arrow_table().cast(SUPPRESSION)


def _rules(profile: DisclosureProfile) -> list[tuple[str, str | None]]:
    """Of the reasons that withhold something that was measured."""
    return [(code, reason.rule) for code, reason in profile.reasons.items() if reason.obs_status == "Q"]


def _minima(profile: DisclosureProfile) -> list[tuple[str, float, float]]:
    of = profile.thresholds
    return [(tier, of.minimum_n.tiers[tier], of.minimum_events.tiers[tier]) for tier in TIERS]


def _bands(profile: DisclosureProfile) -> list[tuple[str, int]]:
    return [(band.code, band.lower) for band in profile.n_bands.bands]


def _table(names: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> pa.Table:
    return pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows])
