"""Complementary suppression of waves (R10): withholds cells from which withheld ones could be worked out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from copstats.disclose.intervals import InfeasibleSystem
from copstats.disclose.relations import (
    Cell,
    ContradictoryCells,
    Relations,
    cells_of,
    read_cells,
    relations_of,
    wave_problem,
)
from copstats.disclose.suppression import Pattern, suppress
from copstats.errors import ConfidentialityError
from copstats.framework.loader import Framework
from copstats.store.schemas import ATTACKER

KINDS = ("child", "parent", "dyad")


def withhold_secondary(connection: duckdb.DuckDBPyConnection, framework: Framework) -> int:
    """Give the reason ``secondary`` to cells of the table ``decided``, wave by wave.

    Args:
        connection: holds ``decided``, ``reason`` and the steps of rounding.
        framework: of the waves; its definitions relate their indicators.

    Returns:
        The number of sums that are narrower than their protection asks for although nothing that is published
        limits them: definitions and numbers of respondents alone tell so much.

    Raises:
        ConfidentialityError: C103, the estimates of a wave contradict each other.
    """
    waves = defaultdict[str, list[dict[str, Any]]](list)
    for row in read_cells(connection).to_pylist():
        waves[row["submission_id"]].append(row)
    known: dict[frozenset[str], list[Relations]] = {}
    chosen: list[int] = []
    conceded = 0
    for submission, rows in waves.items():
        cells = cells_of(rows)
        codes = frozenset(cell.indicator for cell in cells)
        if codes not in known:
            known[codes] = [relations_of(framework, codes, kind) for kind in KINDS]
        pattern = _pattern(submission, cells, known[codes])
        chosen += [rows[number]["cell"] for number in np.flatnonzero(pattern.secondary)]
        conceded += pattern.conceded
    connection.register("chosen", pa.table({"cell": pa.array(chosen, pa.int64())}))
    connection.execute("UPDATE decided SET reason = 'secondary' WHERE rowid IN (SELECT cell FROM chosen)")
    return conceded


def _pattern(submission: str, cells: Sequence[Cell], relations: Sequence[Relations]) -> Pattern:
    try:
        return suppress(wave_problem(cells, relations))
    except (ContradictoryCells, InfeasibleSystem):
        raise ConfidentialityError("C103", where=submission) from None


def attacker_table(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return what an attacker is taken to know of the cells of ``decided``, as they are published now.

    Cells of which a fact is missing are left out: an audit finds them unknown and refuses the release.

    Returns:
        Schema ``ATTACKER``, ordered by its key.
    """
    names = ", ".join(ATTACKER.names)
    known = " AND ".join(f"{field.name} IS NOT NULL" for field in ATTACKER if not field.nullable)
    connection.register("told", read_cells(connection))
    found = connection.sql(f"SELECT {names} FROM told WHERE {known}")  # noqa: S608
    return found.to_arrow_table().cast(ATTACKER)


def cost_table(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return how many cells each reason withholds: ``ref_area, submission_id, indicator, reason, cells``."""
    return connection.sql("""
        SELECT ref_area, submission_id, indicator, reason, count(*) AS cells
        FROM decided
        WHERE state = 'estimated' AND reason IS NOT NULL
        GROUP BY ALL
        ORDER BY ALL
    """).to_arrow_table()
