"""Withholds what a country objected to."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pyarrow as pa

from copstats.disclose.profile import DisclosureProfile
from copstats.store.engine import memory_connection

REASON = "objection"
_FIGURES = ("value", "se", "ci_lower", "ci_upper", "n_band", "nonresponse_band", "reliability")


def without_objected(
    values: pa.Table,
    objected: Mapping[str, Collection[str]],
    profile: DisclosureProfile,
    *,
    concept: str = "indicator",
) -> pa.Table:
    """Return values or counts with those that a country objected to withheld, reason ``objection``.

    Cells that are withheld for another reason keep it: which cells the rules withhold does not depend on
    what a country says.

    Args:
        values: as the gate lets them through: schema ``INDICATOR_VALUE``, or ``PROTECTED_COUNTS``.
        objected: submission -> indicators; without any, all of the submission.
        profile: gives the status of the reason.
        concept: column that says what is measured.
    """
    rows = [
        {"source": source, "concept": indicator}
        for source, indicators in objected.items()
        for indicator in (*sorted(indicators),) or (None,)
    ]
    if not rows:
        return values
    reason = profile.reasons[REASON]
    coded = [code for code, each in profile.reasons.items() if each.coded]
    status = {"obs_status": reason.obs_status, "obs_conf": reason.obs_conf, "reason": REASON}
    columns = [
        f"CASE WHEN objected THEN {_literal(status.get(name))} ELSE {name} END AS {name}"
        if name in (*status, *_FIGURES)
        else name
        for name in values.schema.names
    ]
    with memory_connection() as connection:
        connection.register("published", values)
        connection.register("objection", pa.Table.from_pylist(rows, schema=_OBJECTION))
        query = f"""
            WITH marked AS (
              SELECT published.*, rowid AS place,
                (value IS NOT NULL OR reason IN ({", ".join(map(_literal, coded))})) AND EXISTS (
                  FROM objection AS o
                  WHERE o.source = published.source
                    AND coalesce(o.concept, published.{concept}) = published.{concept}
                ) AS objected
              FROM (SELECT *, row_number() OVER () AS rowid FROM published) AS published
            )
            SELECT {", ".join(columns)} FROM marked ORDER BY place"""  # noqa: S608 - names and codes of ours
        return connection.sql(query).to_arrow_table().cast(values.schema)


_OBJECTION = pa.schema({"source": pa.string(), "concept": pa.string()})


def _literal(text: str | None) -> str:
    return "NULL" if text is None else f"'{text}'"
