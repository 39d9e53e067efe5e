"""PSU cells that outlive the records: with them contrasts and trends need no microdata.

A cell of one child is her answer: the tables are microdata, and kept sealed like them. They carry no national
code: PSUs and strata are numbers (in a panel also pseudonyms), dimensions have their published codes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from copstats.analyse.blocks import Cells
from copstats.analyse.domains import NO_DOMAIN, TOTAL, Disaggregation, domain_of
from copstats.analyse.records import Columns, Design, Integers
from copstats.store.schemas import DIMENSIONS

KeepTables: TypeAlias = Callable[[Mapping[str, pa.Table]], None]


@dataclass
class CellKeeper:
    """Collects the cells of one record kind while they are made.

    Attributes:
        design: table ``unit, wave_no, stratum_no, psus, taken``.
        passes: for each pass over the records, the tables of its disaggregations.
    """

    design: pa.Table | None = None
    passes: dict[tuple[str, ...], list[pa.Table]] = field(default_factory=dict)

    def __call__(self, design: Design, columns: Columns, domain: Integers, cells: Cells) -> None:
        """Take the cells of a disaggregation; ``domain`` is the number of each one's domain."""
        if self.design is None:
            unit = np.arange(len(design.psus))
            names = ("unit", "wave_no", "stratum_no", "psus", "taken")
            values = (unit, design.wave_no, design.stratum_no, design.psus, design.taken)
            self.design = pa.table(dict(zip(names, values, strict=True)))
        kept: dict[str, Any] = {"domain": domain, "unit": cells.unit}
        kept |= dict(zip(columns.values, cells.values.T, strict=True))
        kept |= dict(zip(columns.weights, cells.weights.T, strict=True))
        kept |= dict(zip(columns.counts, cells.counts.T, strict=True))
        table = pa.table(kept)
        self.passes.setdefault(columns.measures, []).append(
            table.filter(pc.not_equal(table["domain"], NO_DOMAIN))
        )

    def tables(self, disaggregations: Sequence[Disaggregation]) -> dict[str, pa.Table]:
        """Return ``psu_design``, ``psu_cells`` and ``domains``; empty where nothing was estimated.

        ``psu_cells`` has a row a domain and PSU with ``w, n``, weight and number of records, and for each
        measure M ``wy_M``, weight times value, and, where not all records answer it, ``w_M, n_M``.
        ``domains`` has the number, disaggregation and published codes of each domain.
        """
        if self.design is None:
            return {}
        shared = ("domain", "unit", "w", "n")
        columns: dict[str, pa.ChunkedArray] = {}
        for tables in self.passes.values():
            one = pa.concat_tables(tables)
            columns |= {
                name: one[name] for name in one.column_names if name not in columns or name not in shared
            }
        cells = pa.table(columns)
        numbers = np.unique(cells["domain"].to_numpy())
        found = [(int(number), domain_of(int(number), disaggregations)) for number in numbers]
        domains = pa.table(
            {
                "domain": numbers,
                "disaggregation": [domain.disaggregation for _, domain in found],
                **{d: [domain.codes.get(d, TOTAL) for _, domain in found] for d in DIMENSIONS},
            }
        )
        return {"psu_design": self.design, "psu_cells": cells, "domains": domains}


def with_panel_keys(
    tables: Mapping[str, pa.Table], connection: duckdb.DuckDBPyConnection, design: str
) -> dict[str, pa.Table]:
    """Return the kept tables with ``panel_stratum, panel_psu`` in their design.

    Only for a wave whose strata and PSUs have pseudonyms of the panel: labels of one wave match nothing.

    Args:
        tables: what `CellKeeper.tables` returned; nothing is added where it is empty.
        connection: holds the wave's records.
        design: SQL that makes ``psu_design`` of them.
    """
    if "psu_design" not in tables:
        return dict(tables)
    connection.execute(design)
    keys = connection.sql("SELECT stratum::VARCHAR, psu::VARCHAR FROM psu_design ORDER BY unit")
    stratum, psu = keys.to_arrow_table().columns
    connection.execute("DROP TABLE psu_design")
    keyed = tables["psu_design"].append_column("panel_stratum", stratum).append_column("panel_psu", psu)
    return {**tables, "psu_design": keyed}
