"""Parts of the population that are estimated side by side; the design stays whole in each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from copstats.analyse.survey.columns import checked_expression, guarded, quoted
from copstats.errors import EstimationError

MOST_DOMAINS = 100_000


@dataclass(frozen=True)
class Domains:
    """Domains formed by crossing columns.

    Attributes:
        by: names of the columns.
        labels: one tuple of levels, as text, for each domain.
        codes: number that the SQL gives each domain, ascending.
        number: SQL of the domain's number, NULL where a column is NULL.
        where: SQL condition that a record must meet to belong to any of them.
    """

    by: tuple[str, ...]
    labels: tuple[tuple[str, ...], ...]
    codes: npt.NDArray[np.int64]
    number: str
    where: str

    @classmethod
    def whole(cls, where: str | None = None) -> Domains:
        """One domain: the population, or the part of it that meets a condition."""
        return cls((), ((),), np.zeros(1, np.int64), "0", where or "TRUE")

    def positions(self, codes: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """Return the positions of domains by their numbers."""
        found: npt.NDArray[np.int64] = np.searchsorted(self.codes, codes)
        return found


def form_domains(
    connection: duckdb.DuckDBPyConnection, by: Sequence[str], where: str | None = None
) -> Domains:
    """Return the domains that occur among the records.

    Args:
        connection: holds ``records``.
        by: columns or SQL expressions whose levels are crossed; records without a level are in no domain.
        where: SQL condition; records for which it is not TRUE are in no domain.

    Raises:
        EstimationError: E031, E032, a name or expression that cannot be used; E038, too many domains.
    """
    condition = checked_expression(connection, "records", where) if where else "TRUE"
    if not by:
        return Domains.whole(condition)
    expressions = [checked_expression(connection, "records", expression) for expression in by]
    levels = [_levels(connection, expression, condition) for expression in expressions]
    number = "0"
    for expression, names in zip(expressions, levels, strict=True):
        listed = ", ".join(quoted(name, "'") for name in names) or "NULL"
        number = f"({number}) * {len(names)} + list_position([{listed}], ({expression})::VARCHAR) - 1"
    query = f"""
        SELECT DISTINCT {number} AS code
        FROM records
        WHERE coalesce({condition}, FALSE) AND code IS NOT NULL
        ORDER BY code
        LIMIT {MOST_DOMAINS + 1}
    """  # noqa: S608
    with guarded():
        codes = connection.sql(query).fetchnumpy()["code"].astype(np.int64)
    if len(codes) > MOST_DOMAINS:
        raise EstimationError("E038", most=MOST_DOMAINS)
    places = np.unravel_index(codes, [len(names) for names in levels])
    labels = tuple(
        tuple(names[place] for names, place in zip(levels, row, strict=True))
        for row in zip(*places, strict=True)
    )
    return Domains(tuple(by), labels, codes, number, condition)


def _levels(connection: duckdb.DuckDBPyConnection, expression: str, condition: str) -> list[str]:
    query = f"""
        SELECT ({expression})::VARCHAR AS level
        FROM records
        WHERE coalesce({condition}, FALSE) AND ({expression}) IS NOT NULL
        GROUP BY ({expression})
        ORDER BY ({expression})
    """  # noqa: S608
    with guarded():
        return [row[0] for row in connection.sql(query).fetchall()]
