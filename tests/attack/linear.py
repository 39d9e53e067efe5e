"""An attacker's linear programs, written by themselves: dense, over the crossed categories, with scipy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.optimize import linprog

from copstats.store.schemas import DIMENSIONS

Key = tuple[tuple[str, str], ...]
Categories = tuple[str, ...]
UNKNOWN = "?"


@dataclass(frozen=True)
class Known:
    """What is known of a cell: respondents, weight, and limits of its share of yes."""

    n: float
    weight: float
    low: float
    high: float
    needed: float


def key_of(row: Mapping[str, Any]) -> Key:
    return tuple((name, row[name]) for name in DIMENSIONS if row[name] != "_T")


def half_step(tier: str, n: float) -> float:
    return 0.0005 if tier == "A" and n >= 1000 else 0.005


def known_cells(values: Any, attacker: Any) -> dict[str, dict[Key, Known]]:
    """Return indicator -> what release and attacker's file say of each cell; thresholds stand here again."""
    stated = {(row["indicator"], key_of(row)): row for row in values.to_pylist()}
    found: dict[str, dict[Key, Known]] = {}
    for row in attacker.to_pylist():
        if row["n"] and row["unit"] == "PERCENT":
            key = key_of(row)
            found.setdefault(row["indicator"], {})[key] = _known(row, stated[row["indicator"], key])
    return found


def _known(row: Mapping[str, Any], published: Mapping[str, Any]) -> Known:
    t = 5 if row["tier"] == "A" else 10
    low, high, needed = 0.0, 1.0, 0.0
    if published["value"] is not None:
        half, share = half_step(row["tier"], row["n"]), published["value"] / 100
        low, high = max(share - half, 0) - 1e-9, min(share + half, 1) + 1e-9
    elif published["reason"] in ("low", "high"):
        limit, needed = row["coded_limit"] + 1e-9, t - 1
        low, high = (0.0, limit) if published["reason"] == "low" else (1 - limit, 1.0)
    elif published["reason"] not in ("secondary", "unreliable"):
        needed = min(t, row["n"])
    return Known(row["n"], row["weight"], low, high, needed)


def intervals(cells: Mapping[Key, Known]) -> Iterator[tuple[Key, Known, float]]:
    """Yield each cell of one indicator that needs protection, and how many respondents remain open.

    The unknowns are the answers of the crossed categories of sex and age, unknown ones included, and of the
    categories of every other table by itself.
    """
    parts = _partitions(cells)
    atoms = [(names, one) for names, members in parts.items() for one in members]
    weight = np.array([max(parts[names][one][1], 0.0) for names, one in atoms])
    rows, lower, upper = [], [], []
    member = {
        key: {names: _members(key, names, atoms) for names in parts if {d for d, _ in key} <= set(names)}
        for key in cells
    }
    for key, known in cells.items():
        for row in member[key].values():
            rows.append(row)
            lower.append(known.low * known.weight)
            upper.append(known.high * known.weight)
    totals = list(member[()].values())
    equal = [first - second for first, second in pairwise(totals)]
    scale = weight.max()
    a_ub = np.array([*rows, *(-row for row in rows)])
    b_ub = np.array([*upper, *(-one for one in lower)]) / scale
    for key, known in cells.items():
        if known.needed:
            target = next(iter(member[key].values()))
            ends = [
                linprog(
                    sign * target,
                    A_ub=a_ub,
                    b_ub=b_ub,
                    A_eq=np.array(equal) if equal else None,
                    b_eq=np.zeros(len(equal)) if equal else None,
                    bounds=np.column_stack([np.zeros(len(weight)), weight / scale]),
                )
                for sign in (1, -1)
            ]
            assert all(one.status == 0 for one in ends)
            yield key, known, (-ends[1].fun - ends[0].fun) * scale / known.weight * known.n


def _partitions(
    cells: Mapping[Key, Known],
) -> dict[tuple[str, ...], dict[tuple[str, ...], tuple[float, float]]]:
    """Return table -> categories -> number and weight; those without a category by subtraction."""
    found = {}
    for names in _finest({tuple(d for d, _ in key) for key in cells}):
        axes = [[*sorted({dict(key)[d] for key in cells if d in dict(key)}), UNKNOWN] for d in names]
        members: dict[tuple[str, ...], tuple[float, float]] = {}
        grid = np.array(np.meshgrid(*axes, indexing="ij")).reshape(len(names), -1).T.tolist()
        for one in sorted(grid, key=lambda codes: codes.count(UNKNOWN)):
            key = tuple((d, code) for d, code in zip(names, one, strict=True) if code != UNKNOWN)
            of = cells.get(key)
            inside = [
                size
                for codes, size in members.items()
                if all(code in (UNKNOWN, other) for code, other in zip(one, codes, strict=True))
            ]
            n = (of.n if of else 0.0) - sum(size[0] for size in inside)
            weight = (of.weight if of else 0.0) - sum(size[1] for size in inside)
            assert n >= 0
            members[tuple(one)] = (n, weight if n else 0.0)
        found[names] = members
    return found


def _finest(tables: set[tuple[str, ...]]) -> list[tuple[str, ...]]:
    return sorted(t for t in tables if t and not any(set(t) < set(other) for other in tables)) or [()]


def _members(key: Key, names: tuple[str, ...], atoms: list[Any]) -> np.ndarray[Any, Any]:
    wanted = dict(key)
    return np.array(
        [
            float(
                of == names and all(wanted.get(d, code) == code for d, code in zip(names, codes, strict=True))
            )
            for of, codes in atoms
        ]
    )
