"""SDMX-CSV with ``labels=both``: the name of everything stands behind its code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from copstats.disseminate.sdmx import Dataflow
from copstats.framework.export.published import CodeTable
from copstats.language import Translations


@dataclass(frozen=True)
class Labelled(Dataflow):
    """A dataflow whose observations and columns carry names, as in ``KEN: Kenya`` (SDMX-CSV field guide).

    Attributes:
        codes: code lists by identifier.
        words: language of the names.
    """

    codes: Mapping[str, CodeTable]
    words: Translations

    @property
    def id(self) -> str:
        """Identifier and title."""
        return f"{super().id}: {self.words.text(self.structure.title)}"

    @property
    def measure(self) -> str:
        """Identifier and title of the measure."""
        return self._titled(super().measure)

    def observations(self, rows: pa.Table) -> pa.Table:
        """Return the observations with names behind codes."""
        found = super().observations(rows)
        return pa.table({self._titled(name): self._named(name, found[name]) for name in found.column_names})

    def _titled(self, name: str) -> str:
        return f"{name}: {self.words.text(self.structure.components[name].title)}"

    def _named(self, name: str, column: pa.ChunkedArray) -> pa.ChunkedArray | pa.Array:
        component = self.structure.components[name]
        if component.codelist is None:
            return column
        encoded = pa.chunked_array([column]) if isinstance(column, pa.Array) else column
        encoded = encoded.combine_chunks().dictionary_encode()
        table = self.codes[component.codelist].codes
        labels = pa.array([self._label(code, table) for code in encoded.dictionary.to_pylist()], pa.string())
        return labels.take(encoded.indices)

    def _label(self, code: str, table: Mapping[str, Mapping[str, str]]) -> str:
        names = table.get(code, {})
        name = names.get(self.words.language) or names.get("en")
        return f"{code}: {name}" if name else code
