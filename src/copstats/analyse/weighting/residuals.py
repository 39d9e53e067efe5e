"""What calibration does to the variance: a variable counts by its residual from the calibration variables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def residual_of(
    connection: duckdb.DuckDBPyConnection,
    base_weight: str,
    margins: Sequence[Sequence[str]] = (),
    numbers: Sequence[str] = (),
    *,
    table: str = "records",
) -> Callable[[str], str]:
    """Return a function from the SQL of a term to the SQL of its residual, for ``Sample.residual_of``.

    The variance of an estimate with calibrated weights is that of the residuals e = y - x'B, with the
    calibrated weights; B comes from the regression of y on the calibration variables x with the weights
    before calibration. The same holds for every distance function, and so for raking and post-stratification.

    Args:
        connection: holds the records.
        base_weight: SQL of the weight before calibration.
        margins: category columns of each population table.
        numbers: columns whose total was met; ``"1"`` is the number of people.
        table: of the records.

    Source: Deville and Särndal (1992), Journal of the American Statistical Association 87, equation 3.4;
    R survey ``calibrate``, ``rake`` and ``postStratify``.
    """
    return _Regression(connection, table, base_weight, margins, numbers).residual


class _Regression:
    """Sums of squares and products by combination of categories: the records are read once for each term."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        table: str,
        weight: str,
        margins: Sequence[Sequence[str]],
        numbers: Sequence[str],
    ) -> None:
        self._connection, self._table, self._weight = connection, table, weight
        self._numbers = [f"({number})::DOUBLE" for number in numbers]
        self._categories = [_category(columns) for columns in margins]
        self._sums = [f"sum(d * x{i})" for i in range(len(numbers))]
        products = [f"sum(d * x{i} * x{j})" for i in range(len(numbers)) for j in range(i + 1)]
        cells = self._cells(["sum(d)", *self._sums, *products], "0")
        self._levels = [np.unique(cells[f"c{i}"]) for i in range(len(margins))]
        self._inverse = _inverse(self._gram(cells))

    def residual(self, term: str) -> str:
        """Return the SQL of the residual of a term; where the term is NULL it counts as 0."""
        value = f"coalesce(({term})::DOUBLE, 0)"
        with_numbers = [f"sum(d * x{i} * y)" for i in range(len(self._numbers))]
        cells = self._cells(["sum(d * y)", *with_numbers], value)
        products = np.concatenate(
            [
                self._dummies(cells).T @ cells["s0"],
                np.array([cells[f"s{i + 1}"].sum() for i in range(len(self._numbers))]),
            ]
        )
        return f"({value} - ({self._fitted(self._inverse @ products)}))"

    def _cells(self, sums: Sequence[str], y: str) -> dict[str, npt.NDArray[Any]]:
        names = [f"{number} AS x{i}" for i, number in enumerate(self._numbers)]
        names += [f"{category} AS c{i}" for i, category in enumerate(self._categories)]
        keys = [f"c{i}" for i in range(len(self._categories))]
        listed = [f"{aggregate} AS s{i}" for i, aggregate in enumerate(sums)]
        query = f"""
            WITH variables AS (
              SELECT {", ".join([f"({self._weight})::DOUBLE AS d", f"{y} AS y", *names])}
              FROM {self._table}
            )
            SELECT {", ".join([*keys, *listed])}
            FROM variables
            {"GROUP BY " + ", ".join(keys) + " ORDER BY ALL" if keys else ""}
        """  # noqa: S608
        found: dict[str, npt.NDArray[Any]] = self._connection.sql(query).fetchnumpy()
        return found

    def _dummies(self, cells: dict[str, npt.NDArray[Any]]) -> Array:
        blocks = [cells[f"c{i}"][:, None] == levels for i, levels in enumerate(self._levels)]
        return np.hstack(blocks).astype(float) if blocks else np.zeros((len(cells["s0"]), 0))

    def _gram(self, cells: dict[str, npt.NDArray[Any]]) -> Array:
        q = len(self._numbers)
        sums = np.column_stack([cells[f"s{i}"] for i in range(1 + q)])
        dummies = self._dummies(cells)
        numbers = np.zeros((q, q))
        numbers[np.tril_indices(q)] = [cells[f"s{1 + q + k}"].sum() for k in range(q * (q + 1) // 2)]
        numbers = np.tril(numbers) + np.tril(numbers, -1).T
        cross = dummies.T @ sums[:, 1:]
        return np.block([[dummies.T @ (dummies * sums[:, :1]), cross], [cross.T, numbers]])

    def _fitted(self, coefficients: Array) -> str:
        """Return the SQL of x'B."""
        parts, first = ["0"], 0
        for category, levels in zip(self._categories, self._levels, strict=True):
            listed = ", ".join(_quoted(str(level)) for level in levels)
            values = ", ".join(_number(b) for b in coefficients[first : first + len(levels)])
            parts.append(f"[{values}][list_position([{listed}], {category})]")
            first += len(levels)
        for number, b in zip(self._numbers, coefficients[first:], strict=True):
            parts.append(f"{_number(b)} * {number}")
        return " + ".join(parts)


def _inverse(gram: Array) -> Array:
    """Return the generalised inverse; variables are brought to one size first, for the sake of digits."""
    size = np.sqrt(np.maximum(np.diag(gram), np.finfo(float).tiny))
    inverse: Array = np.linalg.pinv(gram / np.outer(size, size), hermitian=True) / np.outer(size, size)
    return inverse


def _category(columns: Sequence[str]) -> str:
    """Return the SQL of one text for a combination of categories; the lengths keep combinations apart."""
    texts = [f"coalesce(({column})::VARCHAR, '')" for column in columns]
    return " || ".join(f"length({text}) || ':' || {text}" for text in texts)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _number(value: float) -> str:
    return f"{float(value)!r}::DOUBLE"
