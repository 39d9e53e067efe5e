"""Published test tables of cell suppression, and problems made of tables of counts or magnitudes."""

from __future__ import annotations

import csv
import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from copstats.disclose.intervals import LinearSystem
from copstats.disclose.suppression import Problem

TOTAL = "Total"
FIGURES = ("freq", "value")


def read(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


@dataclass(frozen=True)
class Table:
    """Cells as sums over inner cells."""

    cells: npt.NDArray[np.float64]
    values: npt.NDArray[np.float64]

    def problem(self, primary: npt.NDArray[np.bool_], **needs: Any) -> Problem:
        """Return the problem of exact cells over inner cells that are not negative."""
        cells, inner = self.cells.shape
        none = np.zeros(int(primary.sum()))
        system = LinearSystem(
            csr_array(self.cells), self.values, self.values, np.zeros(inner), np.full(inner, np.inf)
        )
        return Problem(
            system=system,
            cell_of_row=np.arange(cells),
            measured=csr_array(self.cells[primary]),
            value=self.values[primary],
            withheld=primary,
            spared=np.tile([-np.inf, np.inf], (len(none), 1)),
            **{"below": none, "above": none, "width": none, "costs": 1.0 + self.values} | needs,
        )


def sums(inner: Sequence[Mapping[str, str]], cells: Iterable[Mapping[str, str]]) -> npt.NDArray[np.float64]:
    """Return the cells as rows over inner cells; a code of a cell may stand in any column of theirs."""
    codes = [{TOTAL, *(code for name, code in row.items() if name not in FIGURES)} for row in inner]
    return np.array([[float(codes_of >= set(cell.values())) for codes_of in codes] for cell in cells])


def gauss(shared: Path, name: str) -> tuple[Table, list[dict[str, str]]]:
    """Return a table of GaussSuppression: its cells, and the rows of the reference result."""
    folder = shared / "reference" / "sdc" / "gauss"
    found = read(folder / f"{name}.csv")
    inner = read(folder / f"input_{name.split('_', maxsplit=1)[0]}.csv")
    figure = "value" if "value" in found[0] else "freq"
    of = [
        c
        for c in found[0]
        if c not in (figure, "primary", "suppressed", "lo", "up", "lo_1", "up_1", "suppressed_integer")
        and not c.startswith("rlim")
    ]
    cells = sums(inner, [{c: row[c] for c in of} for row in found])
    return Table(cells, np.array([float(row[figure]) for row in found])), found


def pp_tab(shared: Path) -> Problem:
    """The table of tau-ARGUS: size by region, regions in two levels; its own protection levels."""
    path = shared / "reference" / "sdc" / "tauargus" / "pp.tab"
    with path.open(encoding="utf-8") as file:
        rows = [[text.strip() for text in row] for row in csv.reader(file, delimiter=";")]
    regions = {"Nr": "1 2 3", "Os": "4 5 6 7", "Ws": "8 9 10", "Zd": "11 12"}
    inner = [row for row in rows if row[0] != "Total" and row[1].isdigit()]

    def holds(outer: str, code: str) -> bool:
        return outer in ("Total", code) or code in regions.get(outer, "").split()

    cells = [[float(holds(row[0], one[0]) and holds(row[1], one[1])) for one in inner] for row in rows]
    values, lower, upper = ([float(row[c].replace(",", ".")) for row in rows] for c in (4, 9, 10))
    unsafe = np.array([row[8] == "U" for row in rows])
    table = Table(np.array(cells), np.array(values))
    return table.problem(unsafe, below=np.array(lower)[unsafe], above=np.array(upper)[unsafe])


def crossed(*sizes: int) -> npt.NDArray[np.float64]:
    """Return all cells of a crossed table with its margins as rows over the inner cells."""
    one = [np.vstack([np.ones(size), np.eye(size)]) for size in sizes]
    return functools.reduce(np.kron, one)
