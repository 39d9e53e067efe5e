"""What differs between two versions of a wave, counted for every figure that is published or follows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from copstats.analyse.cell_sets import CellSet, cell_sets
from copstats.analyse.domains import disaggregation_of
from copstats.analyse.plan import KINDS
from copstats.analyse.states import Pairs, States, Version, pairs_of
from copstats.errors import EstimationError
from copstats.framework.loader import Framework
from copstats.store.engine import memory_connection
from copstats.store.schemas import CHANGES

Counts: TypeAlias = npt.NDArray[np.int64]

_BLOCK = 16_384
"""Records counted at a time: what is held of them is a number a record and group."""


def changes(
    before: Version,
    after: Version,
    framework: Framework,
    *,
    connection: duckdb.DuckDBPyConnection | None = None,
) -> pa.Table:
    """Count the records that entered, left or changed, for every indicator and group.

    Groups are the cells of all tables, each cell without the cells of a table within it (one of them, or all:
    the rest), and, of an indicator that is combined of others, the answers that it has beyond each member.
    A record is in a group if it belongs to it and has a valid answer; other weights are no change.

    Which record is which: one of the same content is the same record whatever its key, so that a file that
    was numbered anew seems to differ no more than it does. Counts are therefore the least that explain the
    difference, unless keys and contents both changed for all.

    Args:
        before: the version whose figures are published.
        after: the version whose figures would take their place.
        framework: by which both are read, whatever they were estimated by.
        connection: in-memory connection; a new one by default.

    Returns:
        Schema ``CHANGES``; groups without a change have a row too. An indicator that cannot be estimated from
        both versions has none.

    Raises:
        EstimationError: E001, the records lack design columns; E009, the engine stopped.
    """
    own = connection or memory_connection()
    try:
        found = [pairs_of(own, kind, before, after, framework) for kind in KINDS]
    except duckdb.Error as problem:
        # The engine's message may quote a value.
        raise EstimationError("E009", kind=type(problem).__name__) from None
    finally:
        if connection is None:
            own.close()
    tables = [_counted(pairs) for pairs in found if pairs is not None]
    return pa.concat_tables([CHANGES.empty_table(), *tables])


def _counted(pairs: Pairs) -> pa.Table:
    sets = cell_sets(pairs.numbers, pairs.disaggregations)
    total: dict[str, Counts] = {}
    for first in range(0, max(len(pairs.before.domains[0]), 1), _BLOCK):
        rows = slice(first, first + _BLOCK)
        for name, counts in _block(pairs, sets, rows):
            total[name] = total.get(name, 0) + counts
    tables = []
    for place, (name, proportion) in enumerate(pairs.proportions.items()):
        code, member = pairs.members.get(name, (name, None))
        columns: dict[str, Any] = {
            "indicator": [code] * len(sets),
            "member": pa.array([member] * len(sets), pa.string()),
            "cell": [one.cell for one in sets],
            "without": [list(one.codes_without) for one in sets],
        }
        for count, values in total.items():
            answers = count.startswith(("yes", "no"))
            columns[count] = pa.nulls(len(sets)) if answers and not proportion else values[:, place]
        tables.append(pa.table(columns).cast(CHANGES))
    return pa.concat_tables(tables)


def _block(pairs: Pairs, sets: list[CellSet], rows: slice) -> Iterator[tuple[str, Counts]]:
    """Count a block of records; arrays of sets x measures.

    A record counts where it is in the group in one version only, or in both with another answer: those of one
    version without those that stayed as they were.
    """
    in_before, in_after = (_membership(states, sets, rows) for states in (pairs.before, pairs.after))
    in_both = in_before & in_after
    valid_before, value_before = _answers(pairs.before, pairs, rows)
    valid_after, value_after = _answers(pairs.after, pairs, rows)
    valid = valid_before & valid_after
    same = valid & (value_before == value_after)
    yes = same & (value_before == 1)
    left = _count(in_before, valid_before) - _count(in_both, valid)
    entered = _count(in_after, valid_after) - _count(in_both, valid)
    changed = _count(in_both, valid & ~same)
    yes_before = _count(in_before, valid_before & (value_before == 1)) - _count(in_both, yes)
    yes_after = _count(in_after, valid_after & (value_after == 1)) - _count(in_both, yes)
    yield "entered", entered
    yield "left", left
    yield "changed", changed
    yield "yes_before", yes_before
    yield "no_before", left + changed - yes_before
    yield "yes_after", yes_after
    yield "no_after", entered + changed - yes_after


def _membership(states: States, sets: list[CellSet], rows: slice) -> npt.NDArray[np.bool_]:
    """Return records x sets: whether the record is in the set."""
    domains = [domain[rows] for domain in states.domains]
    out = np.empty((len(domains[0]), len(sets)), bool)
    for place, one in enumerate(sets):
        out[:, place] = domains[disaggregation_of(one.whole)] == one.whole
        if one.without:
            out[:, place] &= ~np.isin(domains[disaggregation_of(one.without[0])], one.without)
    return out


def _answers(
    states: States, pairs: Pairs, rows: slice
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float64]]:
    """Return records x measures: whether there is a valid answer, and the answer."""
    valid = np.column_stack([states.valid[name][rows] for name in pairs.proportions])
    return valid, np.column_stack([states.value[name][rows] for name in pairs.proportions])


def _count(sets: npt.NDArray[np.bool_], answers: npt.NDArray[np.bool_]) -> Counts:
    # Products of floats use the fast routine; counts of a block are far below what they hold exactly.
    product = sets.T.astype(np.float32) @ answers.astype(np.float32)
    return product.astype(np.int64)
