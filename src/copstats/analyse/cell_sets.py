"""Groups of a wave that published tables show or let follow: cells, and differences of nested cells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import permutations

from copstats.analyse.domains import COMMON_AGE, Disaggregation, Domain, disaggregation_of, domain_of
from copstats.store.schemas import DIMENSIONS


@dataclass(frozen=True)
class CellSet:
    """The records of a cell without those of cells within it.

    Attributes:
        whole: number of the cell's domain.
        without: numbers of the domains that are taken off, all of one disaggregation; none for the cell.
        cell: code of the cell, see `cell_code`.
        codes_without: codes of the cells that are taken off.
    """

    whole: int
    cell: str
    without: tuple[int, ...] = ()
    codes_without: tuple[str, ...] = ()


def cell_code(codes: Mapping[str, str]) -> str:
    """Return the code of a cell, for example ``sex=F,age=Y12T14``; empty for the total."""
    return ",".join(f"{name}={codes[name]}" for name in DIMENSIONS if name in codes)


def cell_sets(numbers: Iterable[int], disaggregations: Sequence[Disaggregation]) -> list[CellSet]:
    """Return the cells, and for each cell and each table within it what else follows by subtraction.

    That is the cell without each cell of the table, and without all of them: the rest, whose category is
    unknown.

    Args:
        numbers: domains that have records.
        disaggregations: of which they are.
    """
    cells: dict[int, dict[int, Domain]] = {}
    for number in sorted(set(numbers)):
        domain = domain_of(number, disaggregations)
        cells.setdefault(disaggregation_of(number), {})[number] = domain
    out = [CellSet(number, cell_code(d.codes)) for table in cells.values() for number, d in table.items()]
    for outer, inner in permutations(cells.values(), 2):
        for number, domain in outer.items():
            within = {n: cell_code(d.codes) for n, d in inner.items() if _contains(domain, d)}
            taken_off = partial(CellSet, number, cell_code(domain.codes))
            out += [taken_off((n,), (code,)) for n, code in within.items()]
            if len(within) > 1:
                out.append(taken_off(tuple(within), tuple(within.values())))
    return out


def _contains(outer: Domain, inner: Domain) -> bool:
    """Return whether every record of one cell is in the other, and not the other way round."""
    if outer.codes.items() < inner.codes.items():
        return True
    if not outer.codes.keys() == inner.codes.keys() == {"age"}:
        return False
    # Ages common to survey and indicator hold bands that lie within them, and lie within bands.
    if outer.disaggregation == inner.disaggregation == COMMON_AGE:
        return False
    (low, high), (first, last) = _ages(outer), _ages(inner)
    return low <= first and last <= high and (low, high) != (first, last)


def _ages(domain: Domain) -> tuple[int, int]:
    low, high = domain.codes["age"].removeprefix("Y").split("T")
    return int(low), int(high)
