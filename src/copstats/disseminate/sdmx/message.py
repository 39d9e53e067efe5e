"""What a data message says, whatever its format: observations by component, as text."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from copstats.framework import Framework
from copstats.framework.structure import Structure, group_code, load_structure

ACTION = "Replace"
"""A message holds all there is of its key: it takes the place of what a reader has (SDMX 3.0, section 6)."""


@dataclass(frozen=True)
class Dataflow:
    """A dataflow of a release.

    Attributes:
        structure: its components.
        version: of its artefacts; the framework's.
        table: table of the release that holds its values.
    """

    structure: Structure
    version: str
    table: str

    @property
    def id(self) -> str:
        """For example ``COP:DF_COP(1.0.0)``."""
        return f"{self.structure.agency}:{self.structure.dataflow}({self.version})"

    @property
    def urn(self) -> str:
        """URN of the dataflow (SDMX 3.0, section 5, 4.2)."""
        return f"urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow={self.id}"

    @property
    def measure(self) -> str:
        """Identifier of the measure."""
        (name,) = self.structure.measure
        return name

    def observations(self, rows: pa.Table) -> pa.Table:
        """Return a column of text for each component, in the order dimensions, measure, attributes.

        Args:
            rows: any rows of the dataflow's table; numbers are written with the digits that they have.
        """
        columns = {}
        for name, component in self.structure.components.items():
            if component.constant is not None:
                columns[name] = pa.repeat(component.constant, rows.num_rows)
            elif component.column == "ref_area" and component.column not in rows.column_names:
                columns[name] = _groups(rows)
            else:
                columns[name] = _text(rows[component.column])
        return pa.table(columns)


def dataflows(framework: Framework) -> list[Dataflow]:
    """Return the dataflows of a framework version: values of countries, and of groups of them."""
    structure, version = load_structure(framework.id), framework.head.version
    flows = [Dataflow(structure, version, "indicator_value")]
    if (regions := structure.of_regions) is not None:
        flows.append(Dataflow(regions, version, "aggregate_value"))
    return flows


def _groups(rows: pa.Table) -> pa.Array:
    pairs = zip(rows["scheme"].to_pylist(), rows["area_group"].to_pylist(), strict=True)
    codes: dict[tuple[str, str], str] = {}
    return pa.array([codes.setdefault(pair, group_code(*pair)) for pair in pairs], pa.string())


def _text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if not pa.types.is_floating(column.type):
        return column.cast(pa.string())
    # 8.0 is written as 8: Arrow would keep the point.
    return pc.replace_substring_regex(column.cast(pa.string()), r"\.0$", "")
