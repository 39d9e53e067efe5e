"""What leaves the country, column by column: what `copstats seal --show` lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from copstats.framework import Framework
from copstats.framework.definitions import Privacy, RecordKind, Variable
from copstats.framework.export.words import code_labels, missing_labels
from copstats.language import N_, Translations

if TYPE_CHECKING:
    from copstats.process.sealing import Prepared


@dataclass(frozen=True)
class Column:
    """A column that leaves the country.

    Attributes:
        name: of the variable, with its number if it is one of a series.
        label: of the variable.
        treatment: what sealing does with it.
        categories: those that leave, with labels; empty for numbers, keys and labels.
    """

    name: str
    label: str
    treatment: str
    categories: tuple[str, ...]


@dataclass(frozen=True)
class Contents:
    """What leaves the country of one kind of record.

    Attributes:
        records: number of records.
        columns: in the order of the file.
        stay: columns of the office's own file that stay behind.
    """

    records: int
    columns: tuple[Column, ...]
    stay: tuple[str, ...] = ()


_TREATMENT: Mapping[Privacy, str] = {
    "pseudonymise": N_("pseudonym"),
    "coarsen": N_("made coarser"),
    "keep": N_("as it is"),
}
_LABEL = N_("label of this round, in no order")
_LISTED = ("code", "month")


def contents(prepared: Prepared, words: Translations) -> dict[RecordKind, Contents]:
    """Return exactly what will leave the country: columns, categories and number of records."""
    out: dict[RecordKind, Contents] = {}
    for record, table in prepared.tables.items():
        variables = prepared.framework.variables(record)
        columns = []
        for name in table.column_names:
            variable = variables[name if name in variables else name.rpartition("_")[0]]
            columns.append(
                Column(
                    name,
                    words.text(variable.label),
                    words.text(_LABEL if name in prepared.labelled else _TREATMENT[variable.privacy]),
                    _categories(prepared.framework, variable, table[name], words),
                )
            )
        out[record] = Contents(table.num_rows, tuple(columns), tuple(prepared.stay[record]))
    return out


def _categories(
    framework: Framework, variable: Variable, column: pa.ChunkedArray, words: Translations
) -> tuple[str, ...]:
    listed = variable.type in _LISTED or (variable.role == "dimension" and variable.type != "number")
    if not listed or variable.privacy == "pseudonymise":
        return ()
    present = sorted(value for value in pc.unique(column).to_pylist() if value is not None)
    labels = code_labels(framework, variable, words) | missing_labels(
        framework, list(framework.head.missing), words
    )
    return tuple(
        words.text("{code} ({label})", code=value, label=labels[value]) if value in labels else str(value)
        for value in present
    )
