"""The shape that every published table of values has, whoever made it."""

from __future__ import annotations

from collections.abc import Iterable

import duckdb

from copstats.disclose.sql import render
from copstats.store.schemas import DIMENSIONS

KEY = ("ref_area", "indicator", "time_period", "survey", *DIMENSIONS, "standardised", "source")
"""Columns that tell published cells apart."""


def broken_checks(connection: duckdb.DuckDBPyConnection, coded: Iterable[str]) -> dict[str, int]:
    """Return check -> number of cells that break it, for the table ``indicator_value`` of a connection.

    Args:
        connection: holds ``indicator_value``.
        coded: reasons with which the bands of a cell may be shown.
    """
    codes = ", ".join(f"'{code}'" for code in coded) or "NULL"
    checks = connection.sql(render("shape", coded=codes, key=", ".join(KEY)))
    return {check: cells for check, cells in checks.fetchall() if cells}
