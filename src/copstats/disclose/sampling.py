"""Sampling fraction (R12): where a large share of the population was interviewed, all cells are of tier B."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from copstats.disclose.profile import DisclosureProfile
from copstats.store.engine import memory_connection

EXPANDED = 1.05
"""Weights with a mean of at least this are taken to add up to the population; our choice. Weights that were
scaled to the number of records have a mean of 1, as in a census: only the manifest can tell them apart."""

_FRACTIONS = f"""
WITH national AS (  -- rows of the whole wave; the one with most answers stands for it
  SELECT submission_id, eligible, n, weight
  FROM estimates
  WHERE state = 'estimated' AND disaggregation = 'total' AND n > 0
),
largest AS (
  SELECT submission_id, n, weight
  FROM national
  WHERE weight > 0 AND isfinite(weight)
  QUALIFY row_number() OVER (PARTITION BY submission_id ORDER BY n DESC, weight) = 1
),
reached AS (
  SELECT submission_id, max(eligible) AS records FROM national GROUP BY submission_id
)
SELECT
  submission_id,
  CASE
    WHEN population.persons > 0 THEN least(records / population.persons, 1)
    WHEN largest.weight >= {EXPANDED} * largest.n THEN largest.n / largest.weight
  END AS fraction
FROM reached
LEFT JOIN largest USING (submission_id)
LEFT JOIN population USING (submission_id)
ORDER BY submission_id
"""  # noqa: S608


def sampling_fractions(
    estimates: pa.Table, population: Mapping[str, int | None] | None = None
) -> dict[str, float | None]:
    """Return submission -> share of its population that was interviewed; None where nothing tells.

    The manifest's size of the population comes first: records by persons. Without it the share is the number
    of answers by the sum of their weights, where the weights add up to a population.

    Args:
        estimates: schema ``ESTIMATES``; the rows of the tables ``total`` are read.
        population: submission -> persons, as the manifest says (``population.size``); None where it does not.
    """
    known = population or {}
    persons = pa.table(
        {"submission_id": list(known), "persons": list(known.values())},
        schema=pa.schema({"submission_id": pa.string(), "persons": pa.int64()}),
    )
    with memory_connection(threads=1) as connection:
        connection.register("estimates", estimates)
        connection.register("population", persons)
        return dict(connection.sql(_FRACTIONS).fetchall())


def raised_to_tier_b(fractions: Mapping[str, float | None], profile: DisclosureProfile) -> frozenset[str]:
    """Return the submissions of which all cells are of tier B."""
    limit = profile.limits.sampling_fraction.value
    return frozenset(name for name, share in fractions.items() if share is not None and share > limit)


def with_raised_tiers(
    estimates: pa.Table, fractions: Mapping[str, float | None], profile: DisclosureProfile
) -> pa.Table:
    """Return estimates with tier B in every row of a submission that interviewed too many of its population.

    Rows of other submissions keep the tier of their indicator; doing it twice changes nothing.

    Args:
        estimates: schema ``ESTIMATES``.
        fractions: of :func:`sampling_fractions`.
        profile: gives the limit.
    """
    concerned = pa.array(sorted(raised_to_tier_b(fractions, profile)), pa.string())
    tiers = pc.if_else(pc.is_in(estimates["submission_id"], value_set=concerned), "B", estimates["tier"])
    at = estimates.schema.get_field_index("tier")
    return estimates.set_column(at, estimates.schema.field(at), tiers)
