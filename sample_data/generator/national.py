"""Turns framework codes into a country's own columns and codes, by reading its crosswalk backwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from copstats.framework.manifest import Mapping as Recoding
from copstats.framework.manifest import RangeRecode

Column = list[Any]
"""National values of one column; None is an empty cell."""
Inverse = Callable[[NDArray[Any]], dict[str, Column]]
"""Framework values -> national columns, for a recode that is an SQL expression."""


def national_columns(
    rng: np.random.Generator,
    table: Mapping[str, NDArray[Any]],
    recodings: Mapping[str, Recoding],
    inverses: Mapping[str, Inverse],
) -> dict[str, Column]:
    """Return the national columns in the order of the table.

    Args:
        rng: source of the values inside a range.
        table: framework variable -> values.
        recodings: the crosswalk; a variable that it does not name keeps its name and codes.
        inverses: variable -> inverse of its SQL expression.
    """
    out: dict[str, Column] = {}
    for name, values in table.items():
        recoding = recodings.get(name)
        if recoding is None:
            out[name] = values.tolist()
        elif recoding.sql is not None:
            out.update(inverses[name](values))
        else:
            out[recoding.source or name] = _column(rng, values, recoding)
    return out


def _column(rng: np.random.Generator, values: NDArray[Any], recoding: Recoding) -> Column:
    if recoding.copy:
        return [None if value == recoding.blank else value for value in values.tolist()]
    inverse: dict[Any, list[Any]] = {}
    for national, code in (recoding.map or {}).items():
        inverse.setdefault(code, []).append(national)
    if recoding.blank is not None:
        inverse[recoding.blank] = [None]
    ranges: dict[Any, RangeRecode] = {entry.code: entry for entry in recoding.range or []}
    return [_inside(rng, ranges[v]) if v in ranges else _one(rng, inverse[v]) for v in values.tolist()]


def _one(rng: np.random.Generator, values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values[int(rng.integers(len(values)))]


def _inside(rng: np.random.Generator, entry: RangeRecode) -> int:
    low = int(entry.lower if entry.lower is not None else 0)
    high = int(entry.upper if entry.upper is not None else low + 4)
    return int(rng.integers(low, high + 1))
