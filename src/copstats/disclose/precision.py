"""Precision of what is shown (R6, R6b, R7): rounding, outward limits, bands."""

from __future__ import annotations

import duckdb
import pyarrow as pa

from copstats.disclose.profile import DisclosureProfile, Rounding, steps_per_unit
from copstats.disclose.sql import render
from copstats.store.schemas import DIMENSIONS, INDICATOR_VALUE


def register_steps(connection: duckdb.DuckDBPyConnection, profile: DisclosureProfile) -> None:
    """Hand over the steps of rounding and the reliability flags that count as reliable."""
    connection.register("value_step", _steps({name: u.value for name, u in profile.units.items()}))
    connection.register("error_step", _steps({name: u.error for name, u in profile.units.items()}))
    connection.register("reliable", pa.table({"code": pa.array(profile.reliable, pa.string())}))


def published_form(connection: duckdb.DuckDBPyConnection, profile: DisclosureProfile) -> pa.Table:
    """Return the cells of the table ``decided`` as they are published.

    Values and errors are rounded to the nearest step of the unit, tier and number of answers; limits outward,
    but not beyond the unit's possible values; counts and nonresponse become bands.

    Args:
        connection: holds ``decided``, ``reason`` and what `register_steps` registers.
        profile: steps and bands.

    Returns:
        Schema ``INDICATOR_VALUE``, ordered by its key.
    """
    connection.register(
        "n_band",
        _table(code=[b.code for b in profile.n_bands.bands], from_n=[b.lower for b in profile.n_bands.bands]),
    )
    connection.register(
        "nonresponse_band",
        _table(
            code=[b.code for b in profile.nonresponse_bands.bands],
            up_to=[b.upper for b in profile.nonresponse_bands.bands],
        ),
    )
    is_total = " AND ".join(f"{name} = '_T'" for name in DIMENSIONS)
    cells = connection.sql(render("precision", dimensions=", ".join(DIMENSIONS), is_total=is_total))
    return cells.to_arrow_table().cast(INDICATOR_VALUE)


def _table(**columns: list[object]) -> pa.Table:
    return pa.table(columns)


def _steps(roundings: dict[str, Rounding]) -> pa.Table:
    return pa.Table.from_pylist(
        [
            {"unit": unit, "tier": tier, "from_n": from_n, "per_unit": steps_per_unit(step)}
            for unit, rounding in roundings.items()
            for tier, steps in rounding.steps.items()
            for from_n, step in steps.items()
        ]
    )
